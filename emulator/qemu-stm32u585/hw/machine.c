/*
 * STM32U585: the chip and a board with nothing but it.
 *
 * RM0456 is ST's reference manual of the STM32U5 series, DS13086 the data sheet of the STM32U585.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "qapi/error.h"
#include "exec/address-spaces.h"
#include "flash.h"
#include "gpdma.h"
#include "gtzc.h"
#include "hw/arm/armv7m.h"
#include "hw/arm/boot.h"
#include "hw/boards.h"
#include "hw/irq.h"
#include "hw/or-irq.h"
#include "hw/qdev-clock.h"
#include "hw/qdev-properties.h"
#include "nor.h"
#include "octospi.h"
#include "peripheral.h"
#include "power_cut.h"
#include "qemu/units.h"
#include "rcc.h"
#include "sysemu/reset.h"
#include "sysemu/sysemu.h"
#include "target/arm/idau.h"
#include "usart.h"

#define TYPE_STM32U585_MACHINE MACHINE_TYPE_NAME("stm32u585")
OBJECT_DECLARE_SIMPLE_TYPE(Stm32u585Machine, STM32U585_MACHINE)

enum {
    FLASH_SIZE = 2 * MiB,           /* RM0456, FLASH: two banks of 1 MiB, pages of 8 KiB */
    FLASH_BASE = 0x08000000,
    FLASH_SECURE_BASE = 0x0c000000,
    SECURE_ALIAS = 0x10000000,      /* of SRAM and peripherals */
    INFORMATION_BASE = 0x0bfa0000,  /* RM0456, FLASH: OTP area; "Device electronic signature" */
    INFORMATION_SIZE = 4 * KiB,
    UNIQUE_ID = 0x700,
    FLASH_SIZE_REGISTER = 0x7a0,
    DBGMCU_BASE = 0xe0044000,
    EXTERNAL_INTERRUPTS = 126,      /* RM0456, NVIC, table of vectors of the STM32U575/585 */
};

/* Addresses of its container that a core of 32 bits cannot reach. */
#define BEYOND_THE_CORE 0x100000000ull

struct Stm32u585Machine {
    MachineState parent;
    ARMv7MState armv7m;
    MemoryRegion background, information, flash_secure, flash;
    Stm32Flash *flash_device;
    Stm32Gtzc *gtzc[2];
    Stm32Gpdma *gpdma;
    Stm32Rcc *rcc;
    Stm32Peripheral *pwr;

    char *flash_path, *nor_path, *count_path;
    uint64_t nor_size;
    uint32_t flash_time;
    uint64_t cut_at;
    bool cut_torn;
};

/* RCC_xxxENR */
enum {
    AHB1ENR = 0x88, AHB2ENR1 = 0x8c, AHB2ENR2 = 0x90, AHB3ENR = 0x94, APB1ENR1 = 0x9c, APB1ENR2 = 0xa0, APB2ENR = 0xa4,
    APB3ENR = 0xa8,
};

/* RM0456, "Memory map and register boundary addresses"; NVIC, table of vectors. The order is that of creation and reset. */
typedef struct Entry {
    const char *name, *type;
    uint32_t base;
    int irq;           /* the first, -1: none */
    unsigned irqs;
    uint32_t enable;   /* register of RCC, 0: always clocked */
    unsigned bit;
    const char *clock; /* output of RCC that feeds its input "clock" */
    int serial;        /* number of the -serial option, -1: none */
    uint8_t timer_bits;
    uint8_t gtzc;      /* 1 or 2: that one guards it, by */
    uint8_t gtzc_bit;
} Entry;

