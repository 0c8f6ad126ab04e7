/*
 * General purpose DMA controller: RM0456, chapter "General purpose direct memory access controller (GPDMA)". 16 channels, direct
 * and linked-list mode (a node may link to itself), memory and peripheral by request lines.
 *
 * Data moves at once, from QEMU's main loop. Not modelled, and refused with a user setting error: widths of source and
 * destination that differ, exchange of bytes, repeated blocks and two-dimensional addressing. Not modelled and refused by a
 * fault: triggers. Priorities are those of the channel numbers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "gpdma.h"
#include "hw/irq.h"
#include "qemu/main-loop.h"

enum {
    SECCFGR = 0x000, PRIVCFGR = 0x004, RCFGLOCKR = 0x008, MISR = 0x00c, SMISR = 0x010, CHANNEL = 0x050, CHANNEL_SIZE = 0x80,
    /* within a channel */
    CLBAR = 0x00, CFCR = 0x0c, CSR = 0x10, CCR = 0x14, CTR1 = 0x40, CTR2 = 0x44, CBR1 = 0x48, CSAR = 0x4c, CDAR = 0x50,
    CTR3 = 0x54, CBR2 = 0x58, CLLR = 0x7c, CHANNEL_WORDS = CLLR / 4 + 1,
    FIRST_2D_CHANNEL = 12,

    CCR_EN = 1 << 0, CCR_RESET = 1 << 1, CCR_SUSP = 1 << 2, CCR_INTERRUPTS = 0x7f00, CCR_LSM = 1 << 16,
    CSR_IDLE = 1 << 0, CSR_TC = 1 << 8, CSR_HT = 1 << 9, CSR_DTE = 1 << 10, CSR_ULE = 1 << 11, CSR_USE = 1 << 12,
    CSR_SUSP = 1 << 13, CSR_FLAGS = 0x7f00,
    CTR1_SINC = 1 << 3, CTR1_SBX = 1 << 13, CTR1_SSEC = 1 << 15, CTR1_DINC = 1 << 19, CTR1_EXCHANGES = 3 << 26,
    CTR2_REQSEL = 0x7f, CTR2_SWREQ = 1 << 9, CTR2_TRIGPOL = 3 << 24,
    CLLR_LA = 0xfffc, CLLR_ULL = 1 << 16, CLLR_UB2 = 1 << 25, CLLR_UT3 = 1 << 26, CLLR_UDA = 1 << 27, CLLR_USA = 1 << 28,
    CLLR_UB1 = 1 << 29, CLLR_UT2 = 1 << 30,
    REQUESTS = 128,
    MOST_AT_ONCE = 64 * 1024, /* units, before others get a turn */
};
#define CLLR_UT1 (1u << 31)
#define CTR1_DSEC (1u << 31)

typedef struct Channel {
    uint32_t reg[CHANNEL_WORDS];
    uint32_t block; /* bytes of the block as it was set */
    qemu_irq irq;
} Channel;

struct Stm32Gpdma {
    Stm32Peripheral parent_obj;
    uint32_t seccfgr, privcfgr, rcfglockr;
    Channel channel[STM32_GPDMA_CHANNELS];
    bool request[REQUESTS];
    QEMUBH *bh;
    qemu_irq illegal;
};

static uint32_t *reg(Channel *c, uint32_t offset)
{
    return &c->reg[offset / 4];
}

static uint32_t status(Channel *c)
{
    const bool idle = !(*reg(c, CCR) & CCR_EN) || (*reg(c, CSR) & CSR_SUSP);
    return *reg(c, CSR) | (idle ? CSR_IDLE : 0);
}

static bool is_pending(Channel *c)
{
    return *reg(c, CSR) & *reg(c, CCR) & CCR_INTERRUPTS;
}

static void raise_flags(Channel *c, uint32_t flags)
{
    *reg(c, CSR) |= flags;
    qemu_set_irq(c->irq, is_pending(c));
}

