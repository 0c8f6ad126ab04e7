/*
 * Flash memory of 2 MiB and its controller: RM0456, chapter "Embedded flash memory (FLASH)", named FLASH below.
 *
 * The cells, what is known of each quad-word and the option bytes are kept in a file that is written as each operation begins
 * and ends, so that whoever kills QEMU leaves what a power cut leaves.
 *
 * Reads go straight to memory, but for the 1 KiB pages that hold a torn quad-word, that this kind of access may not see, or
 * whose bank is busy: those come here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "flash.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "power_cut.h"
#include "qapi/error.h"
#include "qemu/timer.h"
#include "qemu/units.h"

enum {
    SIZE = 2 * MiB,
    BANK = 1 * MiB,
    PAGE = 8 * KiB,
    PAGES_A_BANK = BANK / PAGE,
    QUAD = 16,
    QUADS = SIZE / QUAD,
    MAP_PAGE = 1 * KiB, /* what QEMU maps at least: TARGET_PAGE_SIZE of a Cortex-M */
    MEMORY_BASE = 0x08000000,

    /* The file: cells, a byte for each quad-word, one page of option bytes. */
    MAP_OFFSET = SIZE,
    OPTIONS_OFFSET = MAP_OFFSET + QUADS,
    FILE_SIZE = OPTIONS_OFFSET + PAGE,

    /* DS13086, "Flash memory characteristics": typical times. */
    QUAD_PROGRAM_NS = 118 * 1000,
    PAGE_ERASE_NS = 1500 * 1000,
};

typedef enum Mark { ERASED = 0xff, PROGRAMMED = 0x00, TORN = 0x5a } Mark;

/* FLASH, "FLASH registers" */
enum {
    ACR = 0x00, NSKEYR = 0x08, SECKEYR = 0x0c, OPTKEYR = 0x10, NSSR = 0x20, SECSR = 0x24, NSCR = 0x28, SECCR = 0x2c,
    ECCR = 0x30, OPSR = 0x34, OPTR = 0x40, NSBOOTADD0R = 0x44, SECBOOTADD0R = 0x4c, SECWM1R1 = 0x50, SECWM1R2 = 0x54,
    WRP1AR = 0x58, SECWM2R1 = 0x60, OEM2KEYR2 = 0x7c, SECBB1R1 = 0x80, SECBB2R1 = 0xa0, SECHDPCR = 0xc0, PRIVCFGR = 0xc4,
    PRIVBB1R1 = 0xd0, PRIVBB2R1 = 0xf0,
    OPTION_WORDS = (OEM2KEYR2 - OPTR) / 4 + 1,
    BANK_OPTIONS = SECWM2R1 - SECWM1R1, /* from a register of bank 1 to that of bank 2 */
    BLOCK_WORDS = PAGES_A_BANK / 32,
};

enum {
    ACR_WRITABLE = 0x790f,
    SR_EOP = 1 << 0, SR_OPERR = 1 << 1, SR_PROGERR = 1 << 3, SR_WRPERR = 1 << 4, SR_PGAERR = 1 << 5, SR_SIZERR = 1 << 6,
    SR_PGSERR = 1 << 7, SR_OPTWERR = 1 << 13, SR_BSY = 1 << 16, SR_WDW = 1 << 17,
    SR_ERRORS = SR_PROGERR | SR_WRPERR | SR_PGAERR | SR_SIZERR | SR_PGSERR | SR_OPTWERR,
    CR_PG = 1 << 0, CR_PER = 1 << 1, CR_MER1 = 1 << 2, CR_BKER = 1 << 11, CR_BWR = 1 << 14, CR_MER2 = 1 << 15,
    CR_STRT = 1 << 16, CR_OPTSTRT = 1 << 17, CR_EOPIE = 1 << 24, CR_ERRIE = 1 << 25, CR_OBL_LAUNCH = 1 << 27,
    CR_INV = 1 << 29, CR_OPTLOCK = 1 << 30,
    CR_OPERATIONS = CR_PG | CR_PER | CR_MER1 | CR_MER2 | CR_BWR,
    CR_COMMON = 0x0300cbff, /* PG, PER, MER1, PNB, BKER, BWR, MER2, EOPIE, ERRIE */
    OPTR_SWAP_BANK = 1 << 20,
    ECCR_ADDRESS = 0xfffff, ECCR_BANK = 1 << 21, ECCR_ECCIE = 1 << 24, ECCR_ECCC = 1 << 30,
    WATERMARK_FIRST = 0x7f, WATERMARK_LAST_SHIFT = 16,
    HDP_ENABLE = 1u << 31,
};
#define CR_LOCK (1u << 31)
#define ECCR_ECCD (1u << 31)
#define OPTR_TZEN (1u << 31)
#define WRP_UNLOCK (1u << 31)

