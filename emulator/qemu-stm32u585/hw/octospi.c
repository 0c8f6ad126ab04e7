/*
 * OCTOSPI, RM0456 chapter 28: indirect, auto-polling and memory-mapped mode, with one NOR behind it. Without a NOR every read
 * gets ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "nor.h"
#include "octospi.h"
#include "qemu/timer.h"
#include "qemu/units.h"

/* 28.7, registers. */
enum {
    CR = 0x000,
    DCR1 = 0x008,
    DCR2 = 0x00c,
    DCR3 = 0x010,
    DCR4 = 0x014,
    SR = 0x020,
    FCR = 0x024,
    DLR = 0x040,
    AR = 0x048,
    DR = 0x050,
    PSMKR = 0x080,
    PSMAR = 0x088,
    PIR = 0x090,
    CCR = 0x100,
    TCR = 0x108,
    IR = 0x110,
    ABR = 0x120,
    LPTR = 0x130,

    CR_EN = 1 << 0,
    CR_ABORT = 1 << 1,
    CR_POLL_STOPS = 1 << 22, /* APMS */
    CR_POLL_OR = 1 << 23,    /* PMM */

    SR_TRANSFER_ERROR = 1 << 0,
    SR_COMPLETE = 1 << 1,
    SR_FIFO = 1 << 2,
    SR_MATCH = 1 << 3,
    SR_BUSY = 1 << 5,

    FIFO = 32,
    LONGEST_WRITE = 4096,
};

enum { INDIRECT_WRITE, INDIRECT_READ, POLLING, MEMORY_MAPPED };

struct Stm32Octospi {
    Stm32Peripheral parent_obj;
    Nor *nor;
    MemoryRegion window;
    qemu_irq irq;
    uint32_t registers[(LPTR + 4) / 4];
    uint32_t status; /* the flags that stay */
    uint32_t done, total;
    bool transferring;
    bool ahead; /* memory-mapped mode reads ahead, from the first access to the abort */
    uint8_t data[LONGEST_WRITE];
    QEMUTimer *poll;
};

static uint32_t *reg(Stm32Octospi *s, uint32_t offset)
{
    return &s->registers[offset / 4];
}

static unsigned mode(Stm32Octospi *s)
{
    return extract32(*reg(s, CR), 28, 2);
}

static bool has_address(Stm32Octospi *s)
{
    return extract32(*reg(s, CCR), 8, 3) != 0;
}

static bool has_data(Stm32Octospi *s)
{
    return extract32(*reg(s, CCR), 24, 3) != 0;
}

static NorCommand command(Stm32Octospi *s, uint32_t address)
{
    const uint32_t ccr = *reg(s, CCR);
    const unsigned address_mode = extract32(ccr, 8, 3), data_mode = extract32(ccr, 24, 3);
    const uint32_t double_rate = 1 << 3 | 1 << 11 | 1 << 27; /* IDTR, ADDTR, DDTR */
    return (NorCommand) {
        .instruction = *reg(s, IR),
        .address_bytes = address_mode ? extract32(ccr, 12, 2) + 1 : 0,
        .address = address,
        .dummy_cycles = extract32(*reg(s, TCR), 0, 5),
        .one_line = extract32(ccr, 0, 3) == 1 && address_mode <= 1 && data_mode <= 1 && !extract32(ccr, 4, 2) &&
                    !(ccr & double_rate),
    };
}

static uint8_t read_byte(Stm32Octospi *s, const NorCommand *c, uint32_t at)
{
    return s->nor ? stm32_nor_read(s->nor, c, at) : 0xff;
}

static uint32_t level(Stm32Octospi *s)
{
    if (!s->transferring) {
        return 0;
    }
    return mode(s) == INDIRECT_READ ? MIN(s->total - s->done, FIFO) : 0;
}

/* 28.7.6: FTF is room for a write, data (or the rest of it) for a read. */
static uint32_t status_now(Stm32Octospi *s)
{
    const uint32_t threshold = extract32(*reg(s, CR), 8, 5) + 1, filled = level(s);
    uint32_t status = s->status | filled << 8;
    if (mode(s) == INDIRECT_READ ? filled >= threshold || (filled > 0 && filled == s->total - s->done)
                                 : mode(s) == INDIRECT_WRITE) {
        status |= SR_FIFO;
    }
    if (mode(s) == INDIRECT_READ && s->transferring && s->total - s->done <= FIFO) {
        status |= SR_COMPLETE;
    }
    return status | (s->transferring || s->ahead ? SR_BUSY : 0);
}