static const Entry peripherals[] = {
    { "PWR", "stm32u585-pwr", 0x46020800, -1, 0, AHB3ENR, 2, NULL, -1 },
    { "ICACHE", "stm32u585-icache", 0x40030400, 107, 1, 0, 0, NULL, -1, 0, 1, STM32_GTZC_BIT(3, 6) },
    { "SYSCFG", "stm32u585-syscfg", 0x46000400, -1, 0, APB3ENR, 1, NULL, -1 },
    { "EXTI", "stm32u585-exti", 0x46022000, 11, 16, 0, 0, NULL, -1 },
    { "TAMP", "stm32u585-tamp", 0x46007c00, -1, 0, APB3ENR, 21, NULL, -1 },
    { "RTC", "stm32u585-rtc", 0x46007800, 2, 2, APB3ENR, 21, "rtc", -1 },
    { "IWDG", "stm32u585-iwdg", 0x40003000, 27, 1, 0, 0, NULL, -1, 0, 1, STM32_GTZC_BIT(1, 7) },
    { "WWDG", "stm32u585-wwdg", 0x40002c00, 0, 1, APB1ENR1, 11, "pclk1", -1, 0, 1, STM32_GTZC_BIT(1, 6) },
    { "RNG", "stm32u585-rng", 0x420c0800, 94, 1, AHB2ENR1, 18, "rng", -1, 0, 1, STM32_GTZC_BIT(3, 13) },
    { "HASH", "stm32u585-hash", 0x420c0400, 96, 1, AHB2ENR1, 17, NULL, -1, 0, 1, STM32_GTZC_BIT(3, 12) },
    { "GPIOA", "stm32u585-gpio", 0x42020000, -1, 0, AHB2ENR1, 0, NULL, -1 },
    { "GPIOB", "stm32u585-gpio", 0x42020400, -1, 0, AHB2ENR1, 1, NULL, -1 },
    { "GPIOC", "stm32u585-gpio", 0x42020800, -1, 0, AHB2ENR1, 2, NULL, -1 },
    { "GPIOD", "stm32u585-gpio", 0x42020c00, -1, 0, AHB2ENR1, 3, NULL, -1 },
    { "GPIOE", "stm32u585-gpio", 0x42021000, -1, 0, AHB2ENR1, 4, NULL, -1 },
    { "GPIOF", "stm32u585-gpio", 0x42021400, -1, 0, AHB2ENR1, 5, NULL, -1 },
    { "GPIOG", "stm32u585-gpio", 0x42021800, -1, 0, AHB2ENR1, 6, NULL, -1 },
    { "GPIOH", "stm32u585-gpio", 0x42021c00, -1, 0, AHB2ENR1, 7, NULL, -1 },
    { "GPIOI", "stm32u585-gpio", 0x42022000, -1, 0, AHB2ENR1, 8, NULL, -1 },
    { "USART3", TYPE_STM32_USART, 0x40004800, 63, 1, APB1ENR1, 18, "usart3", 0, 0, 1, STM32_GTZC_BIT(1, 10) },
    { "USART1", TYPE_STM32_USART, 0x40013800, 61, 1, APB2ENR, 14, "usart1", 1, 0, 1, STM32_GTZC_BIT(2, 3) },
    { "USART2", TYPE_STM32_USART, 0x40004400, 62, 1, APB1ENR1, 17, "usart2", 2, 0, 1, STM32_GTZC_BIT(1, 9) },
    { "LPUART1", TYPE_STM32_USART, 0x46002400, 66, 1, APB3ENR, 6, "lpuart1", 3, 0, 2, STM32_GTZC_BIT(1, 1) },
    { "UART4", TYPE_STM32_USART, 0x40004c00, 64, 1, APB1ENR1, 19, "uart4", 4, 0, 1, STM32_GTZC_BIT(1, 11) },
    { "UART5", TYPE_STM32_USART, 0x40005000, 65, 1, APB1ENR1, 20, "uart5", 5, 0, 1, STM32_GTZC_BIT(1, 12) },
    { "TIM2", "stm32u585-tim", 0x40000000, 45, 1, APB1ENR1, 0, "tim1", -1, 32, 1, STM32_GTZC_BIT(1, 0) },
    { "TIM3", "stm32u585-tim", 0x40000400, 46, 1, APB1ENR1, 1, "tim1", -1, 32, 1, STM32_GTZC_BIT(1, 1) },
    { "TIM4", "stm32u585-tim", 0x40000800, 47, 1, APB1ENR1, 2, "tim1", -1, 32, 1, STM32_GTZC_BIT(1, 2) },
    { "TIM5", "stm32u585-tim", 0x40000c00, 48, 1, APB1ENR1, 3, "tim1", -1, 32, 1, STM32_GTZC_BIT(1, 3) },
    { "TIM6", "stm32u585-tim", 0x40001000, 49, 1, APB1ENR1, 4, "tim1", -1, 16, 1, STM32_GTZC_BIT(1, 4) },
    { "TIM7", "stm32u585-tim", 0x40001400, 50, 1, APB1ENR1, 5, "tim1", -1, 16, 1, STM32_GTZC_BIT(1, 5) },
    { "TIM15", "stm32u585-tim", 0x40014000, 69, 1, APB2ENR, 16, "tim2", -1, 16, 1, STM32_GTZC_BIT(2, 4) },
    { "TIM16", "stm32u585-tim", 0x40014400, 70, 1, APB2ENR, 17, "tim2", -1, 16, 1, STM32_GTZC_BIT(2, 5) },
    { "TIM17", "stm32u585-tim", 0x40014800, 71, 1, APB2ENR, 18, "tim2", -1, 16, 1, STM32_GTZC_BIT(2, 6) },
    { "LPTIM1", "stm32u585-lptim", 0x46004400, 67, 1, APB3ENR, 11, "lptim1", -1, 0, 2, STM32_GTZC_BIT(1, 3) },
    { "LPTIM2", "stm32u585-lptim", 0x40009400, 68, 1, APB1ENR2, 5, "lptim2", -1, 0, 1, STM32_GTZC_BIT(1, 17) },
    { "LPTIM3", "stm32u585-lptim", 0x46004800, 98, 1, APB3ENR, 12, "lptim34", -1, 0, 2, STM32_GTZC_BIT(1, 4) },
    { "LPTIM4", "stm32u585-lptim", 0x46004c00, 110, 1, APB3ENR, 13, "lptim34", -1, 0, 2, STM32_GTZC_BIT(1, 5) },
};