/* FLASH_OPSR.CODE_OP */
typedef enum Operation { NOTHING = 0, PROGRAM = 1, PAGE_ERASE = 3, BANK_ERASE = 4, MASS_ERASE = 5, OPTIONS = 6 } Operation;

/* The registers that each world has for itself. Index 0: Non-secure, 1: Secure. */
typedef struct Interface {
    uint32_t sr, cr;
    bool first_key, locked_out;
} Interface;

struct Stm32Flash {
    Stm32Peripheral parent_obj;
    char *path;
    uint32_t time_percent; /* of the time that silicon takes; 0: operations end at once */
    int file;

    IOMMUMemoryRegion memory;
    MemoryRegion cells_region, watched;
    AddressSpace *core; /* where these two are, out of the core's reach */
    uint64_t cells_at, watched_at;
    uint8_t *cells;
    uint8_t marks[QUADS];
    uint32_t stored_options[OPTION_WORDS], loaded_options[OPTION_WORDS], options[OPTION_WORDS];

    Interface interface[2];
    uint32_t acr, eccr, opsr, sechdpcr, privcfgr;
    uint32_t secure_blocks[2][BLOCK_WORDS], privileged_blocks[2][BLOCK_WORDS];
    bool option_first_key, options_locked_out;

    /* The quad-word that is being written. */
    uint32_t gather_address, gather[4], gathered;
    bool gather_secure;

    Operation operation;
    bool operation_secure;
    uint32_t operation_address, operation_size, operation_register;
    int64_t operation_end;
    QEMUTimer *timer;
    uint64_t stalls;

    qemu_irq irq[2], nmi, illegal, launch;
};

/* What a provisioned device has: factory option bytes, but TrustZone on, bank 1 Non-secure, bank 2 Secure and started. */
static const uint32_t provisioned_options[OPTION_WORDS] = {
    [0] = 0x9feff8aa,                               /* OPTR: RDP level 0, TZEN */
    [1] = 0x0800007f, [2] = 0x0bf9007f,             /* NSBOOTADD0R, NSBOOTADD1R */
    [3] = 0x0c10007c,                               /* SECBOOTADD0R */
    [4] = 0xff80ffff, [5] = 0x0f000f00,             /* SECWM1R1: none, SECWM1R2 */
    [6] = 0xff80ffff, [7] = 0xff80ffff,             /* WRP1AR, WRP1BR: none */
    [8] = 0xffffff80, [9] = 0x0f000f00,             /* SECWM2R1: all, SECWM2R2 */
    [10] = 0xff80ffff, [11] = 0xff80ffff,           /* WRP2AR, WRP2BR: none */
};

static uint32_t option(Stm32Flash *s, unsigned offset)
{
    return s->loaded_options[(offset - OPTR) / 4];
}

static uint32_t bank_option(Stm32Flash *s, unsigned offset, unsigned bank)
{
    return option(s, offset + bank * BANK_OPTIONS);
}

static bool in_watermark(uint32_t watermark, unsigned page)
{
    return page >= (watermark & WATERMARK_FIRST) && page <= extract32(watermark, WATERMARK_LAST_SHIFT, 7);
}

/* FLASH, "Flash memory security and privilege protections": by watermark in the option bytes, or by block in a register. */
static bool is_secure(Stm32Flash *s, uint32_t offset)
{
    const unsigned bank = offset / BANK, page = offset % BANK / PAGE;
    return in_watermark(bank_option(s, SECWM1R1, bank), page) || (s->secure_blocks[bank][page / 32] >> page % 32 & 1);
}

/* FLASH, "Secure hide protection (HDP)": pages at the start of the watermark area, hidden until the next reset. */
static bool is_hidden(Stm32Flash *s, uint32_t offset)
{
    const unsigned bank = offset / BANK, page = offset % BANK / PAGE;
    const uint32_t hide = bank_option(s, SECWM1R2, bank), first = bank_option(s, SECWM1R1, bank) & WATERMARK_FIRST;
    return (s->sechdpcr >> bank & 1) && (hide & HDP_ENABLE) && page >= first &&
           page <= extract32(hide, WATERMARK_LAST_SHIFT, 7);
}

static bool is_write_protected(Stm32Flash *s, uint32_t offset)
{
    const unsigned bank = offset / BANK, page = offset % BANK / PAGE;
    return in_watermark(bank_option(s, WRP1AR, bank), page) || in_watermark(bank_option(s, WRP1AR + 4, bank), page);
}