static void update_irq(Stm32Octospi *s)
{
    const uint32_t enabled = extract32(*reg(s, CR), 16, 5);
    qemu_set_irq(s->irq, (status_now(s) & enabled) != 0);
}

static void complete(Stm32Octospi *s)
{
    s->transferring = false;
    s->status |= SR_COMPLETE;
}

static void finish_write(Stm32Octospi *s)
{
    const NorCommand c = command(s, *reg(s, AR));
    if (s->nor) {
        stm32_nor_write(s->nor, &c, s->data, s->done);
    }
    complete(s);
}

/* 28.4.9: the status byte (or bytes) is read until it matches, every PIR clock cycles. */
static void poll_once(void *opaque)
{
    Stm32Octospi *s = opaque;
    const NorCommand c = command(s, *reg(s, AR));
    const uint32_t mask = *reg(s, PSMKR);
    uint32_t value = 0;

    for (uint32_t at = 0; at <= MIN(*reg(s, DLR), 3); at++) {
        value |= (uint32_t)read_byte(s, &c, at) << at * 8;
    }
    const uint32_t same = ~(value ^ *reg(s, PSMAR)) & mask;
    if (*reg(s, CR) & CR_POLL_OR ? same != 0 : same == mask) {
        s->status |= SR_MATCH;
        if (*reg(s, CR) & CR_POLL_STOPS) {
            s->transferring = false;
            update_irq(s);
            return;
        }
    }
    update_irq(s);
    timer_mod(s->poll, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + SCALE_US);
}

/* The last register that a command needs has been written. */
static void start(Stm32Octospi *s)
{
    if (!(*reg(s, CR) & CR_EN) || s->transferring) {
        return;
    }
    s->done = 0;
    s->total = has_data(s) ? *reg(s, DLR) + 1 : 0;
    switch (mode(s)) {
    case INDIRECT_WRITE:
        if (s->total > LONGEST_WRITE) {
            stm32_complain("%s: a write of %u bytes is longer than the model has room for", s->parent_obj.name, s->total);
            s->status |= SR_TRANSFER_ERROR;
        } else if (s->total > 0) {
            s->transferring = true;
        } else {
            finish_write(s);
        }
        break;
    case INDIRECT_READ:
        s->transferring = true;
        if (s->total == 0) {
            finish_write(s);
        }
        break;
    case POLLING:
        s->transferring = true;
        poll_once(s);
        break;
    case MEMORY_MAPPED:
        break;
    }
}

static uint32_t read_data(Stm32Octospi *s, unsigned size)
{
    uint32_t value = 0;
    if (mode(s) != INDIRECT_READ || !s->transferring) {
        return 0;
    }
    const NorCommand c = command(s, *reg(s, AR));
    for (unsigned at = 0; at < size && s->done < s->total; at++) {
        value |= (uint32_t)read_byte(s, &c, s->done++) << at * 8;
    }
    if (s->done == s->total) {
        complete(s);
    }
    return value;
}

static void write_data(Stm32Octospi *s, uint32_t value, unsigned size)
{
    if (mode(s) != INDIRECT_WRITE || !s->transferring) {
        stm32_complain("%s: data is written, but no command that wants it", s->parent_obj.name);
        return;
    }
    for (unsigned at = 0; at < size && s->done < s->total; at++) {
        s->data[s->done++] = value >> at * 8;
    }
    if (s->done == s->total) {
        finish_write(s);
    }
}

static bool octospi_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Octospi *s = STM32_OCTOSPI(p);
    if (offset >= DR && offset < DR + 4) {
        *value = read_data(s, access.size);
        update_irq(s);
        return true;
    }
    if (offset > LPTR) {
        return false;
    }
    *value = (offset & ~3) == SR ? status_now(s) : *reg(s, offset);
    *value >>= offset % 4 * 8;
    return true;
}

