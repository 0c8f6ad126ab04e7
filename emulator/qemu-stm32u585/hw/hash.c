/*
 * Hash processor: RM0456, chapter "Hash processor (HASH)". SHA-1, MD5, SHA-224 and SHA-256, and HMAC with them, by QEMU's
 * library. What is written into HASH_DIN is kept until the digest is asked for, which is then there at once.
 *
 * A message ends with a whole byte. The context swap registers and DMA are not modelled.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "crypto/hash.h"
#include "crypto/hmac.h"
#include "hw/irq.h"
#include "peripheral.h"
#include "qapi/error.h"
#include "qemu/host-utils.h"
#include "qemu/units.h"

#define TYPE_STM32_HASH "stm32u585-hash"
OBJECT_DECLARE_SIMPLE_TYPE(Stm32Hash, STM32_HASH)

enum {
    CR = 0x00, DIN = 0x04, STR = 0x08, HRA0 = 0x0c, HRA4 = 0x1c, IMR = 0x20, SR = 0x24, HR0 = 0x310, HR7 = 0x32c,
    INIT = 1 << 2, DMAE = 1 << 3, MODE = 1 << 6, MDMAT = 1 << 13, CR_KEPT = 0x70070, /* ALGO, LKEY, MODE, DATATYPE */
    NBLW = 0x1f, DCAL = 1 << 8,
    DINIS = 1 << 0, DCIS = 1 << 1, INTERRUPTS = DINIS | DCIS, NBWP_SHIFT = 9, DINNE = 1 << 15, NBWE_SHIFT = 16,
    CR_NBW_SHIFT = 8, CR_DINNE = 1 << 12,
    BLOCK_WORDS = 16,
    DIGEST_WORDS = 8,
    LONGEST_MESSAGE = 64 * MiB, /* that is kept; silicon takes 2^64 bits */
};

/* HASH_CR.ALGO */
static const QCryptoHashAlgorithm algorithms[4] = {
    QCRYPTO_HASH_ALG_SHA1, QCRYPTO_HASH_ALG_MD5, QCRYPTO_HASH_ALG_SHA224, QCRYPTO_HASH_ALG_SHA256,
};

/* What HASH_DIN takes next: HMAC wants its key before and after the message. */
typedef enum Phase { KEY, MESSAGE, KEY_AGAIN, COMPLETE } Phase;

struct Stm32Hash {
    Stm32Peripheral parent_obj;
    uint32_t cr, nblw, imr, status;
    uint32_t pushed, expected; /* words: HASH_SR.NBWP and NBWE */
    QCryptoHashAlgorithm algorithm; /* in use, with `keyed`: since INIT */
    bool keyed;
    Phase phase;
    GByteArray *key, *message, *second_key;
    uint32_t digest[DIGEST_WORDS];
    qemu_irq irq;
};

static void update(Stm32Hash *s)
{
    qemu_set_irq(s->irq, s->status & s->imr & INTERRUPTS);
}

static GByteArray *input(Stm32Hash *s)
{
    return s->phase == KEY ? s->key : s->phase == MESSAGE ? s->message : s->second_key;
}

/* A word more than a block is awaited first: it says that the block before it is not the last one. */
static void begin_input(Stm32Hash *s, Phase phase)
{
    s->phase = phase;
    s->pushed = 0;
    s->expected = BLOCK_WORDS + 1;
    s->status = (s->status & ~DINNE) | DINIS;
}

static void initialize(Stm32Hash *s)
{
    s->algorithm = algorithms[extract32(s->cr, 17, 2)];
    s->keyed = s->cr & MODE;
    g_byte_array_set_size(s->key, 0);
    g_byte_array_set_size(s->message, 0);
    g_byte_array_set_size(s->second_key, 0);
    memset(s->digest, 0, sizeof(s->digest));
    s->status = 0;
    begin_input(s, s->keyed ? KEY : MESSAGE);
}

/* HASH_CR.DATATYPE: words, half-words, bytes or bits, the first one lowest; HASH wants the first bit highest. */
static uint32_t swapped(uint32_t word, unsigned type)
{
    switch (type) {
    case 0:
        return word;
    case 1:
        return rol32(word, 16);
    case 2:
        return bswap32(word);
    default:
        return revbit32(word);
    }
}

static bool push(Stm32Hash *s, uint32_t word)
{
    GByteArray *bytes = input(s);
    const uint32_t big_endian = cpu_to_be32(swapped(word, extract32(s->cr, 4, 2)));

    if (s->phase == COMPLETE) {
        stm32_complain("HASH: written after the digest, without HASH_CR.INIT");
        return true;
    }
    if (bytes->len + sizeof(big_endian) > LONGEST_MESSAGE) {
        return false;
    }
    g_byte_array_append(bytes, (const uint8_t *)&big_endian, sizeof(big_endian));
    s->status = (s->status & ~DINIS) | DINNE;
    s->pushed++;
    if (--s->expected == 0) {
        s->pushed -= BLOCK_WORDS;
        s->expected = BLOCK_WORDS;
        s->status |= DINIS;
    }
    return true;
}