static bool is_torn(Stm32Flash *s, uint32_t offset, uint32_t size)
{
    return memchr(&s->marks[offset / QUAD], TORN, size / QUAD);
}

static bool is_blank(Stm32Flash *s, uint32_t quad)
{
    const uint64_t *cells = (const uint64_t *)&s->cells[quad * QUAD];
    return s->marks[quad] == ERASED && cells[0] == UINT64_MAX && cells[1] == UINT64_MAX;
}

/* --- the file --- */

static void store(Stm32Flash *s, const void *bytes, size_t size, off_t offset)
{
    if (s->file >= 0 && pwrite(s->file, bytes, size, offset) != size) {
        fprintf(stderr, "stm32u585: %s: cannot write: %s\n", s->path, strerror(errno));
        exit(1);
    }
}

static void store_cells(Stm32Flash *s, uint32_t offset, uint32_t size)
{
    store(s, &s->cells[offset], size, offset);
}

static void mark(Stm32Flash *s, uint32_t offset, uint32_t size, Mark mark)
{
    memset(&s->marks[offset / QUAD], mark, size / QUAD);
    store(s, &s->marks[offset / QUAD], size / QUAD, MAP_OFFSET + offset / QUAD);
}

static void store_options(Stm32Flash *s)
{
    uint32_t words[OPTION_WORDS];
    for (int i = 0; i < OPTION_WORDS; i++) {
        words[i] = cpu_to_le32(s->stored_options[i]);
    }
    store(s, words, sizeof(words), OPTIONS_OFFSET);
}

static bool read_file(Stm32Flash *s, Error **errp)
{
    g_autofree uint8_t *content = g_malloc(FILE_SIZE);
    ssize_t length = 0;

    memset(content, 0xff, FILE_SIZE);
    s->file = -1;
    if (s->path) {
        s->file = open(s->path, O_RDWR | O_CREAT, 0666);
        if (s->file >= 0) {
            length = pread(s->file, content, FILE_SIZE, 0);
        }
        if (s->file < 0 || length < 0 ||
            pwrite(s->file, content + length, FILE_SIZE - length, length) != FILE_SIZE - length) {
            error_setg_errno(errp, errno, "flash: %s", s->path);
            return false;
        }
    }
    memcpy(s->cells, content, SIZE);
    memcpy(s->marks, content + MAP_OFFSET, QUADS);
    for (int i = 0; i < OPTION_WORDS; i++) {
        const uint32_t word = ldl_le_p(content + OPTIONS_OFFSET + i * 4);
        s->stored_options[i] = word == UINT32_MAX ? provisioned_options[i] : word;
    }
    return true;
}

/* --- who sees what --- */

/* QEMU's translations of a range are no longer right: the kind of access decides where each goes from now on. */
static void map_changed(Stm32Flash *s, uint32_t offset, uint32_t size)
{
    for (int world = 0; world < 2; world++) {
        IOMMUTLBEvent event = {
            .type = IOMMU_NOTIFIER_UNMAP,
            .entry = { .target_as = s->core, .iova = offset, .translated_addr = offset, .addr_mask = size - 1 },
        };
        memory_region_notify_iommu(&s->memory, world, event);
    }
}

static IOMMUTLBEntry translate(IOMMUMemoryRegion *memory, hwaddr address, IOMMUAccessFlags flags, int world)
{
    Stm32Flash *s = container_of(memory, Stm32Flash, memory);
    const uint32_t page = address & ~(MAP_PAGE - 1);
    const bool busy = s->operation != NOTHING && s->operation_address / BANK == page / BANK;
    const bool direct = world == 2 || (!busy && !is_torn(s, page, MAP_PAGE) && !is_hidden(s, page) &&
                                       is_secure(s, page) == (world == 1));
    return (IOMMUTLBEntry) {
        .target_as = s->core,
        .iova = page,
        .translated_addr = page + (direct ? s->cells_at : s->watched_at),
        .addr_mask = MAP_PAGE - 1,
        .perm = s->core ? IOMMU_RW : IOMMU_NONE, /* the core is being made */
    };
}

/* 0 Non-secure, 1 Secure, 2 not by the guest (an image being loaded, the vectors at reset). */
static int world_of(IOMMUMemoryRegion *memory, MemTxAttrs attrs)
{
    return attrs.unspecified ? 2 : attrs.secure;
}

static int number_of_worlds(IOMMUMemoryRegion *memory)
{
    return 3;
}

/* --- operations --- */

static void update_interrupts(Stm32Flash *s)
{
    for (int world = 0; world < 2; world++) {
        const Interface *i = &s->interface[world];
        qemu_set_irq(s->irq[world], ((i->sr & SR_EOP) && (i->cr & CR_EOPIE)) || ((i->sr & SR_OPERR) && (i->cr & CR_ERRIE)));
    }
}

