/*
 * Oscillators, PLLs, clock tree, clock enables, reset causes: RM0456, chapter "Reset and clock control (RCC)".
 *
 * Oscillators and PLLs are ready at once. RCC_SECCFGR and RCC_PRIVCFGR are kept, and what is Secure by them ignores Non-secure
 * writes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/irq.h"
#include "hw/qdev-clock.h"
#include "hw/qdev-properties.h"
#include "rcc.h"
#include "sysemu/runstate.h"

enum {
    CR = 0x00, ICSCR1 = 0x08, ICSCR2 = 0x0c, ICSCR3 = 0x10, CRRCR = 0x14, CFGR1 = 0x1c, CFGR2 = 0x20, CFGR3 = 0x24,
    PLL1CFGR = 0x28, PLL1DIVR = 0x34, PLL1FRACR = 0x38, PLL3FRACR = 0x48, CIER = 0x50, CIFR = 0x54, CICR = 0x58,
    AHB1RSTR = 0x60, APB3RSTR = 0x80, AHB1ENR = 0x88, AHB2ENR1 = 0x8c, AHB3ENR = 0x94, APB1ENR1 = 0x9c, APB3ENR = 0xa8,
    AHB1SMENR = 0xb0, SRDAMR = 0xd8, CCIPR1 = 0xe0, CCIPR2 = 0xe4, CCIPR3 = 0xe8, BDCR = 0xf0, CSR = 0xf4, SECCFGR = 0x110,
    PRIVCFGR = 0x114,
    WORDS = PRIVCFGR / 4 + 1,
    ENABLE_TO_RESET = AHB1ENR - AHB1RSTR,
};

enum {
    /* RCC_CR: each "on" bit and the "ready" bit that follows it. */
    MSISON = 1 << 0, MSISRDY = 1 << 2, MSIKON = 1 << 4, MSIKRDY = 1 << 5, HSION = 1 << 8, HSIRDY = 1 << 10,
    HSI48ON = 1 << 12, HSI48RDY = 1 << 13, SHSION = 1 << 14, SHSIRDY = 1 << 15, HSEON = 1 << 16, HSERDY = 1 << 17,
    PLL1ON = 1 << 24, PLL1RDY = 1 << 25, PLL2ON = 1 << 26, PLL2RDY = 1 << 27, PLL3ON = 1 << 28, PLL3RDY = 1 << 29,
    CR_RESET = 0x35,
    ICSCR1_RESET = 0x44000000, ICSCR1_MSIRGSEL = 1 << 23,
    PLLDIVR_RESET = 0x01010280, PLLCFGR_REN = 1 << 18, PLLCFGR_FRACEN = 1 << 4,
    LSEON = 1 << 0, LSERDY = 1 << 1, LSESYSEN = 1 << 7, RTCSEL = 3 << 8, LSESYSRDY = 1 << 11, RTCEN = 1 << 15,
    BDRST = 1 << 16, LSION = 1 << 26, LSIRDY = 1 << 27,
    APB1ENR1_WWDGEN = 1 << 11,
    CSR_RMVF = 1 << 23, CSR_CAUSES = 0xfe000000, CSR_RANGES_RESET = 0x4400,
    HSI16_HZ = 16000000, HSI48_HZ = 48000000, LSI_HZ = 32000, LSE_HZ = 32768,
    SERVED = 64,
};

static const uint32_t cause_flags[RESET_CAUSES] = {
    [RESET_OPTION_BYTES] = 1 << 25, [RESET_SOFTWARE] = 1 << 28, [RESET_IWDG] = 1 << 29, [RESET_WWDG] = 1 << 30,
};
enum { FLAG_PIN = 1 << 26, FLAG_BROWN_OUT = 1 << 27 };

static const struct { uint32_t on, ready; } oscillators[] = {
    { MSISON, MSISRDY }, { MSIKON, MSIKRDY }, { HSION, HSIRDY }, { HSI48ON, HSI48RDY }, { SHSION, SHSIRDY },
    { HSEON, HSERDY }, { PLL1ON, PLL1RDY }, { PLL2ON, PLL2RDY }, { PLL3ON, PLL3RDY },
};

/* RCC_ICSCR1.MSISRANGE */
static const uint32_t msi_hz[16] = {
    48000000, 24000000, 16000000, 12000000, 4000000, 2000000, 1330000, 1000000,
    3072000, 1536000, 1024000, 768000, 400000, 200000, 133000, 100000,
};

