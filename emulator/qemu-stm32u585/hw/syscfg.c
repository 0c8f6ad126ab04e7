/*
 * System configuration controller: RM0456, chapter "System configuration controller (SYSCFG)". Registers are kept; of what
 * they do, nothing is modelled but the Secure ones being hidden.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "peripheral.h"

#define TYPE_STM32_SYSCFG "stm32u585-syscfg"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Syscfg, STM32_SYSCFG)

enum {
    SECCFGR = 0x00, FPUIMR = 0x08, CNSLCKR = 0x0c, CSLCKR = 0x10, CFGR2 = 0x14, CCCSR = 0x1c, RSSCMDR = 0x2c,
};

struct Stm32Syscfg {
    Stm32Peripheral parent_obj;
    uint32_t reg[RSSCMDR / 4 + 1];
};


/* SYSCFG_SECCFGR: bit 0 SYSCFGSEC, bit 1 CLASSBSEC, bit 3 FPUSEC. */
static bool hidden(Stm32Syscfg *s, uint32_t offset, Access access)
{
    const uint32_t secure = s->reg[SECCFGR / 4];
    const bool is_secure = offset == SECCFGR || offset == CSLCKR || (offset == CFGR2 && (secure & 2)) ||
                           (offset == FPUIMR && (secure & 8)) || (offset >= CCCSR && (secure & 1));
    return is_secure && !access.secure;
}

static bool syscfg_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Syscfg *s = STM32_SYSCFG(p);
    if (offset > RSSCMDR) {
        return false;
    }
    *value = hidden(s, offset, access) ? 0 : s->reg[offset / 4];
    return true;
}

static bool syscfg_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Syscfg *s = STM32_SYSCFG(p);
    if (offset > RSSCMDR || offset == RSSCMDR) {
        return false;
    }
    if (!hidden(s, offset, access)) {
        s->reg[offset / 4] = value | (offset == CNSLCKR || offset == CSLCKR ? s->reg[offset / 4] : 0);
    }
    return true;
}

static void syscfg_reset(DeviceState *dev)
{
    Stm32Syscfg *s = STM32_SYSCFG(dev);
    memset(s->reg, 0, sizeof(s->reg));
}

static void syscfg_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = syscfg_reset;
    peripheral->read = syscfg_read;
    peripheral->write = syscfg_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_SYSCFG,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Syscfg),
        .class_init = syscfg_class_init,
    },
};

DEFINE_TYPES(types)