/* What the chip has and this machine has not, for the message about an access. */
static const struct { const char *name; uint32_t base, size; } absent[] = {
    { "SPI2", 0x40003800, 0x400 }, { "I2C1", 0x40005400, 0x400 },
    { "I2C2", 0x40005800, 0x400 }, { "CRS", 0x40006000, 0x400 }, { "I2C4", 0x40008400, 0x400 },
    { "FDCAN1", 0x4000a400, 0xc00 }, { "UCPD1", 0x4000dc00, 0x400 },
    { "TIM1", 0x40012c00, 0x400 }, { "SPI1", 0x40013000, 0x400 }, { "TIM8", 0x40013400, 0x400 },
    { "SAI1", 0x40015400, 0x400 }, { "SAI2", 0x40015800, 0x400 },
    { "CORDIC", 0x40021000, 0x400 }, { "FMAC", 0x40021400, 0x400 }, { "CRC", 0x40023000, 0x400 },
    { "TSC", 0x40024000, 0x400 }, { "MDF1", 0x40025000, 0x1000 }, { "RAMCFG", 0x40026000, 0x1000 },
    { "DMA2D", 0x4002b000, 0xc00 }, { "DCACHE1", 0x40031400, 0x400 },
    { "BKPSRAM", 0x40036400, 0x800 }, { "ADC1", 0x42028000, 0x400 }, { "DCMI/PSSI", 0x4202c000, 0x800 },
    { "OTG_FS", 0x42040000, 0x40000 }, { "AES", 0x420c0000, 0x400 },
    { "SAES", 0x420c0c00, 0x400 }, { "PKA", 0x420c2000, 0x2000 }, { "OCTOSPIM", 0x420c4000, 0x400 },
    { "OTFDEC1", 0x420c5000, 0x400 }, { "OTFDEC2", 0x420c5400, 0x400 }, { "SDMMC1", 0x420c8000, 0x400 },
    { "SDMMC2", 0x420c8c00, 0x400 }, { "FSMC", 0x420d0400, 0x400 },
    { "SPI3", 0x46002000, 0x400 }, { "I2C3", 0x46002800, 0x400 },
    { "OPAMP", 0x46005000, 0x400 }, { "COMP", 0x46005400, 0x400 }, { "VREFBUF", 0x46007400, 0x400 },
    { "LPGPIO1", 0x46020000, 0x400 }, { "ADC4", 0x46021000, 0x400 },
    { "DAC1", 0x46021800, 0x400 }, { "ADF1", 0x46024000, 0x1000 },
    { "LPDMA1", 0x46025000, 0x1000 },
    { "FSMC memory", 0x60000000, 0x10000000 },
    { "system memory", 0x0bf90000, 0x8000 },
};

