/*
 * Instruction cache: RM0456, chapter "Instruction cache (ICACHE)". Its registers; it caches nothing, so that what silicon may
 * read stale is always fresh here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "peripheral.h"

#define TYPE_STM32_ICACHE "stm32u585-icache"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Icache, STM32_ICACHE)

enum {
    CR = 0x00, SR = 0x04, IER = 0x08, FCR = 0x0c, CRR3 = 0x2c,
    EN = 1 << 0, CACHEINV = 1 << 1, WAYSEL = 1 << 2, MONITORS = 3 << 16,
    BSYENDF = 1 << 1, ERRF = 1 << 2,
};

struct Stm32Icache {
    Stm32Peripheral parent_obj;
    uint32_t reg[CRR3 / 4 + 1];
    qemu_irq irq;
};


static bool icache_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Icache *s = STM32_ICACHE(p);
    if (offset > CRR3) {
        return false;
    }
    *value = s->reg[offset / 4];
    return true;
}

static bool icache_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Icache *s = STM32_ICACHE(p);
    switch (offset) {
    case CR:
        s->reg[CR / 4] = value & (EN | WAYSEL | MONITORS);
        if (value & CACHEINV) {
            s->reg[SR / 4] |= BSYENDF;
        }
        break;
    case IER:
        s->reg[IER / 4] = value;
        break;
    case FCR:
        s->reg[SR / 4] &= ~(value & (BSYENDF | ERRF));
        break;
    case SR:
    case 0x10 ... 0x14:
        return true;
    default: /* remapping of external memory */
        return false;
    }
    qemu_set_irq(s->irq, s->reg[SR / 4] & s->reg[IER / 4]);
    return true;
}

static void icache_reset(DeviceState *dev)
{
    Stm32Icache *s = STM32_ICACHE(dev);
    memset(s->reg, 0, sizeof(s->reg));
    s->reg[CR / 4] = WAYSEL;
    s->reg[SR / 4] = 0;
}

static void icache_init(Object *object)
{
    Stm32Icache *s = STM32_ICACHE(object);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
}

static void icache_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = icache_reset;
    peripheral->read = icache_read;
    peripheral->write = icache_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_ICACHE,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Icache),
        .instance_init = icache_init,
        .class_init = icache_class_init,
    },
};

DEFINE_TYPES(types)