static void fail(Stm32Flash *s, bool secure, uint32_t error)
{
    Interface *i = &s->interface[secure];
    i->sr |= error;
    i->sr &= ~SR_WDW;
    if (i->cr & CR_ERRIE) {
        i->sr |= SR_OPERR;
    }
    s->gathered = 0;
    update_interrupts(s);
}

static void finish_cells(Stm32Flash *s)
{
    for (uint32_t page = s->operation_address; page < s->operation_address + s->operation_size; page += PAGE) {
        if (s->operation != PROGRAM) {
            mark(s, page, PAGE, ERASED);
        } else {
            mark(s, page, QUAD, PROGRAMMED);
        }
    }
}

static void finish(Stm32Flash *s)
{
    Interface *i = &s->interface[s->operation_secure];
    const uint32_t bank = s->operation_address / BANK * BANK;
    const Operation operation = s->operation;

    timer_del(s->timer);
    if (operation == OPTIONS) {
        memcpy(s->stored_options, s->options, sizeof(s->options));
        store_options(s);
    } else {
        finish_cells(s);
    }
    s->operation = NOTHING;
    i->cr &= ~(CR_STRT | CR_OPTSTRT);
    i->sr &= ~(SR_BSY | SR_WDW);
    if (i->cr & CR_EOPIE) {
        i->sr |= SR_EOP; /* FLASH_NSSR.EOP: "set only if the end of operation interrupts are enabled" */
    }
    map_changed(s, bank, operation == MASS_ERASE ? SIZE : BANK);
    update_interrupts(s);
}

static void on_timer(void *opaque)
{
    finish(opaque);
}

/* Something that needs the flash before the operation is over: it waits as long as silicon would make it wait. */
static void stall(Stm32Flash *s)
{
    const int64_t left = s->operation_end - qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    if (left > 0) {
        g_usleep(left / 1000 + 1);
    }
    s->stalls++;
    finish(s);
}

static void begin(Stm32Flash *s, Operation operation, bool secure, uint32_t address, uint32_t size, int64_t duration)
{
    s->operation = operation;
    s->operation_secure = secure;
    s->operation_address = address;
    s->operation_size = size;
    s->interface[secure].sr = (s->interface[secure].sr & ~SR_WDW) | SR_BSY;
    duration = duration * s->time_percent / 100;
    s->operation_end = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + duration;
    if (duration == 0) {
        finish(s);
        return;
    }
    timer_mod(s->timer, s->operation_end);
    map_changed(s, address / BANK * BANK, operation == MASS_ERASE ? SIZE : BANK);
}

/* A torn quad-word has some of the zeros that were to be programmed; a torn page has lost some of them. */
static void tear_program(uint8_t *cells, const uint8_t *data)
{
    for (int i = 0; i < QUAD; i++) {
        cells[i] &= data[i] | (i % 2 ? 0xa5 : 0x3c);
    }
}

static void tear_erase(uint8_t *cells)
{
    for (int i = 0; i < PAGE; i++) {
        cells[i] |= i < PAGE / 2 ? 0xff : 0x5a;
    }
}

static void program(Stm32Flash *s)
{
    const uint32_t address = s->gather_address;
    uint8_t data[QUAD];

    for (int i = 0; i < 4; i++) {
        stl_le_p(data + i * 4, s->gather[i]);
    }
    s->gathered = 0;
    /* FLASH_NSSR.PROGERR: unless all that is written is zero. */
    if (!is_blank(s, address / QUAD) && (s->gather[0] | s->gather[1] | s->gather[2] | s->gather[3])) {
        fail(s, s->gather_secure, SR_PROGERR);
        return;
    }
    const PowerCut cut = stm32_power_step("quad-word program", MEMORY_BASE + address);
    mark(s, address, QUAD, TORN);
    if (cut == POWER_FAILS_WITHIN) {
        tear_program(&s->cells[address], data);
        store_cells(s, address, QUAD);
        stm32_power_off();
    }
    for (int i = 0; i < QUAD; i++) {
        s->cells[address + i] &= data[i];
    }
    memory_region_flush_rom_device(&s->cells_region, address, QUAD);
    store_cells(s, address, QUAD);
    begin(s, PROGRAM, s->gather_secure, address, QUAD, QUAD_PROGRAM_NS);
}

