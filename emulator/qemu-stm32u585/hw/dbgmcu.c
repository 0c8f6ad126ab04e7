/*
 * Debug support: RM0456, chapter "Debug support (DBG)", DBGMCU. IDCODE, and the freeze bits, which do nothing: no debugger is
 * attached.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "peripheral.h"

#define TYPE_STM32_DBGMCU "stm32u585-dbgmcu"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Dbgmcu, STM32_DBGMCU)

enum {
    IDCODE = 0x00, AHB3FZR = 0x28,
    DEVICE_ID = 0x482, /* STM32U575 and STM32U585 */
    REVISION = 0x3001, /* X */
};

struct Stm32Dbgmcu {
    Stm32Peripheral parent_obj;
    uint32_t reg[AHB3FZR / 4 + 1];
};


static bool dbgmcu_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Dbgmcu *s = STM32_DBGMCU(p);
    if (offset > AHB3FZR) {
        return false;
    }
    *value = offset == IDCODE ? DEVICE_ID | REVISION << 16 : s->reg[offset / 4];
    return true;
}

static bool dbgmcu_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Dbgmcu *s = STM32_DBGMCU(p);
    if (offset > AHB3FZR) {
        return false;
    }
    s->reg[offset / 4] = value;
    return true;
}

static void dbgmcu_reset(DeviceState *dev)
{
    Stm32Dbgmcu *s = STM32_DBGMCU(dev);
    memset(s->reg, 0, sizeof(s->reg));
}

static void dbgmcu_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = dbgmcu_reset;
    peripheral->read = dbgmcu_read;
    peripheral->write = dbgmcu_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_DBGMCU,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Dbgmcu),
        .class_init = dbgmcu_class_init,
    },
};

DEFINE_TYPES(types)
