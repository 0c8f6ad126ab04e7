/*
 * USART, UART, LPUART: RM0456, chapters "Universal synchronous/asynchronous receiver transmitter (USART)" and "Low-power
 * universal asynchronous receiver transmitter (LPUART)".
 *
 * Characters are sent and received at once; a frame's length counts only for IDLE and the receiver timeout. As with RTS and CTS
 * nothing comes that the receiver has no room for. Synchronous, smartcard, IrDA and LIN modes are not modelled.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "chardev/char-fe.h"
#include "hw/irq.h"
#include "hw/qdev-clock.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "qemu/fifo8.h"
#include "qemu/timer.h"
#include "usart.h"

enum {
    CR1 = 0x00, CR2 = 0x04, CR3 = 0x08, BRR = 0x0c, GTPR = 0x10, RTOR = 0x14, RQR = 0x18, ISR = 0x1c, ICR = 0x20, RDR = 0x24,
    TDR = 0x28, PRESC = 0x2c, AUTOCR = 0x30,
};

enum {
    CR1_UE = 1 << 0, CR1_RE = 1 << 2, CR1_TE = 1 << 3, CR1_IDLEIE = 1 << 4, CR1_RXNEIE = 1 << 5, CR1_TCIE = 1 << 6,
    CR1_TXEIE = 1 << 7, CR1_OVER8 = 1 << 15, CR1_RTOIE = 1 << 26, CR1_FIFOEN = 1 << 29, CR1_TXFEIE = 1 << 30,
    CR2_UNMODELLED = 1 << 14 | 1 << 11, /* LINEN, CLKEN */
    CR2_RTOEN = 1 << 23,
    CR3_EIE = 1 << 0, CR3_UNMODELLED = 1 << 1 | 1 << 3 | 1 << 5, /* IREN, HDSEL, SCEN */
    CR3_DMAR = 1 << 6, CR3_DMAT = 1 << 7, CR3_OVRDIS = 1 << 12, CR3_TXFTIE = 1 << 23, CR3_RXFTIE = 1 << 28,
    RQR_SBKRQ = 1 << 1, RQR_RXFRQ = 1 << 3, RQR_TXFRQ = 1 << 4,
    ISR_ORE = 1 << 3, ISR_IDLE = 1 << 4, ISR_RXNE = 1 << 5, ISR_TC = 1 << 6, ISR_TXE = 1 << 7, ISR_CTS = 1 << 10,
    ISR_RTOF = 1 << 11, ISR_TEACK = 1 << 21, ISR_REACK = 1 << 22, ISR_TXFE = 1 << 23, ISR_RXFF = 1 << 24, ISR_RXFT = 1 << 26,
    ISR_TXFT = 1 << 27,
    ICR_FLAGS = 1 << 0 | 1 << 1 | 1 << 2 | ISR_ORE | ISR_IDLE | ISR_TC | ISR_RTOF,
    FIFO_SIZE = 8,
    FRAME_BITS = 10, /* start, 8, stop */
};
#define CR1_RXFFIE (1u << 31)

OBJECT_DECLARE_SIMPLE_TYPE(Stm32Usart, STM32_USART)

struct Stm32Usart {
    Stm32Peripheral parent_obj;
    CharBackend chr;
    bool low_power; /* an LPUART: BRR counts 256ths of a clock */
    Clock *clock;

    uint32_t cr1, cr2, cr3, brr, gtpr, rtor, presc;
    uint32_t flags; /* of ISR, those that stay until they are cleared */
    Fifo8 rx, tx;
    guint watch;
    QEMUTimer *idle_timer, *timeout_timer;
    qemu_irq irq, dma_rx, dma_tx;
};

static unsigned depth(Stm32Usart *s)
{
    return s->cr1 & CR1_FIFOEN ? FIFO_SIZE : 1;
}

/* USART_CR3.RXFTCFG and TXFTCFG: eighths of the FIFO. */
static unsigned threshold(uint32_t field)
{
    static const uint8_t eighths[8] = { 1, 2, 4, 6, 7, 8, 8, 8 };
    return eighths[field];
}

static uint32_t status(Stm32Usart *s)
{
    const bool fifo = s->cr1 & CR1_FIFOEN, on = s->cr1 & CR1_UE;
    const unsigned received = fifo8_num_used(&s->rx), waiting = fifo8_num_used(&s->tx);
    uint32_t isr = s->flags | ISR_CTS;

    isr |= received ? ISR_RXNE : 0;
    isr |= waiting < depth(s) ? ISR_TXE : 0;
    isr |= on && (s->cr1 & CR1_TE) ? ISR_TEACK : 0;
    isr |= on && (s->cr1 & CR1_RE) ? ISR_REACK : 0;
    if (fifo) {
        isr |= waiting == 0 ? ISR_TXFE : 0;
        isr |= received >= FIFO_SIZE ? ISR_RXFF : 0;
        isr |= received >= threshold(extract32(s->cr3, 25, 3)) ? ISR_RXFT : 0;
        isr |= FIFO_SIZE - waiting >= threshold(extract32(s->cr3, 29, 3)) ? ISR_TXFT : 0;
    }
    return isr;
}