static void erase_pages(Stm32Flash *s, uint32_t address, uint32_t size)
{
    for (uint32_t page = address; page < address + size; page += PAGE) {
        const PowerCut cut = stm32_power_step("page erase", MEMORY_BASE + page);
        mark(s, page, PAGE, TORN);
        if (cut == POWER_FAILS_WITHIN) {
            tear_erase(&s->cells[page]);
            store_cells(s, page, PAGE);
            stm32_power_off();
        }
        memset(&s->cells[page], 0xff, PAGE);
        store_cells(s, page, PAGE);
    }
    memory_region_flush_rom_device(&s->cells_region, address, size);
}

/* Secure registers work on Secure pages and Non-secure registers on Non-secure ones; FLASH_SECCR.INV turns that round. */
static bool may_change(Stm32Flash *s, bool secure, uint32_t offset)
{
    const bool wanted = secure && !(s->interface[1].cr & CR_INV);
    return is_secure(s, offset) == wanted && !is_write_protected(s, offset) && !is_hidden(s, offset);
}

static void start_erase(Stm32Flash *s, bool secure)
{
    Interface *i = &s->interface[secure];
    const uint32_t what = i->cr & CR_OPERATIONS;
    uint32_t address = 0, size = PAGE;
    Operation operation = PAGE_ERASE;

    if (what == CR_PER) {
        address = (i->cr & CR_BKER ? BANK : 0) + extract32(i->cr, 3, 7) * PAGE;
    } else if (what == CR_MER1 || what == CR_MER2) {
        operation = BANK_ERASE;
        address = what == CR_MER2 ? BANK : 0;
        size = BANK;
    } else if (what == (CR_MER1 | CR_MER2)) {
        operation = MASS_ERASE;
        size = SIZE;
    } else {
        fail(s, secure, SR_PGSERR);
        return;
    }
    if (i->sr & SR_ERRORS) {
        fail(s, secure, SR_PGSERR);
        return;
    }
    for (uint32_t page = address; page < address + size; page += PAGE) {
        if (!may_change(s, secure, page)) {
            fail(s, secure, SR_WRPERR);
            return;
        }
    }
    erase_pages(s, address, size);
    i->cr |= CR_STRT;
    begin(s, operation, secure, address, size, (int64_t)PAGE_ERASE_NS * (size / PAGE));
}

/* FLASH, "Flash main memory programming sequences" and "programming errors": four words, in order, of one quad-word. */
static void memory_write(Stm32Flash *s, uint32_t offset, uint32_t value, unsigned size, bool secure)
{
    Interface *i = &s->interface[secure];

    if (s->operation != NOTHING) {
        stall(s);
    }
    if (is_secure(s, offset) && !secure) {
        qemu_irq_pulse(s->illegal);
    }
    if ((i->cr & CR_OPERATIONS) != CR_PG || (i->sr & SR_ERRORS) || (s->gathered && s->gather_secure != secure)) {
        fail(s, secure, SR_PGSERR);
    } else if (size != 4) {
        fail(s, secure, SR_SIZERR);
    } else if (!may_change(s, secure, offset)) {
        fail(s, secure, SR_WRPERR);
    } else if (s->gathered ? offset != s->gather_address + s->gathered * 4 : offset % QUAD != 0) {
        fail(s, secure, SR_PGAERR);
    } else {
        s->gather_secure = secure;
        s->gather_address = offset / QUAD * QUAD;
        s->gather[s->gathered++] = value;
        i->sr |= SR_WDW;
        if (s->gathered == 4) {
            program(s);
        }
    }
}

/* FLASH, "Error code correction (ECC)": two bits wrong set ECCD and raise NMI; the first address stays until it is cleared. */
static void report_ecc(Stm32Flash *s, uint32_t offset)
{
    if (s->eccr & ECCR_ECCD) {
        return;
    }
    s->eccr = (s->eccr & (ECCR_ECCIE | ECCR_ECCC)) | ECCR_ECCD | (offset >= BANK ? ECCR_BANK : 0) |
              (offset % BANK / QUAD * QUAD & ECCR_ADDRESS);
    qemu_irq_raise(s->nmi);
}

static MemTxResult watched_read(void *opaque, hwaddr offset, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    Stm32Flash *s = opaque;

    if (s->operation != NOTHING && s->operation_address / BANK == offset / BANK) {
        stall(s);
    }
    *data = 0;
    if (is_secure(s, offset) != attrs.secure || is_hidden(s, offset)) {
        qemu_irq_pulse(s->illegal);
        return stm32_is_fetch() ? MEMTX_ERROR : MEMTX_OK; /* FLASH, "Flash memory security": data reads as zero */
    }
    if (s->marks[offset / QUAD] == TORN) {
        report_ecc(s, offset);
    }
    *data = ldn_le_p(&s->cells[offset], size);
    return MEMTX_OK;
}

