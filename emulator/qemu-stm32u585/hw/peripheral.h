/*
 * What every peripheral of the chip has: 32-bit registers seen through a Non-secure and a Secure alias, a clock that may be
 * off, a gate that the TrustZone controller may close. A device of this machine is a subclass with `read` and `write`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STM32U585_PERIPHERAL_H
#define STM32U585_PERIPHERAL_H

#include "hw/sysbus.h"

#define TYPE_STM32_PERIPHERAL "stm32u585-peripheral"
OBJECT_DECLARE_TYPE(Stm32Peripheral, Stm32PeripheralClass, STM32_PERIPHERAL)

/* The attributes of one access, and its size in bytes (1, 2 or 4). */
typedef struct Access {
    bool secure, privileged;
    unsigned size;
} Access;

struct Stm32PeripheralClass {
    SysBusDeviceClass parent_class;
    /* `offset` is a multiple of the size; false: there is no such register (the access faults, a line says where). */
    bool (*read)(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value);
    bool (*write)(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value);
    uint32_t size;      /* bytes of the register window; 0: 1 KiB */
    bool narrow_writes; /* writes of 8 and 16 bits reach `write`; else they fault */
    bool narrow_reads;  /* reads of 8 and 16 bits reach `read`; else they get a part of the word */
};

typedef enum Permission { PERMITTED, READS_ZERO, FAULTS } Permission;

struct Stm32Peripheral {
    SysBusDevice parent_obj;
    MemoryRegion registers, secure_alias;
    const char *name;
    uint32_t base;                /* of the Non-secure alias */
    const uint32_t *clock_enable; /* a register of RCC, NULL: always clocked */
    uint32_t clock_mask;
    bool told_no_clock;
    /* The TrustZone controller's word, NULL: open to all. */
    Permission (*gate)(void *controller, Stm32Peripheral *p, Access access);
    void *gate_controller;
    unsigned gate_number; /* which one the controller takes it for */
};

/* Puts a realized peripheral at its two addresses. */
void stm32_peripheral_map(Stm32Peripheral *p, const char *name, uint32_t base);

/* Prints, once for an address, that the machine has nothing there. `name` may be NULL. Returns MEMTX_ERROR. */
MemTxResult stm32_not_modelled(const char *name, uint32_t address, bool write, unsigned size);

/* The address of the instruction that is being executed, 0 if none is. */
uint32_t stm32_current_pc(void);

/* Whether the access that is being made is the core's fetch of an instruction. */
bool stm32_is_fetch(void);

/* Prints a line `stm32u585: ...` about something that the guest did and silicon would not forgive. */
void stm32_complain(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