static const char *name_of(uint32_t address)
{
    const uint32_t plain = address >> 28 == 5 ? address - SECURE_ALIAS : address;
    for (int i = 0; i < ARRAY_SIZE(absent); i++) {
        if (plain >= absent[i].base && plain - absent[i].base < absent[i].size) {
            return absent[i].name;
        }
    }
    return NULL;
}

static MemTxResult background_read(void *opaque, hwaddr address, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    *data = 0;
    return stm32_not_modelled(name_of(address), address, false, size);
}

static MemTxResult background_write(void *opaque, hwaddr address, uint64_t data, unsigned size, MemTxAttrs attrs)
{
    return stm32_not_modelled(name_of(address), address, true, size);
}

static const MemoryRegionOps background_ops = {
    .read_with_attrs = background_read,
    .write_with_attrs = background_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static qemu_irq interrupt(Stm32u585Machine *s, unsigned number)
{
    return qdev_get_gpio_in(DEVICE(&s->armv7m), number);
}

static qemu_irq reset_line(Stm32u585Machine *s, ResetCause cause)
{
    return qdev_get_gpio_in_named(DEVICE(s->rcc), STM32_RCC_RESET, cause);
}

static DeviceState *new_device(Stm32u585Machine *s, const char *name, const char *type)
{
    DeviceState *dev = qdev_new(type);
    object_property_add_child(OBJECT(s), name, OBJECT(dev));
    return dev;
}

static void realize(DeviceState *dev)
{
    sysbus_realize_and_unref(SYS_BUS_DEVICE(dev), &error_fatal);
}

/* RCC and flash come first: the others and the core need them. */
static void create_rcc(Stm32u585Machine *s)
{
    DeviceState *dev = new_device(s, "RCC", TYPE_STM32_RCC);
    s->rcc = STM32_RCC(dev);
    realize(dev);
    stm32_peripheral_map(STM32_PERIPHERAL(dev), "RCC", 0x46020c00);
}

static void create_flash(Stm32u585Machine *s)
{
    DeviceState *dev = new_device(s, "FLASH", TYPE_STM32_FLASH);
    s->flash_device = STM32_FLASH(dev);
    if (s->flash_path) {
        qdev_prop_set_string(dev, "file", s->flash_path);
    }
    qdev_prop_set_uint32(dev, "time-percent", s->flash_time);
    realize(dev);
    stm32_peripheral_map(STM32_PERIPHERAL(dev), "FLASH", 0x40022000);
    stm32_rcc_serve(s->rcc, STM32_PERIPHERAL(dev), AHB1ENR, 8);
    memory_region_init_alias(&s->flash, NULL, "flash.nonsecure", stm32_flash_memory(s->flash_device), 0, FLASH_SIZE);
    memory_region_init_alias(&s->flash_secure, NULL, "flash.secure", stm32_flash_memory(s->flash_device), 0, FLASH_SIZE);
    memory_region_add_subregion(get_system_memory(), FLASH_BASE, &s->flash);
    memory_region_add_subregion(get_system_memory(), FLASH_SECURE_BASE, &s->flash_secure);
}

static void connect_flash(Stm32u585Machine *s)
{
    DeviceState *dev = DEVICE(s->flash_device);
    stm32_flash_connect(s->flash_device, &s->armv7m.container, cpu_get_address_space(first_cpu, ARMASIdx_NS),
                        BEYOND_THE_CORE);
    sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0, interrupt(s, 6));
    sysbus_connect_irq(SYS_BUS_DEVICE(dev), 1, interrupt(s, 7));
    qdev_connect_gpio_out_named(dev, STM32_FLASH_NMI, 0, qdev_get_gpio_in_named(DEVICE(&s->armv7m), "NMI", 0));
    qdev_connect_gpio_out_named(dev, STM32_FLASH_LAUNCH, 0, reset_line(s, RESET_OPTION_BYTES));
}