static MemTxResult cells_write(void *opaque, hwaddr offset, uint64_t data, unsigned size, MemTxAttrs attrs)
{
    memory_write(opaque, offset, data, size, attrs.secure);
    return MEMTX_OK;
}

static const MemoryRegionOps memory_ops = {
    .read_with_attrs = watched_read,
    .write_with_attrs = cells_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 1,
    .valid.max_access_size = 8,
    .impl.min_access_size = 1,
    .impl.max_access_size = 4,
};

/* --- registers --- */

/* FLASH, "Flash memory unlocking": two keys; a wrong one locks until the next reset, and the write faults. */
static bool unlock(bool *first_key, bool *locked_out, uint32_t *cr, uint32_t lock, const uint32_t keys[2], uint32_t value)
{
    if (*locked_out || !(*cr & lock)) {
        return true;
    }
    if (value != keys[*first_key]) {
        *locked_out = true;
        stm32_complain("FLASH: a wrong key, 0x%08x: locked until the next reset", value);
        return true;
    }
    if (*first_key) {
        *cr &= ~lock;
    }
    *first_key = !*first_key;
    return true;
}

static void launch_options(Stm32Flash *s)
{
    memcpy(s->loaded_options, s->stored_options, sizeof(s->loaded_options));
    memcpy(s->options, s->stored_options, sizeof(s->options));
    map_changed(s, 0, SIZE);
}

static bool write_control(Stm32Flash *s, bool secure, uint32_t value)
{
    Interface *i = &s->interface[secure];
    const uint32_t keep = secure ? CR_COMMON | CR_INV : CR_COMMON;

    if (s->operation != NOTHING) {
        stall(s);
    }
    if (i->cr & CR_LOCK) {
        return true;
    }
    if (value & CR_BWR) {
        return false; /* burst write */
    }
    i->cr = (i->cr & ~(keep | CR_LOCK)) | (value & (keep | CR_LOCK));
    if (!secure && (value & CR_OPTLOCK)) {
        i->cr |= CR_OPTLOCK;
    }
    if (value & CR_STRT) {
        start_erase(s, secure);
    }
    if (!secure && !(i->cr & CR_OPTLOCK)) {
        if (value & CR_OPTSTRT) {
            if (stm32_power_step("option bytes program", s->parent_obj.base + OPTR) == POWER_FAILS_WITHIN) {
                stm32_power_off(); /* option bytes are written as a whole or, FLASH "Option bytes loading", found mismatched */
            }
            begin(s, OPTIONS, secure, 0, 0, PAGE_ERASE_NS + QUAD_PROGRAM_NS * OPTION_WORDS / 4);
        }
        if (value & CR_OBL_LAUNCH) {
            if (s->operation != NOTHING) {
                stall(s);
            }
            launch_options(s);
            qemu_irq_pulse(s->launch);
        }
    }
    update_interrupts(s);
    return true;
}

static void write_status(Stm32Flash *s, bool secure, uint32_t value)
{
    s->interface[secure].sr &= ~(value & (SR_EOP | SR_OPERR | SR_ERRORS));
    update_interrupts(s);
}

/* FLASH, "Option bytes programming": what only Secure code may change. Read protection above level 0 is not modelled. */
static bool write_option(Stm32Flash *s, uint32_t offset, Access access, uint32_t value)
{
    uint32_t *word = &s->options[(offset - OPTR) / 4];
    const bool secure_only = offset >= SECBOOTADD0R && offset <= SECWM2R1 + 4 && offset != WRP1AR && offset != WRP1AR + 4;

    if ((s->interface[0].cr & CR_OPTLOCK) || (secure_only && !access.secure)) {
        return true;
    }
    if (offset == OPTR && ((value ^ *word) & (0xff | OPTR_SWAP_BANK | OPTR_TZEN))) {
        return false;
    }
    if (offset == SECBOOTADD0R && (option(s, SECBOOTADD0R) & 1)) {
        return true; /* BOOT_LOCK */
    }
    if ((offset == WRP1AR || offset == WRP1AR + 4 || offset == WRP1AR + BANK_OPTIONS || offset == WRP1AR + 4 + BANK_OPTIONS) &&
        !(*word & WRP_UNLOCK)) {
        return true; /* UNLOCK = 0: only a regression of the read protection changes it */
    }
    *word = value;
    return true;
}