static void update(Stm32Usart *s)
{
    const uint32_t isr = status(s);
    const bool fifo = s->cr1 & CR1_FIFOEN;
    bool level = false;

    level |= (isr & ISR_RXNE) && (s->cr1 & CR1_RXNEIE);
    level |= (isr & ISR_ORE) && ((s->cr1 & CR1_RXNEIE) || (s->cr3 & CR3_EIE));
    level |= (isr & ISR_IDLE) && (s->cr1 & CR1_IDLEIE);
    level |= (isr & ISR_TC) && (s->cr1 & CR1_TCIE);
    level |= (isr & ISR_TXE) && (s->cr1 & CR1_TXEIE);
    level |= (isr & ISR_RTOF) && (s->cr1 & CR1_RTOIE);
    level |= fifo && (isr & ISR_TXFE) && (s->cr1 & CR1_TXFEIE);
    level |= fifo && (isr & ISR_RXFF) && (s->cr1 & CR1_RXFFIE);
    level |= fifo && (isr & ISR_RXFT) && (s->cr3 & CR3_RXFTIE);
    level |= fifo && (isr & ISR_TXFT) && (s->cr3 & CR3_TXFTIE);
    qemu_set_irq(s->irq, level);
    qemu_set_irq(s->dma_rx, (isr & ISR_RXNE) && (s->cr3 & CR3_DMAR));
    qemu_set_irq(s->dma_tx, (isr & ISR_TXE) && (s->cr3 & CR3_DMAT) && (s->cr1 & CR1_TE));
}

/* Nanoseconds of `bits` bits. USART_BRR: USARTDIV, LPUART_BRR: 256 clocks for each unit. */
static int64_t bit_time_ns(Stm32Usart *s, uint64_t bits)
{
    static const uint16_t prescalers[16] = { 1, 2, 4, 6, 8, 10, 12, 16, 32, 64, 128, 256, 256, 256, 256, 256 };
    const uint64_t hz = clock_get_hz(s->clock) / prescalers[s->presc];
    uint64_t clocks = s->brr;

    if (s->low_power) {
        clocks = s->brr / 256;
    } else if (s->cr1 & CR1_OVER8) {
        clocks = ((s->brr & 0xfff0) | (s->brr & 7) << 1) / 2;
    }
    return hz ? bits * clocks * NANOSECONDS_PER_SECOND / hz : 0;
}

static void on_idle(void *opaque)
{
    Stm32Usart *s = opaque;
    s->flags |= ISR_IDLE;
    update(s);
}

static void on_timeout(void *opaque)
{
    Stm32Usart *s = opaque;
    s->flags |= ISR_RTOF;
    update(s);
}

static int can_receive(void *opaque)
{
    Stm32Usart *s = opaque;
    const bool on = (s->cr1 & CR1_UE) && (s->cr1 & CR1_RE);
    return on ? depth(s) - MIN(depth(s), fifo8_num_used(&s->rx)) : 0;
}

static void receive(void *opaque, const uint8_t *bytes, int size)
{
    Stm32Usart *s = opaque;
    const int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    fifo8_push_all(&s->rx, bytes, size);
    timer_mod(s->idle_timer, now + bit_time_ns(s, FRAME_BITS));
    if (s->cr2 & CR2_RTOEN) {
        timer_mod(s->timeout_timer, now + bit_time_ns(s, s->rtor & 0xffffff));
    }
    update(s);
}

static gboolean on_writable(void *do_not_use, GIOCondition condition, void *opaque);

static void transmit(Stm32Usart *s)
{
    while (!fifo8_is_empty(&s->tx) && !s->watch) {
        uint32_t count;
        const uint8_t *bytes = fifo8_pop_buf(&s->tx, fifo8_num_used(&s->tx), &count);
        const int written = qemu_chr_fe_write(&s->chr, bytes, count);
        const uint32_t sent = MAX(written, 0);

        if (sent < count && qemu_chr_fe_backend_connected(&s->chr)) {
            s->watch = qemu_chr_fe_add_watch(&s->chr, G_IO_OUT | G_IO_HUP, on_writable, s);
        }
        if (s->watch) { /* back with what was not taken, in front of what follows */
            uint8_t rest[FIFO_SIZE];
            uint32_t left = count - sent;
            memcpy(rest, bytes + sent, left);
            while (!fifo8_is_empty(&s->tx)) {
                rest[left++] = fifo8_pop(&s->tx);
            }
            fifo8_push_all(&s->tx, rest, left);
        }
    }
    if (fifo8_is_empty(&s->tx)) {
        s->flags |= ISR_TC;
    }
    update(s);
}

static gboolean on_writable(void *do_not_use, GIOCondition condition, void *opaque)
{
    Stm32Usart *s = opaque;
    s->watch = 0;
    transmit(s);
    return FALSE;
}

