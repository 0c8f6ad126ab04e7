/*
 * Window watchdog: RM0456, chapter "System window watchdog (WWDG)". Counts down from WWDG_CR.T by PCLK1 / 4096 / 2^WDGTB, with or
 * without WDGA; with it, the step from 0x40 to 0x3f resets the chip, and so does a write while the counter is above the window.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "hw/qdev-clock.h"
#include "peripheral.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"

#define TYPE_STM32_WWDG "stm32u585-wwdg"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Wwdg, STM32_WWDG)

enum {
    CR = 0x00, CFR = 0x04, SR = 0x08,
    T = 0x7f, T6 = 0x40, WDGA = 1 << 7,
    W = 0x7f, EWI = 1 << 9, WDGTB = 7 << 11,
    EWIF = 1 << 0,
    PRESCALER = 4096,
};

struct Stm32Wwdg {
    Stm32Peripheral parent_obj;
    Clock *clock;
    uint64_t clock_hz;
    uint32_t cfr;
    bool active, early;
    bool warned;         /* the early wake-up of this time down has been */
    uint32_t base_count; /* the counter at base_ns */
    int64_t base_ns;
    QEMUTimer *timer;
    qemu_irq irq, reset;
};

static uint32_t tick_cycles(Stm32Wwdg *s)
{
    return PRESCALER << extract32(s->cfr, 11, 3);
}

static uint32_t counter(Stm32Wwdg *s)
{
    const int64_t passed = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - s->base_ns;
    return (s->base_count - muldiv64(passed, s->clock_hz, NANOSECONDS_PER_SECOND) / tick_cycles(s)) & T;
}

static int64_t time_of(Stm32Wwdg *s, uint32_t count)
{
    const int64_t cycles = MAX((int64_t)s->base_count - count, 0) * tick_cycles(s);
    return s->base_ns + muldiv64(cycles, NANOSECONDS_PER_SECOND, s->clock_hz) + 1;
}

/* When what comes next happens: the early wake-up at 0x40, or the reset. */
static int64_t next_event(Stm32Wwdg *s)
{
    return time_of(s, s->warned ? T6 - 1 : T6);
}

static void set_timer(Stm32Wwdg *s)
{
    qemu_set_irq(s->irq, s->early && (s->cfr & EWI));
    if (!s->active || !s->clock_hz) {
        timer_del(s->timer);
    } else {
        timer_mod(s->timer, next_event(s));
    }
}

/* What is due, also where the timer is late: who reads sees flag and counter agree. */
static void catch_up(Stm32Wwdg *s)
{
    if (!s->active || !s->clock_hz || qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) < next_event(s)) {
        return;
    }
    if (s->warned) {
        s->active = false;
        qemu_irq_pulse(s->reset);
        return;
    }
    s->warned = s->early = true;
    set_timer(s);
}

static void on_timer(void *opaque)
{
    catch_up(opaque);
}

static void set_counter(Stm32Wwdg *s, uint32_t count)
{
    s->base_count = count;
    s->base_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void on_clock(void *opaque, ClockEvent event)
{
    Stm32Wwdg *s = opaque;
    set_counter(s, counter(s)); /* by the old rate */
    s->clock_hz = clock_get_hz(s->clock);
    set_timer(s);
}

static void write_control(Stm32Wwdg *s, uint32_t value)
{
    const bool too_early = s->active && counter(s) > (s->cfr & W);

    s->active |= (value & WDGA) != 0; /* until the next reset */
    s->warned = false;
    if (s->active && (too_early || !(value & T6))) {
        qemu_irq_pulse(s->reset);
        return;
    }
    set_counter(s, value & T);
}

static bool wwdg_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Wwdg *s = STM32_WWDG(p);

    catch_up(s);
    switch (offset) {
    case CR:
        *value = counter(s) | (s->active ? WDGA : 0);
        return true;
    case CFR:
        *value = s->cfr;
        return true;
    case SR:
        *value = s->early ? EWIF : 0;
        return true;
    default:
        return false;
    }
}

static bool wwdg_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Wwdg *s = STM32_WWDG(p);

    catch_up(s);
    switch (offset) {
    case CR:
        write_control(s, value);
        break;
    case CFR:
        set_counter(s, counter(s)); /* by the old rate */
        s->cfr = (value & (WDGTB | EWI | W)) | (s->cfr & EWI); /* EWI: until the next reset */
        break;
    case SR:
        s->early &= value & EWIF;
        break;
    default:
        return false;
    }
    set_timer(s);
    return true;
}

static void wwdg_reset(DeviceState *dev)
{
    Stm32Wwdg *s = STM32_WWDG(dev);
    s->cfr = W;
    s->active = s->early = s->warned = false;
    s->clock_hz = clock_get_hz(s->clock);
    set_counter(s, T);
    set_timer(s);
}

static void wwdg_init(Object *object)
{
    Stm32Wwdg *s = STM32_WWDG(object);
    s->clock = qdev_init_clock_in(DEVICE(s), "clock", on_clock, s, ClockUpdate);
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_timer, s);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
    qdev_init_gpio_out_named(DEVICE(s), &s->reset, "reset", 1);
}

static void wwdg_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = wwdg_reset;
    peripheral->read = wwdg_read;
    peripheral->write = wwdg_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_WWDG,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Wwdg),
        .instance_init = wwdg_init,
        .class_init = wwdg_class_init,
    },
};

DEFINE_TYPES(types)