/* Kernel clocks that RCC_CCIPRn choose: what each value of the field stands for. */
typedef enum Source { PCLK1, PCLK2, PCLK3, SYSCLK, HSI16, LSE, LSI, MSIK, HSI48, HSI48_HALF } Source;
static const struct { const char *name; uint32_t reg; uint8_t shift, bits; Source of[5]; } kernel_clocks[] = {
    { "usart1", CCIPR1, 0, 2, { PCLK2, SYSCLK, HSI16, LSE } },
    { "usart2", CCIPR1, 2, 2, { PCLK1, SYSCLK, HSI16, LSE } },
    { "usart3", CCIPR1, 4, 2, { PCLK1, SYSCLK, HSI16, LSE } },
    { "uart4", CCIPR1, 6, 2, { PCLK1, SYSCLK, HSI16, LSE } },
    { "uart5", CCIPR1, 8, 2, { PCLK1, SYSCLK, HSI16, LSE } },
    { "lpuart1", CCIPR3, 0, 3, { PCLK3, SYSCLK, HSI16, LSE, MSIK } },
    { "lptim1", CCIPR3, 10, 2, { MSIK, LSI, HSI16, LSE } },
    { "lptim2", CCIPR1, 18, 2, { PCLK1, LSI, HSI16, LSE } },
    { "lptim34", CCIPR3, 8, 2, { MSIK, LSI, HSI16, LSE } },
    { "rng", CCIPR2, 12, 2, { HSI48, HSI48_HALF, HSI16, HSI16 } },
};

struct Stm32Rcc {
    Stm32Peripheral parent_obj;
    uint32_t hse_hz;
    uint32_t reg[WORDS];
    uint32_t causes; /* for RCC_CSR after the reset that comes */
    struct { Stm32Peripheral *p; uint32_t enable, mask; } served[SERVED];
    unsigned served_count;
    Clock *hclk, *systick, *pclk1, *rtc, *tim1, *tim2, *kernel[ARRAY_SIZE(kernel_clocks)];
    qemu_irq irq[2], backup_reset[BACKUP_RESETS];
    Stm32Pwr *pwr;
};

static uint32_t msis_hz(const uint32_t *reg)
{
    return msi_hz[reg[ICSCR1 / 4] & ICSCR1_MSIRGSEL ? reg[ICSCR1 / 4] >> 28 : extract32(reg[CSR / 4], 12, 4)];
}

static uint32_t msik_hz(const uint32_t *reg)
{
    return msi_hz[reg[ICSCR1 / 4] & ICSCR1_MSIRGSEL ? extract32(reg[ICSCR1 / 4], 24, 4) : extract32(reg[CSR / 4], 8, 4)];
}

/* RCC_PLL1CFGR and RCC_PLL1DIVR: fVCO = fin / M * (N + FRACN / 8192), output R. 0 if it is off. */
static uint32_t pll1_hz(Stm32Rcc *s)
{
    const uint32_t config = s->reg[PLL1CFGR / 4], divide = s->reg[PLL1DIVR / 4];
    const uint32_t inputs[4] = { 0, msis_hz(s->reg), HSI16_HZ, s->hse_hz };
    const uint64_t input = inputs[config & 3] / (extract32(config, 8, 4) + 1);
    const uint64_t fraction = config & PLLCFGR_FRACEN ? extract32(s->reg[PLL1FRACR / 4], 3, 13) : 0;
    const uint64_t vco = input * ((uint64_t)(extract32(divide, 0, 9) + 1) * 8192 + fraction) / 8192;

    return (s->reg[CR / 4] & PLL1ON) && (config & PLLCFGR_REN) ? vco / (extract32(divide, 24, 7) + 1) : 0;
}

static uint32_t sysclk_hz(Stm32Rcc *s)
{
    switch (s->reg[CFGR1 / 4] & 3) {
    case 0:
        return msis_hz(s->reg);
    case 1:
        return HSI16_HZ;
    case 2:
        return s->hse_hz;
    default:
        return pll1_hz(s);
    }
}

/* RCC_CFGR2.HPRE: 0xxx not divided, then 2 to 512 without 32. */
static uint32_t ahb_hz(Stm32Rcc *s)
{
    const unsigned divider = s->reg[CFGR2 / 4] & 0xf;
    return sysclk_hz(s) >> (divider < 8 ? 0 : divider - 7 + (divider >= 12));
}

static unsigned apb_shift(uint32_t field)
{
    return field & 4 ? (field & 3) + 1 : 0;
}

/* RCC, "Timer clock": HCLK if the APB divider is 1 or 2, else twice the APB clock. */
static uint32_t timer_hz(Stm32Rcc *s, unsigned shift)
{
    return ahb_hz(s) >> (shift > 1 ? shift - 1 : 0);
}

