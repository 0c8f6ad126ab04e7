/*
 * Real-time clock: RM0456, chapter "Real-time clock (RTC)". Calendar with its prescalers and shadow registers, both alarms, the
 * wake-up timer. Begins at the first of January of year 0 and does not run until RCC_BDCR gives it a clock; lives through
 * resets, but for that of the backup domain.
 *
 * Time stamps, outputs, calibration, shifts and the binary mode are not modelled, and privilege is not enforced.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "hw/qdev-clock.h"
#include "hw/qdev-properties.h"
#include "pwr.h"
#include "qemu/bcd.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"
#include "rcc.h"

#define TYPE_STM32_RTC "stm32u585-rtc"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Rtc, STM32_RTC)

enum {
    TR = 0x00, DR = 0x04, SSR = 0x08, ICSR = 0x0c, PRER = 0x10, WUTR = 0x14, CR = 0x18, PRIVCFGR = 0x1c, SECCFGR = 0x20,
    WPR = 0x24, CALR = 0x28, ALRMAR = 0x40, ALRMASSR = 0x44, ALRMBR = 0x48, ALRMBSSR = 0x4c, SR = 0x50, MISR = 0x54,
    SMISR = 0x58, SCR = 0x5c,
    WORDS = SCR / 4 + 1,

    WUTWF = 1 << 2, INITS = 1 << 4, RSF = 1 << 5, INITF = 1 << 6, INIT = 1 << 7, BINARY = 0x1f00, /* ICSR */
    BYPSHAD = 1 << 5, FMT = 1 << 6, ALRAE = 1 << 8, WUTE = 1 << 10, ALRAIE = 1 << 12, WUTIE = 1 << 14, /* CR */
    ADD1H = 1 << 16, SUB1H = 1 << 17, BKP = 1 << 18, WUCKSEL = 7, CR_MODELLED = 0x77767,
    WUT_BITS = WUCKSEL | WUTE | WUTIE,
    ALRAF = 1 << 0, WUTF = 1 << 2, FLAGS = 7, /* SR; ALRxIE and WUTIE are the same bits, 12 higher */
    SEC = 1 << 15, INITSEC = 1 << 14, CALSEC = 1 << 13, WUTSEC = 1 << 2, ALRASEC = 1 << 0, /* SECCFGR */
    MSK = 1 << 7, WDSEL = 1 << 30,
    KEY1 = 0xca, KEY2 = 0x53,
    PRER_RESET = 0x7f00ff, WUTR_RESET = 0xffff,

    ALARMS = 2,
    DAY = 24 * 60 * 60,
    DAYS = 100 * 365 + 25, /* of the years 2000 to 2099 */
    SYNCHRONIZATION = 2,   /* cycles of RTCCLK, until the shadow registers are right */
};

struct Stm32Rtc {
    Stm32Peripheral parent_obj;
    Stm32Pwr *pwr;
    Clock *clock;
    uint64_t clock_hz;

    uint32_t reg[WORDS]; /* what is not told below */
    uint32_t flags;
    bool initializing;
    enum { LOCKED, HALF_OPEN, OPEN } protection;

    /* The calendar: it was at base_tick at base_ns. A tick is one of ck_apre, RTC_SSR counts them down. */
    int64_t base_tick, base_ns;
    unsigned weekday_of_day_0; /* 0 to 6 */
    int64_t synchronized_at;
    bool time_is_latched, date_is_latched;
    uint32_t latched_time, latched_date;

    int64_t alarm_tick[ALARMS]; /* when it may match next; -1: never */
    int64_t wakeup_from;        /* ns */
    QEMUTimer *timer;
    qemu_irq irq[2]; /* Non-secure, Secure */
};

/* --- the calendar --- */

static int64_t ticks_a_second(Stm32Rtc *s)
{
    return extract32(s->reg[PRER / 4], 0, 15) + 1;
}

static uint32_t cycles_a_tick(Stm32Rtc *s)
{
    return extract32(s->reg[PRER / 4], 16, 7) + 1;
}

static bool running(Stm32Rtc *s)
{
    return s->clock_hz && !s->initializing;
}

static int64_t now_tick(Stm32Rtc *s)
{
    if (!running(s)) {
        return s->base_tick;
    }
    const int64_t passed = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - s->base_ns;
    return s->base_tick + muldiv64(passed, s->clock_hz, NANOSECONDS_PER_SECOND) / cycles_a_tick(s);
}

