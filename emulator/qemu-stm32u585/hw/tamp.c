/*
 * Tamper and backup registers: RM0456, chapter "Tamper and backup registers (TAMP)". The 32 backup registers live through
 * resets of the system and end with RCC_BDCR.BDRST; tamper detection is not modelled.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/qdev-properties.h"
#include "rcc.h"

#define TYPE_STM32_TAMP "stm32u585-tamp"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Tamp, STM32_TAMP)

enum { SECCFGR = 0x20, PRIVCFGR = 0x24, BKP0R = 0x100, BKP31R = 0x17c };

struct Stm32Tamp {
    Stm32Peripheral parent_obj;
    Stm32Pwr *pwr;
    uint32_t reg[BKP31R / 4 + 1];
};


/* TAMP_SECCFGR: BKPRWSEC, registers 0 to n-1 Secure; BKPWSEC, up to m-1 written by Secure code only. */
static bool tamp_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Tamp *s = STM32_TAMP(p);
    if (offset > BKP31R) {
        return false;
    }
    const bool hidden = offset >= BKP0R && (offset - BKP0R) / 4 < extract32(s->reg[SECCFGR / 4], 0, 8) && !access.secure;
    *value = hidden ? 0 : s->reg[offset / 4];
    return true;
}

static bool tamp_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Tamp *s = STM32_TAMP(p);
    if (offset != SECCFGR && offset != PRIVCFGR && (offset < BKP0R || offset > BKP31R)) {
        return false;
    }
    if (s->pwr && !stm32_pwr_backup_writable(s->pwr)) {
        stm32_complain("TAMP: written while PWR_DBPR.DBP is 0");
        return true;
    }
    const uint32_t first_open = MAX(extract32(s->reg[SECCFGR / 4], 0, 8), extract32(s->reg[SECCFGR / 4], 16, 8));
    const bool secure_only = offset == SECCFGR || (offset >= BKP0R && (offset - BKP0R) / 4 < first_open);
    if (!secure_only || access.secure) {
        s->reg[offset / 4] = value;
    }
    return true;
}

static void on_backup_reset(void *opaque, int line, int level)
{
    Stm32Tamp *s = opaque;
    if (level) {
        memset(s->reg, 0, sizeof(s->reg));
    }
}

static void tamp_init(Object *object)
{
    qdev_init_gpio_in_named(DEVICE(object), on_backup_reset, STM32_RCC_BACKUP_RESET, 1);
}

static Property tamp_properties[] = {
    DEFINE_PROP_LINK("pwr", Stm32Tamp, pwr, TYPE_STM32_PWR, Stm32Pwr *),
    DEFINE_PROP_END_OF_LIST(),
};

static void tamp_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    /* No reset: the backup domain lives through that of the system. */
    device_class_set_props(DEVICE_CLASS(class), tamp_properties);
    peripheral->read = tamp_read;
    peripheral->write = tamp_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_TAMP,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Tamp),
        .instance_init = tamp_init,
        .class_init = tamp_class_init,
    },
};

DEFINE_TYPES(types)
