/*
 * Low-power timer: RM0456, chapter "Low-power timer (LPTIM)". Counts its kernel clock up, once or for ever, with autoreload, two
 * compare channels and a repetition counter. A register that is written counts at once. Nothing is wired to its pins and
 * triggers; external clocks, encoder, timeout, input capture and DMA requests are not modelled.
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

#define TYPE_STM32_LPTIM "stm32u585-lptim"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Lptim, STM32_LPTIM)

enum {
    ISR = 0x00, ICR = 0x04, DIER = 0x08, CFGR = 0x0c, CR = 0x10, CCR1 = 0x14, ARR = 0x18, CNT = 0x1c, CFGR2 = 0x24, RCR = 0x28,
    CCMR1 = 0x2c, CCR2 = 0x34,
    CC1IF = 1 << 0, ARRM = 1 << 1, CMP1OK = 1 << 3, ARROK = 1 << 4, UE = 1 << 7, REPOK = 1 << 8, CC2IF = 1 << 9,
    CMP2OK = 1 << 19, DIEROK = 1 << 24,
    FLAGS = CC1IF | ARRM | CMP1OK | ARROK | UE | REPOK | CC2IF | CMP2OK, /* that can raise the interrupt */
    CFGR_PRELOAD = 1 << 22, CFGR_MODELLED = 0x700ed8,                 /* PRELOAD, WAVPOL, WAVE, PRESC, filters */
    ENABLE = 1 << 0, SNGSTRT = 1 << 1, CNTSTRT = 1 << 2, COUNTRST = 1 << 3, RSTARE = 1 << 4,
    CCMR1_MODELLED = 0x000e000e, /* outputs: enable and polarity */
    CHANNELS = 2,
};

static const struct { uint32_t match, written; } channel_flags[CHANNELS] = { { CC1IF, CMP1OK }, { CC2IF, CMP2OK } };

typedef enum Mode { STOPPED, SINGLE, CONTINUOUS } Mode;

/* What the counter is compared with; under PRELOAD what is written waits for the next update. */
typedef struct Limits {
    uint32_t reload, compare[CHANNELS];
} Limits;

struct Stm32Lptim {
    Stm32Peripheral parent_obj;
    Clock *clock;
    uint8_t channels; /* that have a pin: 2 or 0. Even without one there is CCR1 */

    uint32_t isr, dier, cfgr, cr, cfgr2, repetitions, ccmr1;
    Limits written, in_use;
    Mode mode;
    uint32_t repetitions_left;
    uint64_t clock_hz;
    int64_t base_ns;     /* when the counter, running, was at base_count */
    uint32_t base_count; /* or is, while it stands */
    uint32_t seen_count; /* up to where compare flags are set */
    QEMUTimer *timer;
    qemu_irq irq;
};

static unsigned prescaler_shift(Stm32Lptim *s)
{
    return extract32(s->cfgr, 9, 3);
}

static bool running(Stm32Lptim *s)
{
    return s->mode != STOPPED && s->clock_hz;
}

static uint64_t ticks_in(Stm32Lptim *s, int64_t ns)
{
    return muldiv64(ns, s->clock_hz, NANOSECONDS_PER_SECOND) >> prescaler_shift(s);
}

static int64_t ns_of(Stm32Lptim *s, uint64_t ticks)
{
    return muldiv64(ticks << prescaler_shift(s), NANOSECONDS_PER_SECOND, s->clock_hz) + 1;
}

