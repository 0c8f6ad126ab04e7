/*
 * Power control: RM0456, chapter "Power control (PWR)". Supplies and regulators are ready at once; standby, stop and wake-up
 * pins are not modelled beyond their registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "pwr.h"

enum {
    CR1 = 0x00, CR3 = 0x08, VOSR = 0x0c, SVMCR = 0x10, DBPR = 0x28, UCPDR = 0x2c, SECCFGR = 0x30, PRIVCFGR = 0x34, SR = 0x38,
    SVMSR = 0x3c, WUSCR = 0x48, APCR = 0x4c, LAST = 0x94,
    WORDS = LAST / 4 + 1,
    VOS = 3 << 16, BOOSTEN = 1 << 18, BOOSTRDY = 1 << 14, VOSRDY = 1 << 15,
    REGSEL = 1 << 1, ACTVOSRDY = 1 << 15, VDDUSBRDY = 1 << 24, VDDIO2RDY = 1 << 25, VDDA1RDY = 1 << 26, VDDA2RDY = 1 << 27,
};

struct Stm32Pwr {
    Stm32Peripheral parent_obj;
    uint32_t reg[WORDS];
};


static bool pwr_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Pwr *s = STM32_PWR(p);
    if (offset >= WORDS * 4) {
        return false;
    }
    *value = s->reg[offset / 4];
    if (offset == VOSR) {
        *value |= VOSRDY | (*value & BOOSTEN ? BOOSTRDY : 0);
    } else if (offset == SVMSR) {
        *value = ACTVOSRDY | (s->reg[VOSR / 4] & VOS) | VDDUSBRDY | VDDIO2RDY | VDDA1RDY | VDDA2RDY |
                 (s->reg[CR3 / 4] & REGSEL);
    }
    return true;
}

static bool pwr_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Pwr *s = STM32_PWR(p);
    switch (offset) {
    case CR1 ... CR3:
    case SVMCR ... UCPDR:
    case PRIVCFGR:
    case APCR ... LAST:
        s->reg[offset / 4] = value;
        return true;
    case VOSR:
        s->reg[offset / 4] = value & (VOS | BOOSTEN);
        return true;
    case SECCFGR:
        if (access.secure) {
            s->reg[offset / 4] = value;
        }
        return true;
    case SR:    /* CSSF: there is nothing to clear */
    case WUSCR:
        return true;
    default:
        return false;
    }
}

bool stm32_pwr_backup_writable(Stm32Pwr *s)
{
    return s->reg[DBPR / 4] & 1;
}

static void pwr_reset(DeviceState *dev)
{
    Stm32Pwr *s = STM32_PWR(dev);
    memset(s->reg, 0, sizeof(s->reg));
}

static void pwr_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = pwr_reset;
    peripheral->read = pwr_read;
    peripheral->write = pwr_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_PWR,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Pwr),
        .class_init = pwr_class_init,
    },
};

DEFINE_TYPES(types)