static int64_t ns_of_tick(Stm32Rtc *s, int64_t tick)
{
    const uint64_t cycles = (uint64_t)MAX(tick - s->base_tick, 0) * cycles_a_tick(s);
    return s->base_ns + muldiv64(cycles, NANOSECONDS_PER_SECOND, s->clock_hz) + 1;
}

static void set_tick(Stm32Rtc *s, int64_t tick)
{
    const int64_t turn = (int64_t)DAYS * DAY * ticks_a_second(s);
    s->base_tick = (tick % turn + turn) % turn;
    s->base_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static int64_t second_of(Stm32Rtc *s, int64_t tick)
{
    return tick / ticks_a_second(s) % ((int64_t)DAYS * DAY);
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month] + (month == 1 && year % 4 == 0);
}

static uint32_t time_register(Stm32Rtc *s, int64_t second)
{
    const unsigned hour = second % DAY / 3600, minute = second / 60 % 60;
    const bool twelve = s->reg[CR / 4] & FMT;
    const unsigned shown = twelve ? (hour + 11) % 12 + 1 : hour;
    return (twelve && hour >= 12) << 22 | to_bcd(shown) << 16 | to_bcd(minute) << 8 | to_bcd(second % 60);
}

static uint32_t date_register(Stm32Rtc *s, int64_t second)
{
    unsigned day = second / DAY, year = 0, month = 0;
    const unsigned weekday = (s->weekday_of_day_0 + day) % 7 + 1;
    for (; day >= days_of_month(year, month); month == 11 ? month = 0, year++ : month++) {
        day -= days_of_month(year, month);
    }
    return to_bcd(year) << 16 | weekday << 13 | to_bcd(month + 1) << 8 | to_bcd(day + 1);
}

/* Whatever is written is made a time, as far as it is none. */
static int64_t second_of_day(Stm32Rtc *s, uint32_t time)
{
    unsigned hour = from_bcd(extract32(time, 16, 6));
    if (s->reg[CR / 4] & FMT) {
        hour = hour % 12 + (time >> 22 & 1 ? 12 : 0);
    }
    return (hour * 3600 + from_bcd(extract32(time, 8, 7)) * 60 + from_bcd(extract32(time, 0, 7))) % DAY;
}

static void set_date(Stm32Rtc *s, uint32_t date, int64_t time_of_day)
{
    const unsigned year = from_bcd(extract32(date, 16, 8)) % 100;
    const unsigned month = MIN(MAX(from_bcd(extract32(date, 8, 5)), 1) - 1, 11);
    const unsigned weekday = MAX(extract32(date, 13, 3), 1) - 1;
    int64_t day = MAX(from_bcd(extract32(date, 0, 6)), 1) - 1;
    for (unsigned y = 0; y < year; y++) {
        day += y % 4 ? 365 : 366;
    }
    for (unsigned m = 0; m < month; m++) {
        day += days_of_month(year, m);
    }
    day %= DAYS;
    s->weekday_of_day_0 = (weekday + 7 - day % 7) % 7;
    set_tick(s, (day * DAY + time_of_day) * ticks_a_second(s));
}

/* --- alarms, wake-up timer, interrupts --- */

static bool alarm_matches(Stm32Rtc *s, int n, int64_t tick)
{
    const uint32_t alarm = s->reg[ALRMAR / 4 + 2 * n];
    const int64_t second = second_of(s, tick);
    const uint32_t time = time_register(s, second), date = date_register(s, second);
    uint32_t wrong = alarm ^ (time | extract32(date, 0, 6) << 24);

    if (alarm & WDSEL) {
        wrong = deposit32(wrong, 24, 6, extract32(alarm, 24, 4) ^ extract32(date, 13, 3));
    }
    for (int field = 0; field < 4; field++) { /* seconds, minutes, hours, day */
        const uint32_t bits = field < 3 ? 0x7f : 0x3f;
        if (!(alarm >> 8 * field & MSK) && (wrong >> 8 * field & bits)) {
            return false;
        }
    }
    return true;
}

/* The next tick after this one where RTC_SSR is what RTC_ALRMxSSR wants; without MASKSS that is where a second begins. */
static int64_t next_alarm_tick(Stm32Rtc *s, int n, int64_t tick)
{
    const uint32_t wanted = s->reg[ALRMASSR / 4 + 2 * n], bits = MIN(extract32(wanted, 24, 6), 15);
    const int64_t second = ticks_a_second(s), step = 1ll << bits;
    if (!bits) {
        return (tick / second + 1) * second;
    }
    /* Of a second's ticks: those that have the same remainder as PREDIV_S - SS. */
    const int64_t first = (second - 1 - extract32(wanted, 0, bits) + step) % step, at = tick % second;
    const int64_t next = at < first ? first : first + ((at - first) / step + 1) * step;
    return first >= second ? -1 : next < second ? tick - at + next : tick - at + second + first;
}