static void set_count(Stm32Lptim *s, uint32_t count)
{
    s->base_count = s->seen_count = count;
    s->base_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/* The counter went from what was seen of it to `to`, without a turn. */
static void pass(Stm32Lptim *s, uint32_t to)
{
    for (int n = 0; n < CHANNELS; n++) {
        const uint32_t at = s->in_use.compare[n];
        s->isr |= at > s->seen_count && at <= to ? channel_flags[n].match : 0;
    }
    s->isr |= s->in_use.reload > s->seen_count && s->in_use.reload <= to ? ARRM : 0;
    s->seen_count = to;
}

/* It went from ARR to zero, `turns` times. */
static void turn(Stm32Lptim *s, uint64_t turns)
{
    if (turns > 1) {
        s->seen_count = 0;
        pass(s, s->in_use.reload);
    }
    for (int n = 0; n < CHANNELS; n++) {
        s->isr |= s->in_use.compare[n] == 0 ? channel_flags[n].match : 0;
    }
    if (turns > s->repetitions_left) {
        s->isr |= UE;
        s->in_use = s->written;
        s->repetitions_left = s->repetitions - (turns - 1 - s->repetitions_left) % (s->repetitions + 1);
    } else {
        s->repetitions_left -= turns;
    }
}

/* Brings counter and flags up to now; returns the counter. */
static uint32_t catch_up(Stm32Lptim *s)
{
    const uint64_t period = (uint64_t)s->in_use.reload + 1;

    if (!running(s)) {
        return s->base_count;
    }
    const uint64_t count = s->base_count + ticks_in(s, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - s->base_ns);
    if (count < period) {
        pass(s, count);
        return count;
    }
    pass(s, s->in_use.reload);
    s->base_ns += ns_of(s, count / period * period - s->base_count) - 1;
    s->base_count = 0;
    turn(s, s->mode == SINGLE ? 1 : count / period);
    s->seen_count = 0;
    if (s->mode == SINGLE) {
        s->mode = STOPPED;
        return 0;
    }
    pass(s, MIN(count % period, s->in_use.reload));
    return s->seen_count;
}

/* Sets interrupt line and timer after any change. */
static void update(Stm32Lptim *s)
{
    const uint32_t count = catch_up(s), wanted = s->dier & FLAGS;
    uint64_t next = count < s->in_use.reload ? s->in_use.reload : (uint64_t)s->in_use.reload + 1;

    qemu_set_irq(s->irq, (s->isr & wanted) != 0);
    for (int n = 0; n < CHANNELS; n++) {
        const uint32_t at = s->in_use.compare[n];
        if ((wanted & channel_flags[n].match) && at > count) {
            next = MIN(next, at);
        }
    }
    if (running(s) && (wanted || s->mode == SINGLE)) {
        timer_mod(s->timer, s->base_ns + ns_of(s, next - s->base_count));
    } else {
        timer_del(s->timer);
    }
}

static void on_timer(void *opaque)
{
    update(opaque);
}

static void on_clock(void *opaque, ClockEvent event)
{
    Stm32Lptim *s = opaque;
    set_count(s, catch_up(s)); /* by the old rate */
    s->clock_hz = clock_get_hz(s->clock);
    update(s);
}

static bool exists(Stm32Lptim *s, uint32_t offset)
{
    return offset <= CNT || offset == CFGR2 || offset == RCR || (s->channels && (offset == CCMR1 || offset == CCR2));
}

static bool lptim_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Lptim *s = STM32_LPTIM(p);
    const uint32_t count = catch_up(s);

    switch (offset) {
    case ISR:
        *value = s->isr;
        break;
    case DIER:
        *value = s->dier;
        break;
    case CFGR:
        *value = s->cfgr;
        break;
    case CR:
        *value = s->cr;
        break;
    case CCR1:
        *value = s->written.compare[0];
        break;
    case CCR2:
        *value = s->written.compare[1];
        break;
    case ARR:
        *value = s->written.reload;
        break;
    case CNT:
        *value = count;
        if (s->cr & RSTARE) {
            set_count(s, 0);
            update(s);
        }
        break;
    case CFGR2:
        *value = s->cfgr2;
        break;
    case RCR:
        *value = s->repetitions;
        break;
    case CCMR1:
        *value = s->ccmr1;
        break;
    }
    return exists(s, offset);
}