static void create_core(Stm32u585Machine *s)
{
    DeviceState *core;

    object_initialize_child(OBJECT(s), "armv7m", &s->armv7m, TYPE_ARMV7M);
    core = DEVICE(&s->armv7m);
    qdev_prop_set_uint32(core, "num-irq", EXTERNAL_INTERRUPTS);
    qdev_prop_set_uint8(core, "num-prio-bits", 4); /* RM0456, NVIC: 16 levels of priority */
    qdev_prop_set_bit(core, "core-debug", true);
    qdev_prop_set_string(core, "cpu-type", MACHINE(s)->cpu_type);
    qdev_prop_set_uint32(core, "init-svtor", stm32_flash_boot_address(s->flash_device));
    qdev_connect_clock_in(core, "cpuclk", qdev_get_clock_out(DEVICE(s->rcc), "hclk"));
    qdev_connect_clock_in(core, "refclk", qdev_get_clock_out(DEVICE(s->rcc), "systick"));
    object_property_set_link(OBJECT(&s->armv7m), "memory", OBJECT(get_system_memory()), &error_abort);
    object_property_set_link(OBJECT(&s->armv7m), "idau", OBJECT(s), &error_abort);
    sysbus_realize(SYS_BUS_DEVICE(&s->armv7m), &error_fatal);
    qdev_connect_gpio_out_named(core, "SYSRESETREQ", 0, reset_line(s, RESET_SOFTWARE));
}

/* RM0456, GTZC; "Memory map": SRAM1 to 3 lie in a row. */
static void create_gtzc(Stm32u585Machine *s)
{
    static const struct { const char *name; unsigned controller, index; uint32_t base, size; unsigned flag; } srams[] = {
        { "SRAM1", 0, 0, 0x20000000, 192 * KiB, STM32_GTZC_BIT(4, 24) },
        { "SRAM2", 0, 1, 0x20030000, 64 * KiB, STM32_GTZC_BIT(4, 26) },
        { "SRAM3", 0, 2, 0x20040000, 512 * KiB, STM32_GTZC_BIT(4, 28) },
        { "SRAM4", 1, 0, 0x28000000, 16 * KiB, STM32_GTZC_BIT(2, 24) },
    };
    static const uint32_t bases[2] = { 0x40032400, 0x46023000 }, enables[2] = { AHB1ENR, AHB3ENR };
    static const unsigned bits[2] = { 24, 12 };
    DeviceState *either = qdev_new(TYPE_OR_IRQ); /* both have interrupt 8 */
    uint64_t free_address = BEYOND_THE_CORE + 2 * FLASH_SIZE;

    object_property_add_child(OBJECT(s), "GTZC", OBJECT(either));
    qdev_prop_set_uint16(either, "num-lines", 2);
    qdev_realize_and_unref(either, NULL, &error_fatal);
    qdev_connect_gpio_out(either, 0, interrupt(s, 8));
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "GTZC2" : "GTZC1";
        DeviceState *dev = new_device(s, name, TYPE_STM32_GTZC);
        s->gtzc[i] = STM32_GTZC(dev);
        realize(dev);
        stm32_peripheral_map(STM32_PERIPHERAL(dev), name, bases[i]);
        stm32_rcc_serve(s->rcc, STM32_PERIPHERAL(dev), enables[i], bits[i]);
        sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0, qdev_get_gpio_in(either, i));
    }
    for (int i = 0; i < ARRAY_SIZE(srams); i++) {
        stm32_gtzc_add_sram(s->gtzc[srams[i].controller], srams[i].index, srams[i].name, srams[i].base, srams[i].size,
                            srams[i].flag, &s->armv7m.container, cpu_get_address_space(first_cpu, ARMASIdx_NS), free_address);
        free_address += 2 * srams[i].size;
    }
    qdev_connect_gpio_out_named(DEVICE(s->flash_device), STM32_FLASH_ILLEGAL, 0,
                                qdev_get_gpio_in_named(DEVICE(s->gtzc[0]), STM32_GTZC_ILLEGAL, STM32_GTZC1_FLASH));
}

static void create_gpdma(Stm32u585Machine *s)
{
    DeviceState *dev = new_device(s, "GPDMA1", TYPE_STM32_GPDMA);
    s->gpdma = STM32_GPDMA(dev);
    realize(dev);
    stm32_peripheral_map(STM32_PERIPHERAL(dev), "GPDMA1", 0x40020000);
    stm32_rcc_serve(s->rcc, STM32_PERIPHERAL(dev), AHB1ENR, 0);
    for (int n = 0; n < STM32_GPDMA_CHANNELS; n++) {
        sysbus_connect_irq(SYS_BUS_DEVICE(dev), n, interrupt(s, n < 8 ? 29 + n : 80 + n - 8));
    }
    qdev_connect_gpio_out_named(dev, STM32_GPDMA_ILLEGAL, 0,
                                qdev_get_gpio_in_named(DEVICE(s->gtzc[0]), STM32_GTZC_ILLEGAL, STM32_GTZC1_GPDMA1));
}

