/*
 * Global TrustZone controller: RM0456, chapter "Global TrustZone controller (GTZC)". One device has what lies together:
 * TZSC (which peripherals are Secure), TZIC (illegal accesses), MPCBB (which 512-byte blocks of an SRAM are Secure).
 *
 * An access that is not allowed reads zero or is ignored and sets its flag in TZIC; an instruction fetch gets a bus error.
 * RAM whose 1 KiB pages are of one kind is accessed directly. Watermarks of external memory (MPCWM) are registers only, and
 * privilege is not enforced.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "gtzc.h"
#include "hw/core/cpu.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qemu/units.h"

enum {
    /* TZSC */
    TZSC_CR = 0x000, SECCFGR1 = 0x010, SECCFGR3 = 0x018, PRIVCFGR1 = 0x020, PRIVCFGR3 = 0x028, MPCWM_FIRST = 0x040,
    MPCWM_LAST = 0x08c, TZSC_WORDS = MPCWM_LAST / 4 + 1,
    /* TZIC */
    TZIC = 0x400, IER1 = 0x400, SR1 = 0x410, FCR1 = 0x420, TZIC_END = 0x430, FLAG_WORDS = 4,
    /* MPCBB1 to 3 */
    MPCBB = 0x800, MPCBB_SIZE = 0x400, MPCBB_COUNT = 3,
    MPCBB_CR = 0x000, CFGLOCKR1 = 0x010, BLOCK_SECCFGR = 0x100, BLOCK_PRIVCFGR = 0x200, SUPER_BLOCKS = 32,
    GLOCK = 1 << 0, INVSECSTATE = 1 << 30,
    BLOCK = 512, SUPER_BLOCK = 32 * BLOCK,
    MAP_PAGE = 1 * KiB, /* what QEMU maps at least */
    SECURE_ALIAS = 0x10000000,
};
#define SRWILADIS (1u << 31)

typedef struct Sram {
    Stm32Gtzc *controller;
    unsigned flag;
    uint32_t size;
    uint32_t cr, lock, secure[SUPER_BLOCKS], privileged[SUPER_BLOCKS];

    IOMMUMemoryRegion memory;
    MemoryRegion cells, watched, secure_alias;
    AddressSpace *core;
    uint64_t cells_at, watched_at;
    uint8_t *bytes;
} Sram;

struct Stm32Gtzc {
    Stm32Peripheral parent_obj;
    uint32_t tzsc[TZSC_WORDS], enabled[FLAG_WORDS], flags[FLAG_WORDS];
    Sram sram[MPCBB_COUNT];
    qemu_irq irq;
};

/* --- illegal accesses --- */

static void update_interrupt(Stm32Gtzc *s)
{
    bool level = false;
    for (int i = 0; i < FLAG_WORDS; i++) {
        level |= (s->flags[i] & s->enabled[i]) != 0;
    }
    qemu_set_irq(s->irq, level);
}

static void note_illegal(Stm32Gtzc *s, unsigned bit)
{
    s->flags[bit / 32 - 1] |= 1u << bit % 32;
    update_interrupt(s);
}

static void on_illegal(void *opaque, int bit, int level)
{
    if (level) {
        note_illegal(opaque, bit);
    }
}

/* TZSC: what is Secure is so for Secure accesses only; what is not is for both. */
static Permission gate(void *opaque, Stm32Peripheral *p, Access access)
{
    Stm32Gtzc *s = opaque;
    const uint32_t word = s->tzsc[SECCFGR1 / 4 + p->gate_number / 32 - 1];
    if (access.secure || !(word >> p->gate_number % 32 & 1)) {
        return PERMITTED;
    }
    note_illegal(s, p->gate_number);
    return READS_ZERO;
}

void stm32_gtzc_guard(Stm32Gtzc *s, Stm32Peripheral *p, unsigned bit)
{
    p->gate = gate;
    p->gate_controller = s;
    p->gate_number = bit;
}

/* --- SRAM --- */

static bool is_secure(const Sram *r, uint32_t offset)
{
    return r->secure[offset / SUPER_BLOCK] >> offset % SUPER_BLOCK / BLOCK & 1;
}

/* GTZC_MPCBBz_CR.SRWILADIS: whether Secure code may read and write Non-secure blocks. */
static bool permits(const Sram *r, uint32_t offset, bool secure)
{
    return is_secure(r, offset) == secure || (secure && (r->cr & SRWILADIS));
}

