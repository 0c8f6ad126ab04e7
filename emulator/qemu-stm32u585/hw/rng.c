/*
 * True random number generator: RM0456, chapter "True random number generator (RNG)". Its numbers come from the host's
 * source (QEMU's -seed makes them repeatable).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "hw/qdev-clock.h"
#include "peripheral.h"
#include "qemu/guest-random.h"

#define TYPE_STM32_RNG "stm32u585-rng"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Rng, STM32_RNG)

enum {
    CR = 0x00, SR = 0x04, DR = 0x08, NSCR = 0x0c, HTCR = 0x10,
    RNGEN = 1 << 2, IE = 1 << 3, CONFIGURATION = 0x03ffff20, CONDRST = 1 << 30,
    DRDY = 1 << 0, CECS = 1 << 1, BUSY = 1 << 4, CEIS = 1 << 5,
};
#define CONFIGLOCK (1u << 31)

struct Stm32Rng {
    Stm32Peripheral parent_obj;
    Clock *clock;
    uint32_t cr, nscr, htcr;
    qemu_irq irq;
};


static bool ready(Stm32Rng *s)
{
    return (s->cr & RNGEN) && !(s->cr & CONDRST) && clock_get_hz(s->clock);
}

static uint32_t status(Stm32Rng *s)
{
    const bool clock_error = (s->cr & RNGEN) && !clock_get_hz(s->clock);
    return (ready(s) ? DRDY : 0) | (clock_error ? CECS | CEIS : 0) | (s->cr & CONDRST ? BUSY : 0);
}

static uint32_t number(Stm32Rng *s)
{
    uint32_t value = 0;
    if (!ready(s)) {
        stm32_complain("RNG: a number is read while none is ready");
    } else {
        qemu_guest_getrandom_nofail(&value, sizeof(value));
    }
    return value;
}

static bool rng_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Rng *s = STM32_RNG(p);
    switch (offset) {
    case CR:
        *value = s->cr;
        return true;
    case SR:
        *value = status(s);
        return true;
    case DR:
        *value = number(s);
        return true;
    case NSCR:
        *value = s->nscr;
        return true;
    case HTCR:
        *value = s->htcr;
        return true;
    default:
        return false;
    }
}

static bool rng_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Rng *s = STM32_RNG(p);
    switch (offset) {
    case CR:
        if (s->cr & CONFIGLOCK) {
            value = (value & ~CONFIGURATION) | (s->cr & (CONFIGURATION | CONFIGLOCK));
        } else if (!(value & CONDRST) && !(s->cr & CONDRST)) {
            value = (value & ~CONFIGURATION) | (s->cr & CONFIGURATION); /* changes only while CONDRST is set */
        }
        s->cr = value;
        break;
    case SR:
        return true;
    case NSCR:
        s->nscr = value;
        return true;
    case HTCR:
        s->htcr = value;
        return true;
    default:
        return false;
    }
    qemu_set_irq(s->irq, (s->cr & IE) && status(s));
    return true;
}

static void rng_reset(DeviceState *dev)
{
    Stm32Rng *s = STM32_RNG(dev);
    s->cr = 0x00800d00;
    s->nscr = 0x3af66;
    s->htcr = 0x000072ac;
    qemu_irq_lower(s->irq);
}

static void rng_init(Object *object)
{
    Stm32Rng *s = STM32_RNG(object);
    s->clock = qdev_init_clock_in(DEVICE(s), "clock", NULL, NULL, 0);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
}

static void rng_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = rng_reset;
    peripheral->read = rng_read;
    peripheral->write = rng_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_RNG,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Rng),
        .instance_init = rng_init,
        .class_init = rng_class_init,
    },
};

DEFINE_TYPES(types)