/* A NOR hangs on OCTOSPI2 only. */
static void create_octospi(Stm32u585Machine *s)
{
    static const struct { const char *name; uint32_t base, window; unsigned irq, bit, gtzc_bit; } controllers[2] = {
        { "OCTOSPI1", 0x420d1400, 0x90000000, 76, 4, STM32_GTZC_BIT(3, 20) },
        { "OCTOSPI2", 0x420d2400, 0x70000000, 120, 8, STM32_GTZC_BIT(3, 21) },
    };
    for (int i = 0; i < 2; i++) {
        DeviceState *dev = new_device(s, controllers[i].name, TYPE_STM32_OCTOSPI);
        Stm32Peripheral *p = STM32_PERIPHERAL(dev);
        realize(dev);
        stm32_octospi_map(STM32_OCTOSPI(dev), controllers[i].name, controllers[i].base, controllers[i].window,
                          i == 1 ? stm32_nor_new(s->nor_path, s->nor_size) : NULL);
        stm32_rcc_serve(s->rcc, p, AHB2ENR2, controllers[i].bit);
        stm32_gtzc_guard(s->gtzc[0], p, controllers[i].gtzc_bit);
        sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0, interrupt(s, controllers[i].irq));
    }
}

/* RM0456, GPDMA, "GPDMA1 requests": that of the receiver; the transmitter's follows. */
static void connect_requests(Stm32u585Machine *s, const char *name, DeviceState *usart)
{
    static const struct { const char *name; unsigned request; } requests[] = {
        { "USART1", 24 }, { "USART2", 26 }, { "USART3", 28 }, { "UART4", 30 }, { "UART5", 32 }, { "LPUART1", 34 },
    };
    DeviceState *gpdma = DEVICE(s->gpdma);
    for (int i = 0; i < ARRAY_SIZE(requests); i++) {
        if (!strcmp(name, requests[i].name)) {
            qdev_connect_gpio_out_named(usart, STM32_USART_DMA_RX, 0,
                                        qdev_get_gpio_in_named(gpdma, STM32_GPDMA_REQUEST, requests[i].request));
            qdev_connect_gpio_out_named(usart, STM32_USART_DMA_TX, 0,
                                        qdev_get_gpio_in_named(gpdma, STM32_GPDMA_REQUEST, requests[i].request + 1));
        }
    }
}

static Stm32Peripheral *create_peripheral(Stm32u585Machine *s, const Entry *entry)
{
    DeviceState *dev = new_device(s, entry->name, entry->type);
    Stm32Peripheral *p = STM32_PERIPHERAL(dev);

    if (entry->clock) {
        qdev_connect_clock_in(dev, "clock", qdev_get_clock_out(DEVICE(s->rcc), entry->clock));
    }
    if (entry->serial >= 0) {
        qdev_prop_set_chr(dev, "chardev", serial_hd(entry->serial));
    }
    if (entry->timer_bits) {
        qdev_prop_set_uint8(dev, "bits", entry->timer_bits);
    }
    if (!strcmp(entry->name, "LPTIM4")) {
        qdev_prop_set_uint8(dev, "channels", 0);
    } else if (!strcmp(entry->name, "LPUART1")) {
        qdev_prop_set_bit(dev, "low-power", true);
    } else if (!strcmp(entry->name, "GPIOA")) { /* RM0456, GPIO: the pins of SWD and JTAG */
        qdev_prop_set_uint32(dev, "mode", 0xabffffff);
        qdev_prop_set_uint32(dev, "speed", 0x08000000);
        qdev_prop_set_uint32(dev, "pull", 0x64000000);
    } else if (!strcmp(entry->name, "GPIOB")) {
        qdev_prop_set_uint32(dev, "mode", 0xfffffebf);
        qdev_prop_set_uint32(dev, "pull", 0x00000100);
    } else if (!strcmp(entry->name, "TAMP") || !strcmp(entry->name, "RTC")) {
        object_property_set_link(OBJECT(dev), "pwr", OBJECT(s->pwr), &error_abort);
    }
    realize(dev);
    stm32_peripheral_map(p, entry->name, entry->base);
    for (unsigned i = 0; i < entry->irqs; i++) {
        sysbus_connect_irq(SYS_BUS_DEVICE(dev), i, interrupt(s, entry->irq + i));
    }
    if (entry->enable) {
        stm32_rcc_serve(s->rcc, p, entry->enable, entry->bit);
    }
    if (entry->gtzc) {
        stm32_gtzc_guard(s->gtzc[entry->gtzc - 1], p, entry->gtzc_bit);
    }
    if (entry->serial >= 0) {
        connect_requests(s, entry->name, dev);
    }
    if (!strcmp(entry->name, "IWDG")) {
        qdev_connect_gpio_out_named(dev, "reset", 0, reset_line(s, RESET_IWDG));
    } else if (!strcmp(entry->name, "WWDG")) {
        qdev_connect_gpio_out_named(dev, "reset", 0, reset_line(s, RESET_WWDG));
    } else if (!strcmp(entry->name, "RTC") || !strcmp(entry->name, "TAMP")) {
        qdev_connect_gpio_out_named(DEVICE(s->rcc), STM32_RCC_BACKUP_RESET,
                                    !strcmp(entry->name, "RTC") ? BACKUP_RESET_RTC : BACKUP_RESET_TAMP,
                                    qdev_get_gpio_in_named(dev, STM32_RCC_BACKUP_RESET, 0));
    } else if (!strcmp(entry->name, "PWR")) {
        s->pwr = p;
        stm32_rcc_connect_pwr(s->rcc, STM32_PWR(dev));
    }
    return p;
}