static IOMMUTLBEntry translate(IOMMUMemoryRegion *memory, hwaddr address, IOMMUAccessFlags flags, int world)
{
    Sram *r = container_of(memory, Sram, memory);
    const uint32_t page = address & ~(MAP_PAGE - 1);
    const bool direct = world == 2 || (permits(r, page, world) && permits(r, page + BLOCK, world));
    return (IOMMUTLBEntry) {
        .target_as = r->core,
        .iova = page,
        .translated_addr = page + (direct ? r->cells_at : r->watched_at),
        .addr_mask = MAP_PAGE - 1,
        .perm = IOMMU_RW,
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

static void map_changed(Sram *r, uint32_t offset, uint32_t size)
{
    for (int world = 0; r->size && world < 2; world++) {
        IOMMUTLBEvent event = {
            .type = IOMMU_NOTIFIER_UNMAP,
            .entry = { .target_as = r->core, .iova = offset, .translated_addr = offset, .addr_mask = size - 1 },
        };
        memory_region_notify_iommu(&r->memory, world, event);
    }
}

static MemTxResult refuse(Sram *r)
{
    note_illegal(r->controller, r->flag);
    return stm32_is_fetch() ? MEMTX_ERROR : MEMTX_OK;
}

static MemTxResult watched_read(void *opaque, hwaddr offset, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    Sram *r = opaque;
    *data = 0;
    if (!permits(r, offset, attrs.secure)) {
        return refuse(r);
    }
    *data = ldn_le_p(r->bytes + offset, size);
    return MEMTX_OK;
}

static MemTxResult watched_write(void *opaque, hwaddr offset, uint64_t data, unsigned size, MemTxAttrs attrs)
{
    Sram *r = opaque;
    if (!permits(r, offset, attrs.secure)) {
        return refuse(r);
    }
    return address_space_write(r->core, r->cells_at + offset, attrs, &data, size);
}

static const MemoryRegionOps watched_ops = {
    .read_with_attrs = watched_read,
    .write_with_attrs = watched_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 1,
    .valid.max_access_size = 8,
    .impl.min_access_size = 1,
    .impl.max_access_size = 8,
};

void stm32_gtzc_add_sram(Stm32Gtzc *s, unsigned index, const char *name, uint32_t base, uint32_t size, unsigned flag,
                         MemoryRegion *container, AddressSpace *core, uint64_t free_address)
{
    Sram *r = &s->sram[index];
    g_autofree char *alias_name = g_strdup_printf("%s.secure", name), *watched_name = g_strdup_printf("%s.watched", name),
                    *cells_name = g_strdup_printf("%s.cells", name);

    r->controller = s;
    r->flag = flag;
    r->size = size;
    r->core = core;
    r->cells_at = free_address;
    r->watched_at = free_address + size;
    memory_region_init_ram(&r->cells, OBJECT(s), cells_name, size, &error_fatal);
    r->bytes = memory_region_get_ram_ptr(&r->cells);
    memory_region_init_io(&r->watched, NULL, &watched_ops, r, watched_name, size);
    memory_region_add_subregion(container, r->cells_at, &r->cells);
    memory_region_add_subregion(container, r->watched_at, &r->watched);
    memory_region_init_iommu(&r->memory, sizeof(r->memory), "stm32u585-sram-memory", OBJECT(s), name, size);
    memory_region_init_alias(&r->secure_alias, OBJECT(s), alias_name, MEMORY_REGION(&r->memory), 0, size);
    memory_region_add_subregion(get_system_memory(), base, MEMORY_REGION(&r->memory));
    memory_region_add_subregion(get_system_memory(), base + SECURE_ALIAS, &r->secure_alias);
}

/* --- registers --- */

static Sram *sram_at(Stm32Gtzc *s, uint32_t offset)
{
    const unsigned index = (offset - MPCBB) / MPCBB_SIZE;
    return offset >= MPCBB && index < MPCBB_COUNT && s->sram[index].size ? &s->sram[index] : NULL;
}

static uint32_t *block_register(Sram *r, uint32_t offset)
{
    offset %= MPCBB_SIZE;
    if (offset == MPCBB_CR) {
        return &r->cr;
    }
    if (offset == CFGLOCKR1) {
        return &r->lock;
    }
    if (offset >= BLOCK_SECCFGR && offset < BLOCK_SECCFGR + 4 * SUPER_BLOCKS) {
        return &r->secure[(offset - BLOCK_SECCFGR) / 4];
    }
    if (offset >= BLOCK_PRIVCFGR && offset < BLOCK_PRIVCFGR + 4 * SUPER_BLOCKS) {
        return &r->privileged[(offset - BLOCK_PRIVCFGR) / 4];
    }
    return NULL;
}

static bool gtzc_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Gtzc *s = STM32_GTZC(p);
    Sram *r = sram_at(s, offset);

    if (r) {
        const uint32_t *word = block_register(r, offset);
        *value = word ? *word : 0;
        return word;
    }
    switch (offset) {
    case TZSC_CR:
    case SECCFGR1 ... SECCFGR3:
    case PRIVCFGR1 ... PRIVCFGR3:
    case MPCWM_FIRST ... MPCWM_LAST:
        *value = s->tzsc[offset / 4];
        return true;
    case IER1 ... TZIC_END - 4: /* for Secure code only */
        if (access.secure) {
            *value = offset < SR1 ? s->enabled[(offset - IER1) / 4] : offset < FCR1 ? s->flags[(offset - SR1) / 4] : 0;
        }
        return true;
    default:
        return false;
    }
}

static bool write_blocks(Sram *r, uint32_t offset, uint32_t value)
{
    uint32_t *word = block_register(r, offset);

    if (!word || (word == &r->cr && (value & INVSECSTATE))) {
        return false;
    }
    if (word == &r->cr) {
        if (!(r->cr & GLOCK)) {
            r->cr = value & (GLOCK | SRWILADIS);
        }
        map_changed(r, 0, pow2ceil(r->size));
    } else if (word == &r->lock) {
        r->lock |= value; /* until the next reset */
    } else {
        const unsigned super_block = (offset % 0x80) / 4;
        if (!(r->lock >> super_block & 1) && super_block < r->size / SUPER_BLOCK) {
            *word = value;
            map_changed(r, super_block * SUPER_BLOCK, SUPER_BLOCK);
        }
    }
    return true;
}

static bool write_flags(Stm32Gtzc *s, uint32_t offset, uint32_t value)
{
    if (offset < SR1) {
        s->enabled[(offset - IER1) / 4] = value;
    } else if (offset >= FCR1) {
        s->flags[(offset - FCR1) / 4] &= ~value;
    }
    update_interrupt(s);
    return true;
}

static bool gtzc_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Gtzc *s = STM32_GTZC(p);
    Sram *r = sram_at(s, offset);

    if (!access.secure) {
        return true; /* PRIVCFGR of what is Non-secure could be written; privilege is not modelled */
    }
    if (r) {
        return write_blocks(r, offset, value);
    }
    switch (offset) {
    case TZSC_CR:
    case SECCFGR1 ... SECCFGR3:
    case PRIVCFGR1 ... PRIVCFGR3:
    case MPCWM_FIRST ... MPCWM_LAST:
        if (!(s->tzsc[TZSC_CR] & 1)) {
            s->tzsc[offset / 4] = value;
        }
        return true;
    case IER1 ... TZIC_END - 4:
        return write_flags(s, offset, value);
    default:
        return false;
    }
}