static bool compute(Stm32Hash *s, uint8_t **digest, size_t *size, Error **errp)
{
    const char *text = (const char *)s->message->data;
    g_autoptr(QCryptoHmac) hmac = NULL;

    if (!s->keyed) {
        return qcrypto_hash_bytes(s->algorithm, text, s->message->len, digest, size, errp) == 0;
    }
    if (s->key->len != s->second_key->len || memcmp(s->key->data, s->second_key->data, s->key->len)) {
        error_setg(errp, "the key after the message is not the key before it");
        return false;
    }
    hmac = qcrypto_hmac_new(s->algorithm, s->key->data, s->key->len, errp);
    return hmac && qcrypto_hmac_bytes(hmac, text, s->message->len, digest, size, errp) == 0;
}

static bool finish(Stm32Hash *s)
{
    g_autofree uint8_t *digest = NULL;
    size_t size = 0;
    Error *error = NULL;

    if (!compute(s, &digest, &size, &error)) {
        stm32_complain("HASH: %s", error_get_pretty(error));
        error_free(error);
        return false;
    }
    assert(size <= sizeof(s->digest));
    for (size_t at = 0; at < size; at += 4) {
        s->digest[at / 4] = ldl_be_p(digest + at);
    }
    begin_input(s, COMPLETE);
    s->status |= DCIS;
    return true;
}

/* HASH_STR.DCAL: the last word has been written; NBLW bits of it count, 0: all. */
static bool end_input(Stm32Hash *s)
{
    GByteArray *bytes = input(s);

    if (s->nblw % 8) {
        return false;
    }
    if (s->nblw && bytes->len) {
        g_byte_array_set_size(bytes, bytes->len - (4 - s->nblw / 8));
    }
    switch (s->phase) {
    case KEY:
        begin_input(s, MESSAGE);
        return true;
    case MESSAGE:
        if (s->keyed) {
            begin_input(s, KEY_AGAIN);
            return true;
        }
        return finish(s);
    case KEY_AGAIN:
        return finish(s);
    case COMPLETE:
        stm32_complain("HASH: HASH_STR.DCAL after the digest, without HASH_CR.INIT");
        return true;
    }
    g_assert_not_reached();
}

static bool hash_read(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t *value)
{
    Stm32Hash *s = STM32_HASH(p);
    switch (offset) {
    case CR:
        *value = s->cr | extract32(s->pushed, 0, 4) << CR_NBW_SHIFT | (s->status & DINNE ? CR_DINNE : 0);
        return true;
    case DIN:
        *value = 0;
        return true;
    case STR:
        *value = s->nblw;
        return true;
    case HRA0 ... HRA4:
        *value = s->digest[(offset - HRA0) / 4];
        return true;
    case IMR:
        *value = s->imr;
        return true;
    case SR:
        *value = s->status | s->pushed << NBWP_SHIFT | s->expected << NBWE_SHIFT;
        return true;
    case HR0 ... HR7:
        *value = s->digest[(offset - HR0) / 4];
        return true;
    default:
        return false;
    }
}

static bool hash_write(Stm32Peripheral *p, uint32_t offset, Access access, uint32_t value)
{
    Stm32Hash *s = STM32_HASH(p);
    bool is_modelled = true;

    switch (offset) {
    case CR:
        if (value & (DMAE | MDMAT)) {
            return false;
        }
        s->cr = value & CR_KEPT;
        if (value & INIT) {
            initialize(s);
        }
        break;
    case DIN:
        is_modelled = push(s, value);
        break;
    case STR:
        if (value & DCAL) {
            is_modelled = end_input(s);
        } else {
            s->nblw = value & NBLW;
        }
        break;
    case HRA0 ... HRA4:
    case HR0 ... HR7:
        break;
    case IMR:
        s->imr = value & INTERRUPTS;
        break;
    case SR:
        s->status &= value | ~INTERRUPTS;
        break;
    default:
        return false;
    }
    update(s);
    return is_modelled;
}

static void hash_reset(DeviceState *dev)
{
    Stm32Hash *s = STM32_HASH(dev);
    s->cr = s->nblw = s->imr = 0;
    initialize(s);
    update(s);
}

static void hash_init(Object *object)
{
    Stm32Hash *s = STM32_HASH(object);
    s->key = g_byte_array_new();
    s->message = g_byte_array_new();
    s->second_key = g_byte_array_new();
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq);
}

static void hash_finalize(Object *object)
{
    Stm32Hash *s = STM32_HASH(object);
    g_byte_array_unref(s->key);
    g_byte_array_unref(s->message);
    g_byte_array_unref(s->second_key);
}

static void hash_class_init(ObjectClass *class, void *data)
{
    Stm32PeripheralClass *peripheral = STM32_PERIPHERAL_CLASS(class);
    DEVICE_CLASS(class)->reset = hash_reset;
    peripheral->read = hash_read;
    peripheral->write = hash_write;
}

static const TypeInfo types[] = {
    {
        .name = TYPE_STM32_HASH,
        .parent = TYPE_STM32_PERIPHERAL,
        .instance_size = sizeof(Stm32Hash),
        .instance_init = hash_init,
        .instance_finalize = hash_finalize,
        .class_init = hash_class_init,
    },
};

DEFINE_TYPES(types)