static bool flash_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Flash *s = STM32_FLASH(p);

    switch (offset) {
    case ACR:
        *value = s->acr;
        return true;
    case NSKEYR:
    case SECKEYR:
    case OPTKEYR:
        return true;
    case NSSR:
    case NSCR:
        *value = offset == NSSR ? s->interface[0].sr : s->interface[0].cr;
        return true;
    case SECSR:
    case SECCR:
        *value = !access.secure ? 0 : offset == SECSR ? s->interface[1].sr : s->interface[1].cr;
        return true;
    case ECCR:
        *value = s->eccr;
        return true;
    case OPSR:
        *value = s->opsr;
        return true;
    case OPTR ... OEM2KEYR2:
        *value = offset < WRP1AR + 8 + BANK_OPTIONS ? s->options[(offset - OPTR) / 4] : 0;
        return true;
    case SECBB1R1 ... SECBB1R1 + 4 * BLOCK_WORDS - 1:
        *value = s->secure_blocks[0][(offset - SECBB1R1) / 4];
        return true;
    case SECBB2R1 ... SECBB2R1 + 4 * BLOCK_WORDS - 1:
        *value = s->secure_blocks[1][(offset - SECBB2R1) / 4];
        return true;
    case SECHDPCR:
        *value = s->sechdpcr;
        return true;
    case PRIVCFGR:
        *value = s->privcfgr;
        return true;
    case PRIVBB1R1 ... PRIVBB1R1 + 4 * BLOCK_WORDS - 1:
        *value = s->privileged_blocks[0][(offset - PRIVBB1R1) / 4];
        return true;
    case PRIVBB2R1 ... PRIVBB2R1 + 4 * BLOCK_WORDS - 1:
        *value = s->privileged_blocks[1][(offset - PRIVBB2R1) / 4];
        return true;
    default:
        return false;
    }
}

static bool flash_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    static const uint32_t keys[2] = { 0x45670123, 0xcdef89ab }, option_keys[2] = { 0x08192a3b, 0x4c5d6e7f };
    Stm32Flash *s = STM32_FLASH(p);
    Interface *i = &s->interface[offset == SECKEYR];

    switch (offset) {
    case ACR:
        if (value & ~ACR_WRITABLE || value & 0x7000) {
            return false; /* power-down of a bank */
        }
        s->acr = value;
        return true;
    case SECKEYR:
        if (!access.secure) {
            return true;
        }
        /* fall through */
    case NSKEYR:
        return unlock(&i->first_key, &i->locked_out, &i->cr, CR_LOCK, keys, value);
    case OPTKEYR:
        if (s->interface[0].cr & CR_LOCK) {
            return true; /* FLASH, "Option bytes unlock": FLASH_NSCR first */
        }
        return unlock(&s->option_first_key, &s->options_locked_out, &s->interface[0].cr, CR_OPTLOCK, option_keys, value);
    case NSSR:
        write_status(s, false, value);
        return true;
    case NSCR:
        return write_control(s, false, value);
    case SECSR:
        if (access.secure) {
            write_status(s, true, value);
        }
        return true;
    case SECCR:
        return !access.secure || write_control(s, true, value);
    case ECCR:
        if (value & ECCR_ECCIE) {
            return false; /* no single errors here */
        }
        s->eccr &= ~(value & (ECCR_ECCC | ECCR_ECCD));
        if (!(s->eccr & ECCR_ECCD)) {
            s->eccr = 0;
            qemu_irq_lower(s->nmi);
        }
        return true;
    case OPSR:
        return true;
    case OPTR ... OEM2KEYR2 - 16:
        return write_option(s, offset, access, value);
    case SECBB1R1 ... SECBB1R1 + 4 * BLOCK_WORDS - 1:
    case SECBB2R1 ... SECBB2R1 + 4 * BLOCK_WORDS - 1:
        if (access.secure) {
            const unsigned bank = offset >= SECBB2R1;
            s->secure_blocks[bank][(offset - SECBB1R1) % 0x20 / 4] = value;
            map_changed(s, bank * BANK, BANK);
        }
        return true;
    case SECHDPCR:
        if (access.secure) {
            s->sechdpcr |= value & 3; /* until the next reset */
            map_changed(s, 0, SIZE);
        }
        return true;
    case PRIVCFGR:
        s->privcfgr = value & 3;
        return true;
    case PRIVBB1R1 ... PRIVBB1R1 + 4 * BLOCK_WORDS - 1:
        s->privileged_blocks[0][(offset - PRIVBB1R1) / 4] = value;
        return true;
    case PRIVBB2R1 ... PRIVBB2R1 + 4 * BLOCK_WORDS - 1:
        s->privileged_blocks[1][(offset - PRIVBB2R1) / 4] = value;
        return true;
    default:
        return false;
    }
}

/* --- the device --- */

MemoryRegion *stm32_flash_memory(Stm32Flash *s)
{
    return MEMORY_REGION(&s->memory);
}