static void stop(Channel *c, uint32_t flags)
{
    *reg(c, CCR) &= ~CCR_EN;
    raise_flags(c, flags);
}

static MemTxAttrs attributes(Stm32Gpdma *s, Channel *c, uint32_t secure_bit)
{
    const bool secure_channel = s->seccfgr >> (c - s->channel) & 1;
    return (MemTxAttrs) { .secure = secure_channel && (*reg(c, CTR1) & secure_bit) };
}

/* GPDMA_CxLLR: loads the registers whose bits are set, in this order, from the next node. */
static bool follow_link(Stm32Gpdma *s, Channel *c)
{
    static const struct { uint32_t bit, reg; } order[] = {
        { CLLR_UT1, CTR1 }, { CLLR_UT2, CTR2 }, { CLLR_UB1, CBR1 }, { CLLR_USA, CSAR }, { CLLR_UDA, CDAR },
        { CLLR_UT3, CTR3 }, { CLLR_UB2, CBR2 }, { CLLR_ULL, CLLR },
    };
    const uint32_t link = *reg(c, CLLR);
    const MemTxAttrs attrs = { .secure = s->seccfgr >> (c - s->channel) & 1 };
    uint32_t address = (*reg(c, CLBAR) & 0xffff0000) | (link & CLLR_LA);

    *reg(c, CBR1) = (*reg(c, CBR1) & ~0xffffu) | c->block;
    for (int i = 0; i < ARRAY_SIZE(order); i++) {
        const bool two_dimensional = order[i].reg == CTR3 || order[i].reg == CBR2;
        if (!(link & order[i].bit) || (two_dimensional && c - s->channel < FIRST_2D_CHANNEL)) {
            continue;
        }
        MemTxResult result;
        const uint32_t word = address_space_ldl_le(&address_space_memory, address, attrs, &result);
        if (result != MEMTX_OK) {
            return false;
        }
        *reg(c, order[i].reg) = word;
        address += 4;
    }
    if (!(link & CLLR_ULL)) {
        *reg(c, CLLR) = 0;
    }
    c->block = *reg(c, CBR1) & 0xffff;
    return true;
}

/* GPDMA_CxTR2.TCEM: 0 a block, 1 a repeated block, 2 a node, 3 the last node. */
static bool is_an_event(Channel *c)
{
    return *reg(c, CTR2) >> 30 != 3 || *reg(c, CLLR) == 0;
}

static void end_block(Stm32Gpdma *s, Channel *c)
{
    if (is_an_event(c)) {
        raise_flags(c, CSR_TC);
    }
    if (*reg(c, CLLR) == 0) {
        stop(c, 0);
    } else if (!follow_link(s, c)) {
        stop(c, CSR_ULE);
    } else if (*reg(c, CCR) & CCR_LSM) {
        stop(c, 0);
    }
}

static bool is_refused(Channel *c)
{
    const uint32_t ctr1 = *reg(c, CTR1);
    const unsigned width = ctr1 & 3, block = *reg(c, CBR1) & 0xffff;
    return width == 3 || width != extract32(ctr1, 16, 2) || (ctr1 & (CTR1_SBX | CTR1_EXCHANGES)) ||
           *reg(c, CBR1) >> 16 || block % (1 << width) || *reg(c, CSAR) % (1 << width) || *reg(c, CDAR) % (1 << width);
}

/* Moves one datum. */
static void move(Stm32Gpdma *s, Channel *c)
{
    const uint32_t ctr1 = *reg(c, CTR1);
    const unsigned size = 1 << (ctr1 & 3);
    uint32_t *source = reg(c, CSAR), *destination = reg(c, CDAR), *block = reg(c, CBR1);
    uint8_t datum[4];

    if (address_space_read(&address_space_memory, *source, attributes(s, c, CTR1_SSEC), datum, size) != MEMTX_OK ||
        address_space_write(&address_space_memory, *destination, attributes(s, c, CTR1_DSEC), datum, size) != MEMTX_OK) {
        stop(c, CSR_DTE);
        return;
    }
    *source += ctr1 & CTR1_SINC ? size : 0;
    *destination += ctr1 & CTR1_DINC ? size : 0;
    *block -= size;
    const uint32_t left = *block & 0xffff;
    if (left <= c->block / 2 && left + size > c->block / 2 && is_an_event(c)) {
        raise_flags(c, CSR_HT);
    }
    if (left == 0) {
        end_block(s, c);
    }
}