/* After a reset with TZEN = 1 all peripherals are Non-secure and all SRAM is Secure. */
static void gtzc_reset(DeviceState *dev)
{
    Stm32Gtzc *s = STM32_GTZC(dev);
    memset(s->tzsc, 0, sizeof(s->tzsc));
    memset(s->enabled, 0, sizeof(s->enabled));
    memset(s->flags, 0, sizeof(s->flags));
    for (int i = 0; i < MPCBB_COUNT; i++) {
        Sram *r = &s->sram[i];
        r->cr = r->lock = 0;
        for (unsigned n = 0; n < SUPER_BLOCKS; n++) {
            r->secure[n] = r->privileged[n] = n < r->size / SUPER_BLOCK ? UINT32_MAX : 0;
        }
        map_changed(r, 0, pow2ceil(r->size));
    }
    update_interrupt(s);
}

static void gtzc_init(Object *object)
{
    Stm32Gtzc *s = STM32_GTZC(object);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
    qdev_init_gpio_in_named(DEVICE(s), on_illegal, STM32_GTZC_ILLEGAL, 32 * (FLAG_WORDS + 1));
}

static void gtzc_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = gtzc_reset;
    peripheral->read = gtzc_read;
    peripheral->write = gtzc_write;
    peripheral->size = MPCBB + MPCBB_COUNT * MPCBB_SIZE;
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
        .name = TYPE_STM32_GTZC,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Gtzc),
        .instance_init = gtzc_init,
        .class_init = gtzc_class_init,
    },
    { .name = "stm32u585-sram-memory", .parent = TYPE_IOMMU_MEMORY_REGION, .class_init = memory_class_init },
};

DEFINE_TYPES(types)
