/*
 * A timer that counts up: RM0456, chapters "General-purpose timers (TIM2/TIM3/TIM4/TIM5)", "(TIM15/TIM16/TIM17)" and "Basic
 * timers (TIM6/TIM7)". Update and compare flags and their interrupts. Nothing is wired to the channels; input capture, down
 * counting, slave modes and DMA requests are not modelled.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "hw/qdev-clock.h"
#include "hw/qdev-properties.h"
#include "peripheral.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"

#define TYPE_STM32_TIM "stm32u585-tim"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Tim, STM32_TIM)

enum {
    CR1 = 0x00, CR2 = 0x04, SMCR = 0x08, DIER = 0x0c, SR = 0x10, EGR = 0x14, CCMR1 = 0x18, CCMR2 = 0x1c, CCER = 0x20,
    CNT = 0x24, PSC = 0x28, ARR = 0x2c, RCR = 0x30, CCR1 = 0x34, CCR4 = 0x40, BDTR = 0x44,
    CEN = 1 << 0, UDIS = 1 << 1, URS = 1 << 2, OPM = 1 << 3, ARPE = 1 << 7, CR1_MODELLED = 0x38f,
    UIF = 1 << 0, INTERRUPTS = 0x1f, /* update and four compares, in TIMx_DIER as in TIMx_SR */
    CAPTURES = 0x0303,               /* TIMx_CCMRn.CCmS: a channel is an input */
    CHANNELS = 4,
};

struct Stm32Tim {
    Stm32Peripheral parent_obj;
    Clock *clock;
    uint8_t bits;

    uint32_t reg[BDTR / 4 + 1]; /* CNT is not kept here */
    uint32_t prescaler, top;    /* in use; PSC and ARR are what comes with the next update */
    uint64_t clock_hz;
    int64_t base_ns;     /* when the counter, running, was at base_count */
    uint32_t base_count; /* or is, while it stands */
    uint32_t seen_count; /* up to where compare flags are set */
    QEMUTimer *timer;
    qemu_irq irq;
};

static bool running(Stm32Tim *s)
{
    return (s->reg[CR1 / 4] & CEN) && s->clock_hz;
}

static uint64_t ticks_in(Stm32Tim *s, int64_t ns)
{
    return muldiv64(ns, s->clock_hz, NANOSECONDS_PER_SECOND) / (s->prescaler + 1);
}

static int64_t ns_of(Stm32Tim *s, uint64_t ticks)
{
    return muldiv64(ticks * (s->prescaler + 1), NANOSECONDS_PER_SECOND, s->clock_hz) + 1;
}

static void set_compare_flags(Stm32Tim *s, uint64_t from, uint64_t to)
{
    for (int channel = 0; channel < CHANNELS; channel++) {
        const uint32_t at = s->reg[CCR1 / 4 + channel];
        if (at > from && at <= to) {
            s->reg[SR / 4] |= 2 << channel;
        }
    }
}

static void load(Stm32Tim *s)
{
    s->prescaler = s->reg[PSC / 4];
    s->top = s->reg[ARR / 4];
}

/* Brings counter and flags up to now; returns the counter. */
static uint32_t catch_up(Stm32Tim *s)
{
    const int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (!running(s) || s->top == 0) {
        return s->base_count;
    }
    uint64_t count = s->base_count + ticks_in(s, now - s->base_ns);
    if (count <= s->top) {
        set_compare_flags(s, s->seen_count, count);
        s->seen_count = count;
        return count;
    }
    set_compare_flags(s, s->seen_count, s->top);
    const uint64_t turns = count / ((uint64_t)s->top + 1);
    s->base_ns += ns_of(s, turns * ((uint64_t)s->top + 1) - s->base_count) - 1;
    s->base_count = s->seen_count = 0;
    for (int channel = 0; channel < CHANNELS; channel++) {
        s->reg[SR / 4] |= s->reg[CCR1 / 4 + channel] == 0 ? 2 << channel : 0;
    }
    if (!(s->reg[CR1 / 4] & UDIS)) {
        s->reg[SR / 4] |= UIF;
        load(s);
    }
    if (s->reg[CR1 / 4] & OPM) {
        s->reg[CR1 / 4] &= ~CEN;
        return 0;
    }
    count = MIN(ticks_in(s, now - s->base_ns), s->top);
    set_compare_flags(s, 0, count);
    s->seen_count = count;
    return count;
}

