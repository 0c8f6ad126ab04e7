/*
 * A port of general-purpose pins: RM0456, chapter "General-purpose I/Os (GPIO)". Nothing is wired to the pins: an output reads
 * back as driven, an input reads its pull. A pin that GPIO_SECCFGR makes Secure reads zero and ignores writes for
 * Non-secure code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "peripheral.h"

#define TYPE_STM32_GPIO "stm32u585-gpio"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Gpio, STM32_GPIO)

enum {
    MODER = 0x00, OSPEEDR = 0x08, PUPDR = 0x0c, IDR = 0x10, ODR = 0x14, BSRR = 0x18, LCKR = 0x1c, AFRL = 0x20, AFRH = 0x24,
    BRR = 0x28, HSLVR = 0x2c, SECCFGR = 0x30,
};

struct Stm32Gpio {
    Stm32Peripheral parent_obj;
    uint32_t mode_at_reset, speed_at_reset, pull_at_reset;
    uint32_t reg[SECCFGR / 4 + 1];
};


/* Each bit of a 16-bit mask as two, or four, bits. */
static uint64_t widen(uint32_t pins, unsigned bits)
{
    uint64_t wide = 0;
    for (unsigned pin = 0; pin < 16; pin++) {
        wide |= pins >> pin & 1 ? MAKE_64BIT_MASK(pin * bits, bits) : 0;
    }
    return wide;
}

static uint32_t field_mask(uint32_t offset, uint32_t pins)
{
    switch (offset) {
    case MODER:
    case OSPEEDR:
    case PUPDR:
        return widen(pins, 2);
    case AFRL:
        return widen(pins, 4);
    case AFRH:
        return widen(pins, 4) >> 32;
    case BSRR:
        return pins | pins << 16;
    default:
        return pins;
    }
}

static uint32_t input(Stm32Gpio *s)
{
    uint32_t pins = 0;
    for (unsigned pin = 0; pin < 16; pin++) {
        const unsigned mode = s->reg[MODER / 4] >> pin * 2 & 3, pull = s->reg[PUPDR / 4] >> pin * 2 & 3;
        const bool high = mode == 1 ? s->reg[ODR / 4] >> pin & 1 : mode == 3 ? false : pull == 1;
        pins |= high << pin;
    }
    return pins;
}

static bool gpio_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Gpio *s = STM32_GPIO(p);
    if (offset > SECCFGR) {
        return false;
    }
    *value = offset == IDR ? input(s) : offset == BSRR || offset == BRR ? 0 : s->reg[offset / 4];
    if (!access.secure && offset != SECCFGR && offset != LCKR) {
        *value &= ~field_mask(offset, s->reg[SECCFGR / 4]);
    }
    return true;
}

static bool gpio_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Gpio *s = STM32_GPIO(p);
    uint32_t *odr = &s->reg[ODR / 4];
    const uint32_t mask = access.secure ? UINT32_MAX : ~field_mask(offset, s->reg[SECCFGR / 4]);

    switch (offset) {
    case MODER ... PUPDR:
    case ODR:
    case AFRL:
    case AFRH:
    case HSLVR:
        s->reg[offset / 4] = (s->reg[offset / 4] & ~mask) | (value & mask);
        return true;
    case IDR:
        return true;
    case BSRR:
        *odr = (*odr & ~((value & mask) >> 16)) | (value & mask & 0xffff);
        return true;
    case BRR:
        *odr &= ~(value & mask & 0xffff);
        return true;
    case SECCFGR:
        if (access.secure) {
            s->reg[offset / 4] = value & 0xffff;
        }
        return true;
    default: /* LCKR */
        return false;
    }
}

static void gpio_reset(DeviceState *dev)
{
    Stm32Gpio *s = STM32_GPIO(dev);
    memset(s->reg, 0, sizeof(s->reg));
    s->reg[MODER / 4] = s->mode_at_reset;
    s->reg[OSPEEDR / 4] = s->speed_at_reset;
    s->reg[PUPDR / 4] = s->pull_at_reset;
    s->reg[SECCFGR / 4] = 0xffff;
}

static Property gpio_properties[] = {
    DEFINE_PROP_UINT32("mode", Stm32Gpio, mode_at_reset, 0xffffffff),
    DEFINE_PROP_UINT32("speed", Stm32Gpio, speed_at_reset, 0),
    DEFINE_PROP_UINT32("pull", Stm32Gpio, pull_at_reset, 0),
    DEFINE_PROP_END_OF_LIST(),
};

static void gpio_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = gpio_reset;
    device_class_set_props(DEVICE_CLASS(class), gpio_properties);
    peripheral->read = gpio_read;
    peripheral->write = gpio_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_GPIO,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Gpio),
        .class_init = gpio_class_init,
    },
};

DEFINE_TYPES(types)
