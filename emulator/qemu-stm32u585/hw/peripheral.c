/*
 * The common part of the chip's peripherals: see peripheral.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "exec/exec-all.h"
#include "hw/core/cpu.h"
#include "peripheral.h"
#include "target/arm/cpu.h"

enum { SECURE_ALIAS = 0x10000000 };

/*
 * Restoring the state sets the registers that the translated code keeps in its head. Called only where the access goes on to
 * fault, or to print.
 */
uint32_t stm32_current_pc(void)
{
    CPUState *cpu = current_cpu;
    if (!cpu || !cpu->mem_io_pc) {
        return 0;
    }
    CPUARMState *env = cpu->env_ptr;
    const uint32_t condexec = env->condexec_bits, program_counter = env->regs[15];
    cpu_restore_state(cpu, cpu->mem_io_pc);
    const uint32_t pc = env->regs[15];
    env->condexec_bits = condexec;
    env->regs[15] = program_counter;
    return pc;
}

/* A fetch has no translated code that makes it. */
bool stm32_is_fetch(void)
{
    return current_cpu && !current_cpu->mem_io_pc;
}

void stm32_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "stm32u585: %s (pc 0x%08x)\n", text, stm32_current_pc());
}

MemTxResult stm32_not_modelled(const char *name, uint32_t address, bool write, unsigned size)
{
    static GHashTable *told;
    if (!told) {
        told = g_hash_table_new(NULL, NULL);
    }
    if (g_hash_table_add(told, GUINT_TO_POINTER(address))) {
        fprintf(stderr, "stm32u585: %s at 0x%08x: not modelled (%s, %u bytes, pc 0x%08x)\n", name ? name : "?", address,
                write ? "write" : "read", size, stm32_current_pc());
    }
    return MEMTX_ERROR;
}

static Permission permission(Stm32Peripheral *p, Access access)
{
    if (p->clock_enable && !(*p->clock_enable & p->clock_mask)) {
        /* RM0456, chapter RCC, "Peripheral clock gating": no access to registers while the clock is off. */
        if (!p->told_no_clock) {
            stm32_complain("%s is used while RCC gives it no clock", p->name);
        }
        p->told_no_clock = true;
        return READS_ZERO;
    }
    return p->gate ? p->gate(p->gate_controller, p, access) : PERMITTED;
}

static MemTxResult peripheral_read(void *opaque, hwaddr address, uint64_t *data, unsigned size, MemTxAttrs attrs)
{
    Stm32Peripheral *p = opaque;
    Stm32PeripheralClass *class = STM32_PERIPHERAL_GET_CLASS(p);
    const Access access = { attrs.secure, !attrs.user, size };
    const uint32_t offset = class->narrow_reads ? address : address & ~3;
    uint32_t value = 0;

    *data = 0;
    switch (permission(p, access)) {
    case READS_ZERO:
        return MEMTX_OK;
    case FAULTS:
        return MEMTX_ERROR;
    case PERMITTED:
        break;
    }
    if (!class->read(p, offset, access, &value)) {
        return stm32_not_modelled(p->name, p->base + address, false, size);
    }
    *data = class->narrow_reads ? value : extract32(value, address % 4 * 8, size * 8);
    return MEMTX_OK;
}

static MemTxResult peripheral_write(void *opaque, hwaddr address, uint64_t data, unsigned size, MemTxAttrs attrs)
{
    Stm32Peripheral *p = opaque;
    Stm32PeripheralClass *class = STM32_PERIPHERAL_GET_CLASS(p);
    const Access access = { attrs.secure, !attrs.user, size };

    switch (permission(p, access)) {
    case READS_ZERO:
        return MEMTX_OK;
    case FAULTS:
        return MEMTX_ERROR;
    case PERMITTED:
        break;
    }
    if ((size != 4 && !class->narrow_writes) || !class->write(p, address, access, data)) {
        return stm32_not_modelled(p->name, p->base + address, true, size);
    }
    return MEMTX_OK;
}

static const MemoryRegionOps peripheral_ops = {
    .read_with_attrs = peripheral_read,
    .write_with_attrs = peripheral_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 1,
    .valid.max_access_size = 4,
    .impl.min_access_size = 1,
    .impl.max_access_size = 4,
};

void stm32_peripheral_map(Stm32Peripheral *p, const char *name, uint32_t base)
{
    g_autofree char *alias_name = g_strdup_printf("%s.secure", name);
    const uint32_t size = STM32_PERIPHERAL_GET_CLASS(p)->size ?: 0x400;

    p->name = name;
    p->base = base;
    memory_region_init_io(&p->registers, OBJECT(p), &peripheral_ops, p, name, size);
    memory_region_init_alias(&p->secure_alias, OBJECT(p), alias_name, &p->registers, 0, size);
    memory_region_add_subregion(get_system_memory(), base, &p->registers);
    memory_region_add_subregion(get_system_memory(), base + SECURE_ALIAS, &p->secure_alias);
}

static const TypeInfo peripheral_type = {
    .name = TYPE_STM32_PERIPHERAL,
    .parent = TYPE_SYS_BUS_DEVICE,
    .instance_size = sizeof(Stm32Peripheral),
    .class_size = sizeof(Stm32PeripheralClass),
    .abstract = true,
};

static void register_types(void)
{
    type_register_static(&peripheral_type);
}

type_init(register_types)