static bool may_run(Stm32Gpdma *s, Channel *c)
{
    const uint32_t ctr2 = *reg(c, CTR2);
    return (*reg(c, CCR) & (CCR_EN | CCR_SUSP)) == CCR_EN && ((ctr2 & CTR2_SWREQ) || s->request[ctr2 & CTR2_REQSEL]);
}

static void run(void *opaque)
{
    Stm32Gpdma *s = opaque;
    unsigned left = MOST_AT_ONCE;

    for (int n = 0; n < STM32_GPDMA_CHANNELS; n++) {
        Channel *c = &s->channel[n];
        while (may_run(s, c) && left > 0) {
            left--;
            if (is_refused(c)) {
                stm32_complain("GPDMA1 channel %d: settings 0x%08x 0x%08x are not modelled", n, *reg(c, CTR1), *reg(c, CBR1));
                stop(c, CSR_USE);
            } else if (!(*reg(c, CBR1) & 0xffff)) {
                end_block(s, c); /* a block of nothing: only the link counts */
            } else {
                move(s, c);
            }
        }
    }
    if (left == 0) {
        qemu_bh_schedule(s->bh);
    }
}

static void on_request(void *opaque, int number, int level)
{
    Stm32Gpdma *s = opaque;
    s->request[number] = level;
    if (level) {
        qemu_bh_schedule(s->bh);
    }
}

static void write_ccr(Stm32Gpdma *s, Channel *c, uint32_t value)
{
    uint32_t *ccr = reg(c, CCR);
    const uint32_t before = *ccr;

    if ((value & CCR_RESET) && (!(before & CCR_EN) || (*reg(c, CSR) & CSR_SUSP))) {
        *reg(c, CSR) &= ~CSR_SUSP;
        *ccr = value & ~(CCR_RESET | CCR_EN | CCR_SUSP);
    } else {
        *ccr = (value & ~CCR_RESET) | (before & CCR_EN); /* EN is cleared by hardware only */
        if ((*ccr & CCR_EN) && !(before & CCR_EN)) {
            c->block = *reg(c, CBR1) & 0xffff;
        }
        if ((*ccr & CCR_SUSP) && (*ccr & CCR_EN)) {
            *reg(c, CSR) |= CSR_SUSP;
        } else {
            *reg(c, CSR) &= ~CSR_SUSP;
        }
    }
    qemu_set_irq(c->irq, is_pending(c));
    qemu_bh_schedule(s->bh);
}

static uint32_t pending_channels(Stm32Gpdma *s, bool secure)
{
    uint32_t pending = 0;
    for (int n = 0; n < STM32_GPDMA_CHANNELS; n++) {
        pending |= is_pending(&s->channel[n]) << n;
    }
    return pending & (secure ? s->seccfgr : ~s->seccfgr);
}

/* A Secure channel is not there for Non-secure code. */
static bool is_hidden(Stm32Gpdma *s, unsigned n, Access access)
{
    if (access.secure || !(s->seccfgr >> n & 1)) {
        return false;
    }
    qemu_irq_pulse(s->illegal);
    return true;
}

static bool is_channel_register(unsigned n, uint32_t offset)
{
    switch (offset) {
    case CLBAR:
    case CFCR:
    case CSR:
    case CCR:
    case CTR1 ... CDAR:
    case CLLR:
        return true;
    case CTR3:
    case CBR2:
        return n >= FIRST_2D_CHANNEL;
    default:
        return false;
    }
}