static void restart_alarms(Stm32Rtc *s)
{
    for (int n = 0; n < ALARMS; n++) {
        s->alarm_tick[n] = next_alarm_tick(s, n, now_tick(s));
    }
}

/* RTC_CR.WUCKSEL: RTCCLK / 16, 8, 4 or 2; or seconds, from 4 on, and 2^16 more of them from 6 on. */
static int64_t wakeup_period(Stm32Rtc *s)
{
    const unsigned source = s->reg[CR / 4] & WUCKSEL;
    const uint64_t count = s->reg[WUTR / 4] + 1 + (source >= 6 ? 0x10000 : 0);
    const uint64_t cycles = source < 4 ? 16 >> source : cycles_a_tick(s) * ticks_a_second(s);
    return MAX(muldiv64(count * cycles, NANOSECONDS_PER_SECOND, s->clock_hz), 1);
}

static uint32_t masked_flags(Stm32Rtc *s, bool secure)
{
    const uint32_t secure_ones = s->reg[SECCFGR / 4] & SEC ? FLAGS : s->reg[SECCFGR / 4] & FLAGS;
    return s->flags & s->reg[CR / 4] >> 12 & (secure ? secure_ones : FLAGS & ~secure_ones);
}

/* Sets flags up to now, the interrupt lines, and the timer for what comes next. */
static void update(Stm32Rtc *s)
{
    const int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL), tick = now_tick(s);
    int64_t next = INT64_MAX;

    for (int n = 0; running(s) && n < ALARMS; n++) {
        const bool waits = s->reg[CR / 4] & ALRAE << n;
        while (waits && s->alarm_tick[n] >= 0 && s->alarm_tick[n] <= tick) {
            s->flags |= alarm_matches(s, n, s->alarm_tick[n]) ? ALRAF << n : 0;
            s->alarm_tick[n] = next_alarm_tick(s, n, s->alarm_tick[n]);
        }
        if (waits && s->alarm_tick[n] >= 0) {
            next = MIN(next, ns_of_tick(s, s->alarm_tick[n]));
        }
    }
    if ((s->reg[CR / 4] & WUTE) && s->clock_hz) {
        const int64_t period = wakeup_period(s), turns = (now - s->wakeup_from) / period;
        s->flags |= turns > 0 ? WUTF : 0;
        s->wakeup_from += turns * period;
        next = MIN(next, s->wakeup_from + period);
    }
    if (next == INT64_MAX) {
        timer_del(s->timer);
    } else {
        timer_mod(s->timer, next);
    }
    qemu_set_irq(s->irq[0], masked_flags(s, false) != 0);
    qemu_set_irq(s->irq[1], masked_flags(s, true) != 0);
}

static void on_timer(void *opaque)
{
    update(opaque);
}

/* --- registers --- */

static bool exists(uint32_t offset)
{
    return offset <= CALR || (offset >= ALRMAR && offset <= SCR);
}

static uint32_t status(Stm32Rtc *s)
{
    const bool synchronized = running(s) && !(s->reg[CR / 4] & BYPSHAD) &&
                              qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) >= s->synchronized_at;
    return (s->reg[CR / 4] & WUTE ? 0 : WUTWF) | (synchronized ? RSF : 0) | (s->initializing ? INIT : 0) |
           (s->initializing && s->clock_hz ? INITF : 0) | (date_register(s, second_of(s, now_tick(s))) >> 16 ? INITS : 0);
}

static void lose_synchronization(Stm32Rtc *s)
{
    s->time_is_latched = s->date_is_latched = false;
    s->synchronized_at = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    s->synchronized_at += s->clock_hz ? SYNCHRONIZATION * NANOSECONDS_PER_SECOND / s->clock_hz : 0;
}

/* "Reading the calendar": RTC_SSR or RTC_TR, read, hold the registers above them until RTC_DR is read. */
static uint32_t read_calendar(Stm32Rtc *s, uint32_t offset)
{
    const bool shadows = !(s->reg[CR / 4] & BYPSHAD);
    const int64_t tick = now_tick(s), second = second_of(s, tick);
    const uint32_t time = s->time_is_latched ? s->latched_time : time_register(s, second);
    const uint32_t date = s->date_is_latched ? s->latched_date : date_register(s, second);

    s->time_is_latched = shadows && (offset == SSR || (offset == TR && s->time_is_latched));
    s->date_is_latched = shadows && offset != DR;
    s->latched_time = time;
    s->latched_date = date;
    return offset == TR ? time : offset == DR ? date : ticks_a_second(s) - 1 - tick % ticks_a_second(s);
}