static uint32_t source_hz(Stm32Rcc *s, Source source)
{
    const uint32_t cr = s->reg[CR / 4], cfgr2 = s->reg[CFGR2 / 4];
    switch (source) {
    case PCLK1:
        return ahb_hz(s) >> apb_shift(extract32(cfgr2, 4, 3));
    case PCLK2:
        return ahb_hz(s) >> apb_shift(extract32(cfgr2, 8, 3));
    case PCLK3:
        return ahb_hz(s) >> apb_shift(extract32(s->reg[CFGR3 / 4], 4, 3));
    case SYSCLK:
        return sysclk_hz(s);
    case HSI16:
        return cr & HSION ? HSI16_HZ : 0;
    case LSE:
        return s->reg[BDCR / 4] & LSEON ? LSE_HZ : 0;
    case LSI:
        return s->reg[BDCR / 4] & LSION ? LSI_HZ : 0;
    case MSIK:
        return cr & MSIKON ? msik_hz(s->reg) : 0;
    case HSI48:
        return cr & HSI48ON ? HSI48_HZ : 0;
    case HSI48_HALF:
        return cr & HSI48ON ? HSI48_HZ / 2 : 0;
    }
    g_assert_not_reached();
}

/* RCC_CCIPR1.SYSTICKSEL: HCLK / 8, LSI, LSE. */
static uint32_t systick_hz(Stm32Rcc *s)
{
    switch (extract32(s->reg[CCIPR1 / 4], 22, 2)) {
    case 0:
        return ahb_hz(s) / 8;
    case 1:
        return source_hz(s, LSI);
    default:
        return source_hz(s, LSE);
    }
}

/* RCC_BDCR.RTCSEL: none, LSE, LSI, HSE / 32. */
static uint32_t rtc_hz(Stm32Rcc *s)
{
    const uint32_t bdcr = s->reg[BDCR / 4];
    const uint32_t hz[4] = { 0, source_hz(s, LSE), source_hz(s, LSI), s->reg[CR / 4] & HSEON ? s->hse_hz / 32 : 0 };
    return bdcr & RTCEN ? hz[extract32(bdcr, 8, 2)] : 0;
}

static void update_clocks(Stm32Rcc *s)
{
    const uint32_t cfgr2 = s->reg[CFGR2 / 4];

    clock_update_hz(s->hclk, ahb_hz(s));
    clock_update_hz(s->systick, systick_hz(s));
    clock_update_hz(s->pclk1, source_hz(s, PCLK1));
    clock_update_hz(s->rtc, rtc_hz(s));
    clock_update_hz(s->tim1, timer_hz(s, apb_shift(extract32(cfgr2, 4, 3))));
    clock_update_hz(s->tim2, timer_hz(s, apb_shift(extract32(cfgr2, 8, 3))));
    for (int i = 0; i < ARRAY_SIZE(kernel_clocks); i++) {
        const unsigned field = extract32(s->reg[kernel_clocks[i].reg / 4], kernel_clocks[i].shift, kernel_clocks[i].bits);
        clock_update_hz(s->kernel[i], source_hz(s, kernel_clocks[i].of[MIN(field, 4)]));
    }
}

uint32_t stm32_rcc_hclk_hz(Stm32Rcc *s)
{
    return ahb_hz(s);
}

void stm32_rcc_serve(Stm32Rcc *s, Stm32Peripheral *p, uint32_t enable, unsigned bit)
{
    assert(s->served_count < SERVED);
    s->served[s->served_count].p = p;
    s->served[s->served_count].enable = enable;
    s->served[s->served_count].mask = 1u << bit;
    s->served_count++;
    p->clock_enable = &s->reg[enable / 4];
    p->clock_mask = 1u << bit;
}

void stm32_rcc_connect_pwr(Stm32Rcc *s, Stm32Pwr *pwr)
{
    s->pwr = pwr;
}

static void reset_served(Stm32Rcc *s, uint32_t enable, uint32_t bits)
{
    for (unsigned i = 0; i < s->served_count; i++) {
        if (s->served[i].enable == enable && (s->served[i].mask & bits)) {
            device_cold_reset(DEVICE(s->served[i].p));
        }
    }
}

static void write_cr(Stm32Rcc *s, uint32_t value)
{
    uint32_t *cr = &s->reg[CR / 4];
    /* RCC_CR: what runs the core cannot be switched off. */
    static const uint32_t in_use[4] = { MSISON, HSION, HSEON, PLL1ON };

    value |= in_use[s->reg[CFGR1 / 4] & 3];
    for (int i = 0; i < ARRAY_SIZE(oscillators); i++) {
        const bool has_it = oscillators[i].on != HSEON || s->hse_hz;
        value = (value & ~oscillators[i].ready) | (value & oscillators[i].on && has_it ? oscillators[i].ready : 0);
    }
    *cr = value;
}