static void write_data(Stm32Usart *s, uint8_t byte)
{
    if (!(s->cr1 & CR1_UE) || !(s->cr1 & CR1_TE)) {
        stm32_complain("%s: a character is written while the transmitter is off", s->parent_obj.name);
        return;
    }
    s->flags &= ~ISR_TC;
    if (fifo8_num_used(&s->tx) >= depth(s)) {
        stm32_complain("%s: a character is written over one that waits", s->parent_obj.name);
        return;
    }
    fifo8_push(&s->tx, byte);
    transmit(s);
}

static uint32_t read_data(Stm32Usart *s)
{
    const uint8_t byte = fifo8_is_empty(&s->rx) ? 0 : fifo8_pop(&s->rx);
    update(s);
    qemu_chr_fe_accept_input(&s->chr);
    return byte;
}

static bool usart_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Usart *s = STM32_USART(p);

    switch (offset) {
    case CR1:
        *value = s->cr1;
        return true;
    case CR2:
        *value = s->cr2;
        return true;
    case CR3:
        *value = s->cr3;
        return true;
    case BRR:
        *value = s->brr;
        return true;
    case GTPR:
        *value = s->gtpr;
        return true;
    case RTOR:
        *value = s->rtor;
        return true;
    case RQR:
    case ICR:
        return true;
    case ISR:
        *value = status(s);
        return true;
    case RDR:
        *value = read_data(s);
        return true;
    case TDR:
    case AUTOCR:
        return true;
    case PRESC:
        *value = s->presc;
        return true;
    default:
        return false;
    }
}

static bool write_cr1(Stm32Usart *s, uint32_t value)
{
    if ((s->cr1 & CR1_UE) && ((s->cr1 ^ value) & CR1_FIFOEN)) {
        stm32_complain("%s: FIFOEN is changed while UE is set", s->parent_obj.name);
    }
    s->cr1 = value;
    if (!(value & CR1_UE)) {
        fifo8_reset(&s->rx);
        s->flags = ISR_TC;
    }
    update(s);
    qemu_chr_fe_accept_input(&s->chr);
    return true;
}

static bool usart_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Usart *s = STM32_USART(p);

    switch (offset) {
    case CR1:
        return write_cr1(s, value);
    case CR2:
        s->cr2 = value;
        break;
    case CR3:
        s->cr3 = value;
        update(s);
        break;
    case BRR:
        s->brr = value & 0xfffff;
        return true;
    case GTPR:
        s->gtpr = value;
        return true;
    case RTOR:
        s->rtor = value;
        return true;
    case RQR:
        if (value & RQR_RXFRQ) {
            fifo8_reset(&s->rx);
            qemu_chr_fe_accept_input(&s->chr);
        }
        if (value & RQR_TXFRQ) {
            fifo8_reset(&s->tx);
        }
        update(s);
        return !(value & RQR_SBKRQ);
    case ISR:
        return true;
    case ICR:
        s->flags &= ~(value & ICR_FLAGS);
        update(s);
        return true;
    case TDR:
        write_data(s, value);
        return true;
    case PRESC:
        s->presc = value & 0xf;
        return true;
    default:
        return false;
    }
    return !(s->cr2 & CR2_UNMODELLED) && !(s->cr3 & CR3_UNMODELLED);
}

static void usart_reset(DeviceState *dev)
{
    Stm32Usart *s = STM32_USART(dev);
    s->cr1 = s->cr2 = s->cr3 = s->brr = s->gtpr = s->rtor = s->presc = 0;
    s->flags = ISR_TC;
    fifo8_reset(&s->rx);
    fifo8_reset(&s->tx);
    timer_del(s->idle_timer);
    timer_del(s->timeout_timer);
    update(s);
}

static void usart_realize(DeviceState *dev, Error **errp)
{
    Stm32Usart *s = STM32_USART(dev);
    fifo8_create(&s->rx, FIFO_SIZE);
    fifo8_create(&s->tx, FIFO_SIZE);
    s->idle_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_idle, s);
    s->timeout_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_timeout, s);
    qemu_chr_fe_set_handlers(&s->chr, can_receive, receive, NULL, NULL, s, NULL, true);
}

static void usart_init(Object *object)
{
    Stm32Usart *s = STM32_USART(object);
    s->clock = qdev_init_clock_in(DEVICE(s), "clock", NULL, NULL, 0);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
    qdev_init_gpio_out_named(DEVICE(s), &s->dma_rx, STM32_USART_DMA_RX, 1);
    qdev_init_gpio_out_named(DEVICE(s), &s->dma_tx, STM32_USART_DMA_TX, 1);
}

static Property usart_properties[] = {
    DEFINE_PROP_CHR("chardev", Stm32Usart, chr),
    DEFINE_PROP_BOOL("low-power", Stm32Usart, low_power, false),
    DEFINE_PROP_END_OF_LIST(),
};

static void usart_class_init(ObjectClass *class, void *data)
{
    DeviceClass *device = DEVICE_CLASS(class);
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    device->realize = usart_realize;
    device->reset = usart_reset;
    device_class_set_props(device, usart_properties);
    peripheral->read = usart_read;
    peripheral->write = usart_write;
    peripheral->narrow_writes = true;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_USART,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Usart),
        .instance_init = usart_init,
        .class_init = usart_class_init,
    },
};

DEFINE_TYPES(types)