static bool rtc_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Rtc *s = STM32_RTC(p);

    switch (offset) {
    case TR:
    case DR:
    case SSR:
        *value = read_calendar(s, offset);
        break;
    case ICSR:
        *value = status(s);
        break;
    case WPR:
    case SCR:
        *value = 0;
        break;
    case SR:
        *value = s->flags;
        break;
    case MISR:
        *value = masked_flags(s, false);
        break;
    case SMISR:
        *value = access.secure ? masked_flags(s, true) : 0;
        break;
    default:
        *value = exists(offset) ? s->reg[offset / 4] : 0;
    }
    return exists(offset);
}

/* Which bits of a register RTC_SECCFGR keeps from Non-secure writes. */
static uint32_t secure_bits(Stm32Rtc *s, uint32_t offset)
{
    const uint32_t config = s->reg[SECCFGR / 4];
    const uint32_t init = config & INITSEC ? UINT32_MAX : 0, wakeup = config & WUTSEC ? UINT32_MAX : 0;

    if ((config & SEC) || offset == SECCFGR) {
        return UINT32_MAX;
    }
    switch (offset) {
    case TR:
    case DR:
    case PRER:
        return init;
    case ICSR:
        return init & (INIT | BINARY);
    case CALR:
        return config & CALSEC ? UINT32_MAX : 0;
    case WUTR:
        return wakeup;
    case CR:
        return (init & (FMT | ADD1H | SUB1H | BKP)) | (wakeup & WUT_BITS) | (config & 3) * (ALRAE | ALRAIE);
    case ALRMAR ... ALRMBSSR:
        return config & ALRASEC << (offset - ALRMAR) / 8 ? UINT32_MAX : 0;
    case SCR:
        return config & FLAGS;
    default:
        return 0;
    }
}

/* "RTC register write protection": what RTC_WPR guards. */
static uint32_t protected_bits(uint32_t offset)
{
    switch (offset) {
    case TR:
    case DR:
    case PRER:
    case CALR:
        return UINT32_MAX;
    case ICSR:
        return INIT | BINARY;
    case CR:
        return FMT | ADD1H | SUB1H;
    default:
        return 0;
    }
}

static void write_key(Stm32Rtc *s, uint32_t key)
{
    s->protection = key == KEY1 ? HALF_OPEN : key == KEY2 && s->protection == HALF_OPEN ? OPEN : LOCKED;
}

static bool write_status(Stm32Rtc *s, uint32_t value)
{
    if (value & BINARY) {
        return false;
    }
    if (!(value & RSF)) {
        lose_synchronization(s);
    }
    if (s->initializing != ((value & INIT) != 0)) {
        const int64_t second = ticks_a_second(s);
        set_tick(s, now_tick(s) / second * second); /* the prescalers begin anew */
        s->initializing = value & INIT;
        lose_synchronization(s);
        restart_alarms(s);
    }
    return true;
}

static void move_hours(Stm32Rtc *s, int hours)
{
    const int64_t tick = now_tick(s);
    if (hours > 0 || second_of(s, tick) % DAY >= 3600) { /* SUB1H has no effect if the hour is 0 */
        set_tick(s, tick + hours * 3600 * ticks_a_second(s));
        restart_alarms(s);
    }
}

static bool write_control(Stm32Rtc *s, uint32_t value)
{
    const uint32_t old = s->reg[CR / 4];
    const uint32_t fixed = (s->initializing ? 0 : FMT) | (old & WUTE ? WUCKSEL : 0);

    if (value & ~CR_MODELLED) {
        return false;
    }
    s->reg[CR / 4] = ((value & ~fixed) | (old & fixed)) & ~(ADD1H | SUB1H);
    if (value & ~old & WUTE) {
        s->wakeup_from = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    }
    if (value & ~old & (ALRAE << 0 | ALRAE << 1)) {
        restart_alarms(s);
    }
    if (!s->initializing && (value & (ADD1H | SUB1H))) {
        move_hours(s, value & ADD1H ? 1 : -1);
    }
    return true;
}