/* DBGMCU lies among the core's private peripherals. */
static void create_dbgmcu(Stm32u585Machine *s)
{
    DeviceState *dev = new_device(s, "DBGMCU", "stm32u585-dbgmcu");
    Stm32Peripheral *p = STM32_PERIPHERAL(dev);
    realize(dev);
    stm32_peripheral_map(p, "DBGMCU", DBGMCU_BASE - SECURE_ALIAS); /* makes the regions; nobody gets at them there */
    memory_region_del_subregion(get_system_memory(), &p->registers);
    memory_region_del_subregion(get_system_memory(), &p->secure_alias);
    memory_region_add_subregion_overlap(&s->armv7m.container, DBGMCU_BASE, &p->registers, 1);
}

/* RM0456, "Device electronic signature (DESIG)". */
static void create_information(Stm32u585Machine *s)
{
    uint8_t *bytes;
    memory_region_init_rom(&s->information, NULL, "information", INFORMATION_SIZE, &error_fatal);
    bytes = memory_region_get_ram_ptr(&s->information);
    memset(bytes, 0xff, INFORMATION_SIZE);
    stl_le_p(bytes + UNIQUE_ID, 0x00210034);     /* X and Y on the wafer */
    memcpy(bytes + UNIQUE_ID + 4, "\007QEMU585", 8); /* wafer number, lot */
    stw_le_p(bytes + FLASH_SIZE_REGISTER, FLASH_SIZE / KiB);
    memory_region_add_subregion(get_system_memory(), INFORMATION_BASE, &s->information);
}

/* The option bytes say where the core starts; they may have been changed since. */
static void on_reset(void *opaque)
{
    Stm32u585Machine *s = opaque;
    ARM_CPU(first_cpu)->init_svtor = stm32_flash_boot_address(s->flash_device);
}

static void machine_init(MachineState *machine)
{
    Stm32u585Machine *s = STM32U585_MACHINE(machine);

    stm32_power_configure(s->cut_at, s->cut_torn, s->count_path);
    memory_region_init_io(&s->background, NULL, &background_ops, NULL, "background", UINT32_MAX + 1ull);
    memory_region_add_subregion_overlap(get_system_memory(), 0, &s->background, -1);
    create_information(s);
    create_rcc(s);
    create_flash(s);
    qemu_register_reset(on_reset, s);
    create_core(s);
    connect_flash(s);
    create_gtzc(s);
    create_gpdma(s);
    create_octospi(s);
    for (int i = 0; i < ARRAY_SIZE(peripherals); i++) {
        create_peripheral(s, &peripherals[i]);
    }
    create_dbgmcu(s);
    armv7m_load_kernel(ARM_CPU(first_cpu), machine->kernel_filename, 0, 0);
}