static void write_control(Stm32Lptim *s, uint32_t value)
{
    s->cr = value & (value & ENABLE ? ENABLE | RSTARE : 0);
    if (!(value & ENABLE)) {
        s->mode = STOPPED;
        set_count(s, 0);
        return;
    }
    if (value & COUNTRST) {
        set_count(s, 0);
    }
    if (value & (SNGSTRT | CNTSTRT)) {
        if (s->mode == STOPPED) {
            set_count(s, 0);
            s->in_use = s->written;
            s->repetitions_left = s->repetitions;
        }
        s->mode = value & CNTSTRT ? CONTINUOUS : SINGLE;
    }
}

/* ARR, CCRx, RCR and DIER belong to the kernel clock: they want ENABLE, and say so when they have got what was written. */
static bool write_counter_register(Stm32Lptim *s, uint32_t *reg, uint32_t value, uint32_t written)
{
    if (!(s->cr & ENABLE)) {
        stm32_complain("%s: written while LPTIM_CR.ENABLE is 0", s->parent_obj.name);
        return true;
    }
    *reg = value;
    if (!(s->cfgr & CFGR_PRELOAD) || s->mode == STOPPED) {
        s->in_use = s->written;
    }
    s->isr |= s->clock_hz ? written : 0;
    return true;
}

static bool write_configuration(Stm32Lptim *s, uint32_t *reg, uint32_t value, uint32_t modelled)
{
    if (value & ~modelled) {
        return false;
    }
    if (s->cr & ENABLE) {
        stm32_complain("%s: configured while LPTIM_CR.ENABLE is 1", s->parent_obj.name);
    } else {
        *reg = value;
    }
    return true;
}

static bool lptim_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Lptim *s = STM32_LPTIM(p);
    bool is_modelled = true;

    if (!exists(s, offset)) {
        return false;
    }
    catch_up(s);
    switch (offset) {
    case ISR:
    case CNT:
        break;
    case ICR:
        s->isr &= ~value;
        break;
    case DIER:
        is_modelled = !(value & ~FLAGS) && write_counter_register(s, &s->dier, value, DIEROK);
        break;
    case CFGR:
        is_modelled = write_configuration(s, &s->cfgr, value, CFGR_MODELLED);
        break;
    case CR:
        write_control(s, value);
        break;
    case CCR1:
        write_counter_register(s, &s->written.compare[0], value & 0xffff, CMP1OK);
        break;
    case CCR2:
        write_counter_register(s, &s->written.compare[1], value & 0xffff, CMP2OK);
        break;
    case ARR:
        write_counter_register(s, &s->written.reload, value & 0xffff, ARROK);
        break;
    case RCR:
        write_counter_register(s, &s->repetitions, value & 0xff, REPOK);
        break;
    case CFGR2: /* of inputs that nothing is wired to */
        is_modelled = write_configuration(s, &s->cfgr2, value, 0x00330033);
        break;
    case CCMR1:
        is_modelled = write_configuration(s, &s->ccmr1, value, CCMR1_MODELLED);
        break;
    }
    update(s);
    return is_modelled;
}

static void lptim_reset(DeviceState *dev)
{
    Stm32Lptim *s = STM32_LPTIM(dev);
    s->isr = s->dier = s->cfgr = s->cr = s->cfgr2 = s->repetitions = s->ccmr1 = 0;
    s->written = s->in_use = (Limits) { .reload = 1 };
    s->mode = STOPPED;
    s->repetitions_left = 0;
    s->clock_hz = clock_get_hz(s->clock);
    set_count(s, 0);
    update(s);
}

static void lptim_init(Object *object)
{
    Stm32Lptim *s = STM32_LPTIM(object);
    s->clock = qdev_init_clock_in(DEVICE(s), "clock", on_clock, s, ClockUpdate);
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_timer, s);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
}

static Property lptim_properties[] = {
    DEFINE_PROP_UINT8("channels", Stm32Lptim, channels, CHANNELS),
    DEFINE_PROP_END_OF_LIST(),
};

static void lptim_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = lptim_reset;
    device_class_set_props(DEVICE_CLASS(class), lptim_properties);
    peripheral->read = lptim_read;
    peripheral->write = lptim_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_LPTIM,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Lptim),
        .instance_init = lptim_init,
        .class_init = lptim_class_init,
    },
};

DEFINE_TYPES(types)