static bool octospi_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Octospi *s = STM32_OCTOSPI(p);
    if (offset >= DR && offset < DR + 4) {
        write_data(s, value, access.size);
        update_irq(s);
        return true;
    }
    if (offset > LPTR || access.size != 4) {
        return false;
    }
    if ((s->transferring || s->ahead) && offset != CR && offset != FCR) {
        stm32_complain("%s: register 0x%03x is written while a command runs", p->name, offset);
    }
    switch (offset) {
    case SR:
        break;
    case FCR:
        s->status &= ~(value & (SR_TRANSFER_ERROR | SR_COMPLETE | SR_MATCH | 1 << 4));
        break;
    case CR:
        if (s->ahead && !(value & CR_ABORT) && extract32(value, 28, 2) != MEMORY_MAPPED) {
            stm32_complain("%s: memory-mapped mode is left without an abort", p->name);
        }
        *reg(s, CR) = value & ~CR_ABORT;
        if (value & CR_ABORT || !(value & CR_EN)) {
            timer_del(s->poll);
            s->transferring = s->ahead = false;
        }
        break;
    default:
        *reg(s, offset) = value;
        break;
    }
    /* 28.4.17: what starts a command. */
    if ((offset == IR && !has_address(s)) || (offset == AR && has_address(s))) {
        start(s);
    }
    update_irq(s);
    return true;
}

static MemTxResult window_read(void *opaque, hwaddr address, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    Stm32Octospi *s = opaque;
    const NorCommand c = command(s, address);

    *data = 0;
    if (!(*reg(s, CR) & CR_EN) || mode(s) != MEMORY_MAPPED) {
        stm32_complain("%s: its memory is read, but it is not in memory-mapped mode", s->parent_obj.name);
        return MEMTX_ERROR;
    }
    s->ahead = true;
    for (unsigned at = 0; at < size; at++) {
        *data |= (uint64_t)read_byte(s, &c, at) << at * 8;
    }
    return MEMTX_OK;
}

static MemTxResult window_write(void *opaque, hwaddr address, uint64_t data, unsigned size, MemTxAttrs attrs)
{
    return stm32_not_modelled("writes to memory-mapped OCTOSPI", address, true, size);
}

static const MemoryRegionOps window_ops = {
    .read_with_attrs = window_read,
    .write_with_attrs = window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 1,
    .valid.max_access_size = 4,
    .impl.min_access_size = 1,
    .impl.max_access_size = 4,
};

void stm32_octospi_map(Stm32Octospi *s, const char *name, uint32_t base, uint32_t window, Nor *nor)
{
    s->nor = nor;
    stm32_peripheral_map(STM32_PERIPHERAL(s), name, base);
    memory_region_init_io(&s->window, OBJECT(s), &window_ops, s, "octospi.memory", 256 * MiB);
    memory_region_add_subregion(get_system_memory(), window, &s->window);
}

static void octospi_reset(DeviceState *device)
{
    Stm32Octospi *s = STM32_OCTOSPI(device);
    memset(s->registers, 0, sizeof(s->registers));
    s->status = 0;
    s->transferring = s->ahead = false;
    timer_del(s->poll);
    if (s->nor) {
        stm32_nor_reset(s->nor);
    }
}

static void octospi_init(Object *object)
{
    Stm32Octospi *s = STM32_OCTOSPI(object);
    s->poll = timer_new_ns(QEMU_CLOCK_VIRTUAL, poll_once, s);
    sysbus_init_irq(SYS_BUS_DEVICE(object), &s->irq);
}

static void octospi_class_init(ObjectClass *klass, void *data)
{
    Stm32PeripheralClass *class = STM32_PERIPHERAL_CLASS(klass);
    DEVICE_CLASS(klass)->reset = octospi_reset;
    class->read = octospi_read;
    class->write = octospi_write;
    class->narrow_reads = class->narrow_writes = true;
}

static const TypeInfo octospi_type = {
    .name = TYPE_STM32_OCTOSPI,
    .parent = TYPE_STM32_PERIPHERAL,
    .instance_size = sizeof(Stm32Octospi),
    .instance_init = octospi_init,
    .class_init = octospi_class_init,
};

static void register_types(void)
{
    type_register_static(&octospi_type);
}

type_init(register_types)
