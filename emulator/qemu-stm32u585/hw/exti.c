/*
 * Extended interrupts and events controller: RM0456, chapter "Extended interrupts and event controller (EXTI)". Lines come
 * only from EXTI_SWIER1, as nothing is wired to the pins; lines 0 to 15 have an interrupt each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "peripheral.h"

#define TYPE_STM32_EXTI "stm32u585-exti"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Exti, STM32_EXTI)

enum {
    RTSR1 = 0x00, SWIER1 = 0x08, RPR1 = 0x0c, FPR1 = 0x10, SECCFGR1 = 0x14, PRIVCFGR1 = 0x18, EXTICR1 = 0x60, LOCKR = 0x70,
    IMR1 = 0x80, EMR1 = 0x84,
    LINES = 16,
};

struct Stm32Exti {
    Stm32Peripheral parent_obj;
    uint32_t reg[EMR1 / 4 + 1];
    qemu_irq irq[LINES];
};


static bool exists(uint32_t offset)
{
    return offset <= PRIVCFGR1 || (offset >= EXTICR1 && offset <= LOCKR) || offset == IMR1 || offset == EMR1;
}

static void update(Stm32Exti *s)
{
    const uint32_t pending = (s->reg[RPR1 / 4] | s->reg[FPR1 / 4]) & s->reg[IMR1 / 4];
    for (unsigned line = 0; line < LINES; line++) {
        qemu_set_irq(s->irq[line], pending >> line & 1);
    }
}

static bool exti_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Exti *s = STM32_EXTI(p);
    if (!exists(offset)) {
        return false;
    }
    *value = s->reg[offset / 4];
    if (!access.secure && (offset <= FPR1 || offset >= IMR1)) {
        *value &= ~s->reg[SECCFGR1 / 4];
    }
    return true;
}

static bool exti_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Exti *s = STM32_EXTI(p);
    uint32_t *word = &s->reg[offset / 4];
    const uint32_t mask = access.secure ? UINT32_MAX : ~s->reg[SECCFGR1 / 4];

    if (!exists(offset)) {
        return false;
    }
    switch (offset) {
    case SWIER1: /* a rising edge, whether one is looked for or not */
        s->reg[RPR1 / 4] |= value & mask & ((1 << LINES) - 1);
        break;
    case RPR1:
    case FPR1:
        *word &= ~(value & mask);
        break;
    case SECCFGR1:
    case LOCKR:
        if (access.secure && !(s->reg[LOCKR / 4] & 1)) {
            *word = value;
        }
        break;
    case EXTICR1 ... EXTICR1 + 12:
        *word = value;
        break;
    default:
        *word = (*word & ~mask) | (value & mask);
        break;
    }
    update(s);
    return true;
}

static void exti_reset(DeviceState *dev)
{
    Stm32Exti *s = STM32_EXTI(dev);
    memset(s->reg, 0, sizeof(s->reg));
    update(s);
}

static void exti_init(Object *object)
{
    Stm32Exti *s = STM32_EXTI(object);
    for (int line = 0; line < LINES; line++) {
        sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq[line]);
    }
}

static void exti_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = exti_reset;
    peripheral->read = exti_read;
    peripheral->write = exti_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_EXTI,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Exti),
        .instance_init = exti_init,
        .class_init = exti_class_init,
    },
};

DEFINE_TYPES(types)
