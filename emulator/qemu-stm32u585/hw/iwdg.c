/*
 * Independent watchdog: RM0456, chapter "Independent watchdog (IWDG)". Runs on LSI, 32 kHz, from the write of the start key to
 * the next reset; the early wake-up interrupt comes when the counter has come down to IWDG_EWCR.EWIT.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "peripheral.h"
#include "qemu/timer.h"

#define TYPE_STM32_IWDG "stm32u585-iwdg"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Iwdg, STM32_IWDG)

enum {
    KR = 0x00, PR = 0x04, RLR = 0x08, SR = 0x0c, WINR = 0x10, EWCR = 0x14,
    KEY_RELOAD = 0xaaaa, KEY_ACCESS = 0x5555, KEY_START = 0xcccc,
    PVU = 1 << 0, RVU = 1 << 1, WVU = 1 << 2, EWU = 1 << 3, EWIF = 1 << 14,
    EWIT = 0xfff, EWIC = 1 << 14, EWIE = 1 << 15,
    LSI_HZ = 32000,
    UPDATE_CYCLES = 5, /* of LSI, until a written value counts: IWDG_SR */
};

struct Stm32Iwdg {
    Stm32Peripheral parent_obj;
    uint32_t pr, rlr, winr, ewcr, update_flags;
    bool running, unlocked, early;
    int64_t reloaded_at, updated_at;
    QEMUTimer *timer;
    qemu_irq irq, reset;
};


static int64_t tick_ns(Stm32Iwdg *s)
{
    return (NANOSECONDS_PER_SECOND << MIN(2 + s->pr, 10)) / LSI_HZ; /* IWDG_PR: 4 to 1024 */
}

static uint32_t counter(Stm32Iwdg *s)
{
    const int64_t passed = (qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - s->reloaded_at) / tick_ns(s);
    return passed > s->rlr ? 0 : s->rlr - passed;
}

/* The next thing that happens: the early wake-up, or the reset. */
static void set_timer(Stm32Iwdg *s)
{
    const uint32_t early = s->ewcr & EWIT;
    if (!s->running) {
        return;
    }
    const bool early_is_next = (s->ewcr & EWIE) && !s->early && early < s->rlr;
    timer_mod(s->timer, s->reloaded_at + (early_is_next ? s->rlr - early : s->rlr + 1) * tick_ns(s));
}

static void on_timer(void *opaque)
{
    Stm32Iwdg *s = opaque;
    if ((s->ewcr & EWIE) && !s->early && (s->ewcr & EWIT) < s->rlr) {
        s->early = true;
        qemu_irq_raise(s->irq);
        set_timer(s);
        return;
    }
    s->running = false;
    qemu_irq_pulse(s->reset);
}

static void reload(Stm32Iwdg *s)
{
    if (s->running && counter(s) > s->winr && s->winr < s->rlr) {
        qemu_irq_pulse(s->reset); /* too early for the window */
        return;
    }
    s->reloaded_at = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    s->early = false;
    set_timer(s);
}

static void write_key(Stm32Iwdg *s, uint32_t key)
{
    s->unlocked = key == KEY_ACCESS;
    if (key == KEY_RELOAD) {
        reload(s);
    } else if (key == KEY_START && !s->running) {
        s->running = true;
        s->reloaded_at = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
        set_timer(s);
    }
}

static void updates(Stm32Iwdg *s, uint32_t flag)
{
    s->update_flags |= flag;
    s->updated_at = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + UPDATE_CYCLES * NANOSECONDS_PER_SECOND / LSI_HZ;
}

static uint32_t status(Stm32Iwdg *s)
{
    if (qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) >= s->updated_at) {
        s->update_flags = 0;
    }
    return s->update_flags | (s->early ? EWIF : 0);
}

static bool iwdg_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Iwdg *s = STM32_IWDG(p);
    switch (offset) {
    case KR:
        return true;
    case PR:
        *value = s->pr;
        return true;
    case RLR:
        *value = s->rlr;
        return true;
    case SR:
        *value = status(s);
        return true;
    case WINR:
        *value = s->winr;
        return true;
    case EWCR:
        *value = s->ewcr;
        return true;
    default:
        return false;
    }
}

static bool iwdg_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Iwdg *s = STM32_IWDG(p);

    if (offset == KR) {
        write_key(s, value & 0xffff);
        return true;
    }
    if (offset == SR) {
        return true;
    }
    if (offset != PR && offset != RLR && offset != WINR && offset != EWCR) {
        return false;
    }
    if (offset == EWCR && (value & EWIC)) {
        s->early = false;
        qemu_irq_lower(s->irq);
    }
    if (!s->unlocked) {
        return true;
    }
    switch (offset) {
    case PR:
        s->pr = value & 0xf;
        updates(s, PVU);
        break;
    case RLR:
        s->rlr = value & 0xfff;
        updates(s, RVU);
        break;
    case WINR:
        s->winr = value & 0xfff;
        updates(s, WVU);
        reload(s); /* IWDG, "Configuring the IWDG when the window option is enabled" */
        break;
    case EWCR:
        s->ewcr = value & (EWIT | EWIE);
        updates(s, EWU);
        break;
    }
    set_timer(s);
    return true;
}

static void iwdg_reset(DeviceState *dev)
{
    Stm32Iwdg *s = STM32_IWDG(dev);
    timer_del(s->timer);
    s->pr = s->ewcr = s->update_flags = 0;
    s->rlr = s->winr = 0xfff;
    s->running = s->unlocked = s->early = false;
    qemu_irq_lower(s->irq);
}

static void iwdg_init(Object *object)
{
    Stm32Iwdg *s = STM32_IWDG(object);
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_timer, s);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
    qdev_init_gpio_out_named(DEVICE(s), &s->reset, "reset", 1);
}

static void iwdg_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = iwdg_reset;
    peripheral->read = iwdg_read;
    peripheral->write = iwdg_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_IWDG,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Iwdg),
        .instance_init = iwdg_init,
        .class_init = iwdg_class_init,
    },
};

DEFINE_TYPES(types)