/* RCC_CFGR1.SW: a source that is not ready is waited for: SWS stays. */
static void write_cfgr1(Stm32Rcc *s, uint32_t value)
{
    static const uint32_t ready[4] = { MSISRDY, HSIRDY, HSERDY, PLL1RDY };
    uint32_t status = s->reg[CFGR1 / 4] & 0xc;

    if ((s->reg[CR / 4] & ready[value & 3]) && ((value & 3) != 3 || pll1_hz(s))) {
        status = (value & 3) << 2;
    } else {
        stm32_complain("RCC: SYSCLK is switched to a source that does not run (RCC_CFGR1.SW = %u)", value & 3);
        value = (value & ~3u) | status >> 2;
    }
    s->reg[CFGR1 / 4] = (value & ~0xcu) | status;
}

static void write_bdcr(Stm32Rcc *s, uint32_t value)
{
    if (s->pwr && !stm32_pwr_backup_writable(s->pwr)) {
        stm32_complain("RCC: RCC_BDCR is written while PWR_DBPR.DBP is 0");
        return;
    }
    if (value & BDRST) {
        s->reg[BDCR / 4] = BDRST;
        for (int i = 0; i < BACKUP_RESETS; i++) {
            qemu_irq_pulse(s->backup_reset[i]);
        }
        return;
    }
    if (s->reg[BDCR / 4] & RTCSEL) { /* once chosen, until the domain is reset */
        value = (value & ~RTCSEL) | (s->reg[BDCR / 4] & RTCSEL);
    }
    value &= ~(LSERDY | LSESYSRDY | LSIRDY);
    value |= (value & LSEON ? LSERDY : 0) | (value & LSION ? LSIRDY : 0);
    value |= (value & LSEON) && (value & LSESYSEN) ? LSESYSRDY : 0;
    s->reg[BDCR / 4] = value;
}

/* Which bits of a register RCC_SECCFGR makes Secure. */
static uint32_t secure_bits(Stm32Rcc *s, uint32_t offset)
{
    static const struct { uint32_t reg, mask; uint8_t bit; } securable[] = {
        { CR, HSION | 1 << 9, 0 }, { CR, HSEON | 0x1c0000, 1 }, { CR, MSISON | MSIKON | 0xca, 2 }, { ICSCR1, ~0u, 2 },
        { BDCR, LSION | 1 << 28, 3 }, { BDCR, LSEON | 0x11fc, 4 }, { CFGR1, ~0u, 5 }, { CFGR2, ~0u, 6 }, { CFGR3, ~0u, 6 },
        { CR, PLL1ON, 7 }, { PLL1CFGR, ~0u, 7 }, { PLL1DIVR, ~0u, 7 }, { PLL1FRACR, ~0u, 7 }, { CR, PLL2ON, 8 },
        { CR, PLL3ON, 9 }, { CR, HSI48ON, 11 }, { CSR, ~0u, 12 },
    };
    uint32_t mask = 0;
    for (int i = 0; i < ARRAY_SIZE(securable); i++) {
        if (securable[i].reg == offset && (s->reg[SECCFGR / 4] >> securable[i].bit & 1)) {
            mask |= securable[i].mask;
        }
    }
    return mask;
}

static bool exists(uint32_t offset)
{
    switch (offset) {
    case CR:
    case ICSCR1 ... CRRCR:
    case CFGR1 ... PLL3FRACR:
    case CIER ... CICR:
    case AHB1RSTR ... AHB1RSTR + 0xc:
    case 0x74 ... APB3RSTR:
    case AHB1ENR ... AHB3ENR:
    case APB1ENR1 ... APB3ENR:
    case AHB1SMENR ... AHB1SMENR + 0xc:
    case 0xc4 ... 0xd0:
    case SRDAMR:
    case CCIPR1 ... CCIPR3:
    case BDCR:
    case CSR:
    case SECCFGR:
    case PRIVCFGR:
        return true;
    default:
        return false;
    }
}

static bool rcc_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Rcc *s = STM32_RCC(p);
    *value = exists(offset) ? s->reg[offset / 4] : 0;
    return exists(offset);
}