/*
 * RM0456 3.5.3, table of the IDAU: the aliases of flash, SRAM and peripherals that have address bit 28 set (flash: 0x0c000000)
 * are Non-secure callable until the SAU says otherwise; everything else is Non-secure.
 */
static void idau_check(IDAUInterface *ii, uint32_t address, int *region, bool *exempt, bool *ns, bool *nsc)
{
    bool callable = (address >= 0x0c000000 && address < 0x10000000) || (address >> 28) == 3 || (address >> 28) == 5;
    *region = address >> 28;
    *exempt = address >= 0xe0000000 && address < 0xe0100000; /* the core's private peripherals */
    *ns = !callable;
    *nsc = callable;
}

/* --- properties of -machine --- */

static void set_path(char **path, const char *value)
{
    g_free(*path);
    *path = g_strdup(value);
}

static char *get_flash(Object *object, Error **errp)
{
    return g_strdup(STM32U585_MACHINE(object)->flash_path);
}

static void set_flash(Object *object, const char *value, Error **errp)
{
    set_path(&STM32U585_MACHINE(object)->flash_path, value);
}

static char *get_nor(Object *object, Error **errp)
{
    return g_strdup(STM32U585_MACHINE(object)->nor_path);
}

static void set_nor(Object *object, const char *value, Error **errp)
{
    set_path(&STM32U585_MACHINE(object)->nor_path, value);
}

static char *get_count_file(Object *object, Error **errp)
{
    return g_strdup(STM32U585_MACHINE(object)->count_path);
}

static void set_count_file(Object *object, const char *value, Error **errp)
{
    set_path(&STM32U585_MACHINE(object)->count_path, value);
}

static bool get_cut_torn(Object *object, Error **errp)
{
    return STM32U585_MACHINE(object)->cut_torn;
}

static void set_cut_torn(Object *object, bool value, Error **errp)
{
    STM32U585_MACHINE(object)->cut_torn = value;
}

static void machine_instance_init(Object *object)
{
    Stm32u585Machine *s = STM32U585_MACHINE(object);
    s->flash_time = 100;
    s->nor_size = 64 * MiB;
    object_property_add_uint64_ptr(object, "nor-size", &s->nor_size, OBJ_PROP_FLAG_READWRITE);
    object_property_add_uint64_ptr(object, "cut-at", &s->cut_at, OBJ_PROP_FLAG_READWRITE);
    object_property_add_uint32_ptr(object, "flash-time", &s->flash_time, OBJ_PROP_FLAG_READWRITE);
}

static void machine_class_init(ObjectClass *class, void *data)
{
    MachineClass *mc = MACHINE_CLASS(class);
    IDAU_INTERFACE_CLASS(class)->check = idau_check;
    mc->desc = "STM32U585 (Cortex-M33, TrustZone, 2 MiB flash, 784 KiB SRAM)";
    mc->init = machine_init;
    mc->max_cpus = 1;
    mc->default_cpus = 1;
    mc->default_cpu_type = ARM_CPU_TYPE_NAME("cortex-m33");
    object_class_property_add_str(class, "flash", get_flash, set_flash);
    object_class_property_set_description(class, "flash", "file with the flash memory, its state and the option bytes");
    object_class_property_add_str(class, "nor", get_nor, set_nor);
    object_class_property_set_description(class, "nor", "file with the complement of the NOR's cells");
    object_class_property_add_str(class, "count-file", get_count_file, set_count_file);
    object_class_property_set_description(class, "count-file", "holds the number of flash and NOR operations");
    object_class_property_add_bool(class, "cut-torn", get_cut_torn, set_cut_torn);
    object_class_property_set_description(class, "cut-torn", "on: the operation of cut-at is torn, off: not begun");
}

static const TypeInfo machine_type = {
    .name = TYPE_STM32U585_MACHINE,
    .parent = TYPE_MACHINE,
    .instance_size = sizeof(Stm32u585Machine),
    .instance_init = machine_instance_init,
    .class_init = machine_class_init,
    .interfaces = (InterfaceInfo[]) { { TYPE_IDAU_INTERFACE }, {} },
};

static void register_types(void)
{
    type_register_static(&machine_type);
}

type_init(register_types)