void stm32_flash_connect(Stm32Flash *s, MemoryRegion *container, AddressSpace *core, uint64_t free_address)
{
    s->core = core;
    s->cells_at = free_address;
    s->watched_at = free_address + SIZE;
    memory_region_add_subregion(container, s->cells_at, &s->cells_region);
    memory_region_add_subregion(container, s->watched_at, &s->watched);
}

uint32_t stm32_flash_boot_address(Stm32Flash *s)
{
    return option(s, SECBOOTADD0R) & ~0x7fu; /* FLASH_SECBOOTADD0R, bits 31 to 7 */
}

unsigned stm32_flash_wait_states(Stm32Flash *s)
{
    return s->acr & 0xf;
}

/* An operation that a reset finds running is not finished: FLASH_OPSR says which. */
static void flash_reset(DeviceState *dev)
{
    Stm32Flash *s = STM32_FLASH(dev);

    s->opsr = 0;
    if (s->operation != NOTHING) {
        s->opsr = (uint32_t)s->operation << 29 | (s->operation_address >= BANK ? ECCR_BANK : 0) |
                  (s->operation_address % BANK & ECCR_ADDRESS);
        s->operation = NOTHING;
        timer_del(s->timer);
    }
    s->interface[0] = (Interface) { .cr = CR_LOCK | CR_OPTLOCK };
    s->interface[1] = (Interface) { .cr = CR_LOCK };
    s->acr = s->eccr = s->sechdpcr = s->privcfgr = s->gathered = 0;
    s->option_first_key = s->options_locked_out = false;
    memset(s->secure_blocks, 0, sizeof(s->secure_blocks));
    memset(s->privileged_blocks, 0, sizeof(s->privileged_blocks));
    memcpy(s->options, s->loaded_options, sizeof(s->options));
    map_changed(s, 0, SIZE);
}

static void flash_realize(DeviceState *dev, Error **errp)
{
    Stm32Flash *s = STM32_FLASH(dev);

    memory_region_init_rom_device(&s->cells_region, OBJECT(s), &memory_ops, s, "flash", SIZE, errp);
    if (*errp) {
        return;
    }
    s->cells = memory_region_get_ram_ptr(&s->cells_region);
    memory_region_init_io(&s->watched, OBJECT(s), &memory_ops, s, "flash.watched", SIZE);
    memory_region_init_iommu(&s->memory, sizeof(s->memory), "stm32u585-flash-memory", OBJECT(s), "flash.memory", SIZE);
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_timer, s);
    if (!read_file(s, errp)) {
        return;
    }
    memcpy(s->loaded_options, s->stored_options, sizeof(s->loaded_options));
    if (!(option(s, OPTR) & OPTR_TZEN) || (option(s, OPTR) & 0xff) != 0xaa || (option(s, OPTR) & OPTR_SWAP_BANK)) {
        error_setg(errp, "flash: option bytes OPTR 0x%08x: only TZEN = 1, RDP level 0 and SWAP_BANK = 0 are modelled",
                   option(s, OPTR));
    }
}

static void flash_init(Object *object)
{
    Stm32Flash *s = STM32_FLASH(object);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq[0]);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq[1]);
    qdev_init_gpio_out_named(DEVICE(s), &s->nmi, STM32_FLASH_NMI, 1);
    qdev_init_gpio_out_named(DEVICE(s), &s->illegal, STM32_FLASH_ILLEGAL, 1);
    qdev_init_gpio_out_named(DEVICE(s), &s->launch, STM32_FLASH_LAUNCH, 1);
}

static Property flash_properties[] = {
    DEFINE_PROP_STRING("file", Stm32Flash, path),
    DEFINE_PROP_UINT32("time-percent", Stm32Flash, time_percent, 100),
    DEFINE_PROP_END_OF_LIST(),
};

static void flash_class_init(ObjectClass *class, void *data)
{
    DeviceClass *device = DEVICE_CLASS(class);
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    device->realize = flash_realize;
    device->reset = flash_reset;
    device_class_set_props(device, flash_properties);
    peripheral->read = flash_read;
    peripheral->write = flash_write;
}

static void memory_class_init(ObjectClass *class, void *data)
{
    IOMMUMemoryRegionClass *memory = IOMMU_MEMORY_REGION_CLASS(class);
    memory->translate = translate;
    memory->attrs_to_index = world_of;
    memory->num_indexes = number_of_worlds;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_FLASH,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Flash),
        .instance_init = flash_init,
        .class_init = flash_class_init,
    },
    { .name = "stm32u585-flash-memory", .parent = TYPE_IOMMU_MEMORY_REGION, .class_init = memory_class_init },
};

DEFINE_TYPES(types)