static bool gpdma_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Gpdma *s = STM32_GPDMA(p);

    switch (offset) {
    case SECCFGR:
        *value = s->seccfgr;
        return true;
    case PRIVCFGR:
        *value = s->privcfgr;
        return true;
    case RCFGLOCKR:
        *value = s->rcfglockr;
        return true;
    case MISR:
        *value = pending_channels(s, false);
        return true;
    case SMISR:
        *value = access.secure ? pending_channels(s, true) : 0;
        return true;
    }
    const unsigned n = (offset - CHANNEL) / CHANNEL_SIZE;
    offset = (offset - CHANNEL) % CHANNEL_SIZE;
    if (n >= STM32_GPDMA_CHANNELS || !is_channel_register(n, offset)) {
        return false;
    }
    if (!is_hidden(s, n, access)) {
        *value = offset == CSR ? status(&s->channel[n]) : *reg(&s->channel[n], offset);
    }
    return true;
}

static bool write_channel(Stm32Gpdma *s, unsigned n, uint32_t offset, Access access, uint32_t value)
{
    Channel *c = &s->channel[n];

    if (!is_channel_register(n, offset) || (offset == CTR2 && (value & CTR2_TRIGPOL))) {
        return false;
    }
    switch (offset) {
    case CSR:
        return true;
    case CFCR:
        *reg(c, CSR) &= ~(value & CSR_FLAGS & ~CSR_SUSP);
        qemu_set_irq(c->irq, is_pending(c));
        return true;
    case CCR:
        write_ccr(s, c, value);
        return true;
    case CTR1:
        if (!access.secure) {
            value &= ~(CTR1_SSEC | CTR1_DSEC);
        }
        break;
    }
    *reg(c, offset) = value;
    return true;
}

static bool gpdma_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Gpdma *s = STM32_GPDMA(p);

    switch (offset) {
    case SECCFGR:
        if (access.secure) {
            s->seccfgr = (value & 0xffff & ~s->rcfglockr) | (s->seccfgr & s->rcfglockr);
        }
        return true;
    case PRIVCFGR:
        s->privcfgr = value & 0xffff;
        return true;
    case RCFGLOCKR:
        s->rcfglockr |= value & 0xffff;
        return true;
    case MISR:
    case SMISR:
        return true;
    }
    const unsigned n = (offset - CHANNEL) / CHANNEL_SIZE;
    offset = (offset - CHANNEL) % CHANNEL_SIZE;
    return n < STM32_GPDMA_CHANNELS && (is_hidden(s, n, access) || write_channel(s, n, offset, access, value));
}

static void gpdma_reset(DeviceState *dev)
{
    Stm32Gpdma *s = STM32_GPDMA(dev);
    s->seccfgr = s->privcfgr = s->rcfglockr = 0;
    for (int n = 0; n < STM32_GPDMA_CHANNELS; n++) {
        memset(s->channel[n].reg, 0, sizeof(s->channel[n].reg));
        qemu_irq_lower(s->channel[n].irq);
    }
}

static void gpdma_init(Object *object)
{
    Stm32Gpdma *s = STM32_GPDMA(object);
    s->bh = qemu_bh_new(run, s);
    for (int n = 0; n < STM32_GPDMA_CHANNELS; n++) {
        sysbus_init_irq(SYS_BUS_DEVICE(s), &s->channel[n].irq);
    }
    qdev_init_gpio_in_named(DEVICE(s), on_request, STM32_GPDMA_REQUEST, REQUESTS);
    qdev_init_gpio_out_named(DEVICE(s), &s->illegal, STM32_GPDMA_ILLEGAL, 1);
}

static void gpdma_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = gpdma_reset;
    peripheral->read = gpdma_read;
    peripheral->write = gpdma_write;
    peripheral->size = 0x1000;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_GPDMA,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Gpdma),
        .instance_init = gpdma_init,
        .class_init = gpdma_class_init,
    },
};

DEFINE_TYPES(types)