/* While RTC_ICSR.INITF is set. A change of the prescaler leaves the second as it is. */
static void write_while_initializing(Stm32Rtc *s, uint32_t offset, uint32_t value)
{
    const int64_t second = second_of(s, s->base_tick);
    if (!(status(s) & INITF)) {
        return;
    }
    if (offset == TR) {
        set_tick(s, (second / DAY * DAY + second_of_day(s, value)) * ticks_a_second(s));
    } else if (offset == DR) {
        set_date(s, value, second % DAY);
    } else {
        s->reg[PRER / 4] = value & 0x7f7fff;
        set_tick(s, second * ticks_a_second(s));
    }
}

static bool rtc_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Rtc *s = STM32_RTC(p);
    uint32_t old = 0, kept;
    bool is_modelled = true;

    if (!exists(offset)) {
        return false;
    }
    if (s->pwr && !stm32_pwr_backup_writable(s->pwr)) {
        stm32_complain("RTC: written while PWR_DBPR.DBP is 0");
        return true;
    }
    update(s);
    kept = (access.secure ? 0 : secure_bits(s, offset)) | (s->protection == OPEN ? 0 : protected_bits(offset));
    if (offset == ICSR) {
        old = s->initializing ? INIT : 0;
    } else if (offset != SCR) {
        old = s->reg[offset / 4];
    }
    value = (value & ~kept) | (old & kept);
    switch (offset) {
    case TR:
    case DR:
    case PRER:
        if (!kept) {
            write_while_initializing(s, offset, value);
        }
        break;
    case ICSR:
        is_modelled = write_status(s, value);
        break;
    case WUTR:
        if (value >> 16) { /* WUTOCLR */
            is_modelled = false;
        } else if (!(s->reg[CR / 4] & WUTE)) {
            s->reg[WUTR / 4] = value;
        }
        break;
    case CR:
        is_modelled = write_control(s, value);
        break;
    case WPR:
        if (!kept) {
            write_key(s, value & 0xff);
        }
        break;
    case CALR:
    case PRIVCFGR:
    case SECCFGR:
        s->reg[offset / 4] = value & 0xffff;
        break;
    case ALRMAR ... ALRMBSSR: /* "Programming the alarm": while it is off */
        if (s->initializing || !(s->reg[CR / 4] & ALRAE << (offset - ALRMAR) / 8)) {
            s->reg[offset / 4] = value;
        }
        break;
    case SCR:
        s->flags &= ~value;
        break;
    default: /* SSR, SR, MISR, SMISR: read only */
        break;
    }
    update(s);
    return is_modelled;
}

static void on_clock(void *opaque, ClockEvent event)
{
    Stm32Rtc *s = opaque;
    set_tick(s, now_tick(s)); /* by the old rate */
    s->wakeup_from = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    s->clock_hz = clock_get_hz(s->clock);
    lose_synchronization(s);
    restart_alarms(s);
    update(s);
}

/* RCC_BDCR.BDRST, and the first power-on. */
static void on_backup_reset(void *opaque, int line, int level)
{
    Stm32Rtc *s = opaque;
    if (!level) {
        return;
    }
    memset(s->reg, 0, sizeof(s->reg));
    s->reg[PRER / 4] = PRER_RESET;
    s->reg[WUTR / 4] = WUTR_RESET;
    s->flags = 0;
    s->initializing = false;
    s->protection = LOCKED;
    s->weekday_of_day_0 = 0;
    set_tick(s, 0);
    lose_synchronization(s);
    restart_alarms(s);
    update(s);
}

static void rtc_reset(DeviceState *dev)
{
    Stm32Rtc *s = STM32_RTC(dev);
    lose_synchronization(s);
    update(s);
}

static void rtc_init(Object *object)
{
    Stm32Rtc *s = STM32_RTC(object);
    s->clock = qdev_init_clock_in(DEVICE(s), "clock", on_clock, s, ClockUpdate);
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_timer, s);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq[0]);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq[1]);
    qdev_init_gpio_in_named(DEVICE(s), on_backup_reset, STM32_RCC_BACKUP_RESET, 1);
    on_backup_reset(s, 0, 1);
}

static Property rtc_properties[] = {
    DEFINE_PROP_LINK("pwr", Stm32Rtc, pwr, TYPE_STM32_PWR, Stm32Pwr *),
    DEFINE_PROP_END_OF_LIST(),
};

static void rtc_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = rtc_reset;
    device_class_set_props(DEVICE_CLASS(class), rtc_properties);
    peripheral->read = rtc_read;
    peripheral->write = rtc_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_RTC,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Rtc),
        .instance_init = rtc_init,
        .class_init = rtc_class_init,
    },
};

DEFINE_TYPES(types)