static bool rcc_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Rcc *s = STM32_RCC(p);

    if (!exists(offset)) {
        return false;
    }
    const uint32_t old = s->reg[offset / 4], kept = access.secure ? 0 : secure_bits(s, offset);
    value = (value & ~kept) | (old & kept);
    switch (offset) {
    case CR:
        write_cr(s, value);
        break;
    case CFGR1:
        write_cfgr1(s, value);
        break;
    case CIER: /* interrupts of ready flags */
        if (value) {
            return false;
        }
        break;
    case CICR:
        break;
    case AHB1RSTR ... APB3RSTR:
        reset_served(s, offset + ENABLE_TO_RESET, value & ~old);
        s->reg[offset / 4] = value;
        break;
    case APB1ENR1:
        s->reg[offset / 4] = value | (old & APB1ENR1_WWDGEN); /* until the next reset */
        break;
    case BDCR:
        write_bdcr(s, value);
        break;
    case CSR:
        s->reg[CSR / 4] = (value & 0xff00) | (value & CSR_RMVF ? 0 : old & CSR_CAUSES);
        break;
    case SECCFGR:
        if (access.secure) {
            s->reg[offset / 4] = value;
        }
        break;
    default:
        s->reg[offset / 4] = value;
        break;
    }
    update_clocks(s);
    return true;
}

static void on_reset_request(void *opaque, int cause, int level)
{
    Stm32Rcc *s = opaque;
    if (level) {
        s->causes |= cause_flags[cause] | FLAG_PIN; /* RCC, "System reset": internal resets drive NRST too */
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static void rcc_reset(DeviceState *dev)
{
    Stm32Rcc *s = STM32_RCC(dev);
    const uint32_t kept_domain = s->reg[BDCR / 4], kept_causes = s->reg[CSR / 4] & CSR_CAUSES;

    memset(s->reg, 0, sizeof(s->reg));
    s->reg[CR / 4] = CR_RESET;
    s->reg[ICSCR1 / 4] = ICSCR1_RESET;
    s->reg[PLL1DIVR / 4] = s->reg[PLL1DIVR / 4 + 2] = s->reg[PLL1DIVR / 4 + 4] = PLLDIVR_RESET;
    s->reg[AHB1ENR / 4] = 0xd0200100; /* SRAM1, DCACHE1, BKPSRAM, FLASH */
    s->reg[AHB2ENR1 / 4] = 0xc0000000; /* SRAM2, SRAM3 */
    s->reg[AHB3ENR / 4] = 0x80000000;  /* SRAM4 */
    for (uint32_t offset = AHB1SMENR; offset <= SRDAMR; offset += 4) {
        s->reg[offset / 4] = exists(offset) ? UINT32_MAX : 0;
    }
    s->reg[BDCR / 4] = kept_domain; /* the backup domain lives on */
    s->reg[CSR / 4] = CSR_RANGES_RESET | kept_causes | s->causes;
    s->causes = 0;
    update_clocks(s);
}

static void rcc_realize(DeviceState *dev, Error **errp)
{
    STM32_RCC(dev)->causes = FLAG_PIN | FLAG_BROWN_OUT;
}

static void rcc_init(Object *object)
{
    Stm32Rcc *s = STM32_RCC(object);
    DeviceState *dev = DEVICE(s);

    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq[0]);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq[1]);
    qdev_init_gpio_in_named(dev, on_reset_request, STM32_RCC_RESET, RESET_CAUSES);
    qdev_init_gpio_out_named(dev, s->backup_reset, STM32_RCC_BACKUP_RESET, BACKUP_RESETS);
    s->hclk = qdev_init_clock_out(dev, "hclk");
    s->systick = qdev_init_clock_out(dev, "systick");
    s->pclk1 = qdev_init_clock_out(dev, "pclk1");
    s->rtc = qdev_init_clock_out(dev, "rtc");
    s->tim1 = qdev_init_clock_out(dev, "tim1");
    s->tim2 = qdev_init_clock_out(dev, "tim2");
    for (int i = 0; i < ARRAY_SIZE(kernel_clocks); i++) {
        s->kernel[i] = qdev_init_clock_out(dev, kernel_clocks[i].name);
    }
}

static Property rcc_properties[] = {
    DEFINE_PROP_UINT32("hse-hz", Stm32Rcc, hse_hz, 16000000), /* the crystal; 0: none */
    DEFINE_PROP_END_OF_LIST(),
};

static void rcc_class_init(ObjectClass *class, void *data)
{
    DeviceClass *device = DEVICE_CLASS(class);
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    device->realize = rcc_realize;
    device->reset = rcc_reset;
    device_class_set_props(device, rcc_properties);
    peripheral->read = rcc_read;
    peripheral->write = rcc_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_RCC,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Rcc),
        .instance_init = rcc_init,
        .class_init = rcc_class_init,
    },
};

DEFINE_TYPES(types)