/* Sets interrupt line and timer after any change. */
static void update(Stm32Tim *s)
{
    const uint32_t count = catch_up(s), wanted = s->reg[DIER / 4] & INTERRUPTS;
    uint64_t next = (uint64_t)s->top + 1 - count;

    qemu_set_irq(s->irq, s->reg[SR / 4] & wanted);
    for (int channel = 0; channel < CHANNELS; channel++) {
        const uint32_t at = s->reg[CCR1 / 4 + channel];
        if ((wanted >> channel & 2) && at > count && at <= s->top) {
            next = MIN(next, at - count);
        }
    }
    if (running(s) && s->top && (wanted || (s->reg[CR1 / 4] & OPM))) {
        timer_mod(s->timer, s->base_ns + ns_of(s, count - s->base_count + next));
    } else {
        timer_del(s->timer);
    }
}

static void on_timer(void *opaque)
{
    update(opaque);
}

static void set_count(Stm32Tim *s, uint32_t count)
{
    s->base_count = s->seen_count = count;
    s->base_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void on_clock(void *opaque, ClockEvent event)
{
    Stm32Tim *s = opaque;
    set_count(s, catch_up(s)); /* by the old rate */
    s->clock_hz = clock_get_hz(s->clock);
    update(s);
}

static bool tim_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Tim *s = STM32_TIM(p);
    const uint32_t count = catch_up(s);

    if (offset > BDTR) {
        return false;
    }
    *value = offset == CNT ? count : s->reg[offset / 4];
    return true;
}

static bool write_control(Stm32Tim *s, uint32_t value)
{
    if (value & ~CR1_MODELLED) {
        return false;
    }
    set_count(s, catch_up(s));
    s->reg[CR1 / 4] = value;
    return true;
}

static bool tim_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Tim *s = STM32_TIM(p);
    const uint32_t mask = MAKE_64BIT_MASK(0, s->bits);

    catch_up(s);
    switch (offset) {
    case CR1:
        if (!write_control(s, value)) {
            return false;
        }
        break;
    case SMCR:
        return value == 0;
    case DIER:
        if (value & ~INTERRUPTS) {
            return false;
        }
        s->reg[offset / 4] = value;
        break;
    case SR:
        s->reg[offset / 4] &= value;
        break;
    case EGR:
        if (value & 1) {
            set_count(s, 0);
            if (!(s->reg[CR1 / 4] & UDIS)) {
                load(s);
                s->reg[SR / 4] |= s->reg[CR1 / 4] & URS ? 0 : UIF;
            }
        }
        s->reg[SR / 4] |= value & 0x1e;
        break;
    case CCMR1:
    case CCMR2:
        if (value & CAPTURES) {
            return false;
        }
        s->reg[offset / 4] = value;
        break;
    case CNT:
        set_count(s, value & mask);
        break;
    case PSC:
        s->reg[offset / 4] = value & 0xffff;
        break;
    case ARR:
        s->reg[offset / 4] = value & mask;
        if (!(s->reg[CR1 / 4] & ARPE)) {
            set_count(s, catch_up(s));
            s->top = value & mask;
        }
        break;
    case CCR1 ... CCR4:
        s->reg[offset / 4] = value & mask;
        break;
    case CR2:
    case CCER:
    case RCR:
    case BDTR:
        s->reg[offset / 4] = value;
        break;
    default:
        return false;
    }
    update(s);
    return true;
}

static void tim_reset(DeviceState *dev)
{
    Stm32Tim *s = STM32_TIM(dev);
    memset(s->reg, 0, sizeof(s->reg));
    s->reg[ARR / 4] = MAKE_64BIT_MASK(0, s->bits);
    s->clock_hz = clock_get_hz(s->clock);
    load(s);
    set_count(s, 0);
    update(s);
}

static void tim_init(Object *object)
{
    Stm32Tim *s = STM32_TIM(object);
    s->clock = qdev_init_clock_in(DEVICE(s), "clock", on_clock, s, ClockUpdate);
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_timer, s);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
}

static Property tim_properties[] = {
    DEFINE_PROP_UINT8("bits", Stm32Tim, bits, 16),
    DEFINE_PROP_END_OF_LIST(),
};

static void tim_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = tim_reset;
    device_class_set_props(DEVICE_CLASS(class), tim_properties);
    peripheral->read = tim_read;
    peripheral->write = tim_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_TIM,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Tim),
        .instance_init = tim_init,
        .class_init = tim_class_init,
    },
};

DEFINE_TYPES(types)
