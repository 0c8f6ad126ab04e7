// About 2 KB of new code, as a feature release adds it: the benchmark appends this to a source in the middle of the image.
// Each function is of another kind, so that they do not compress against each other.
#include <stddef.h>
#include <stdint.h>

struct mv_filter {
  int32_t taps[8], history[8];
  uint32_t at, overruns;
};

static int32_t mv_filter_step(struct mv_filter *filter, int32_t sample) {
  int64_t sum = 0;
  filter->history[filter->at & 7] = sample;
  for (uint32_t i = 0; i < 8; ++i) sum += (int64_t)filter->taps[i] * filter->history[(filter->at - i) & 7];
  filter->at += 1;
  sum >>= 16;
  if (sum > INT32_MAX) filter->overruns += 1, sum = INT32_MAX;
  if (sum < INT32_MIN) filter->overruns += 1, sum = INT32_MIN;
  return (int32_t)sum;
}

static size_t mv_base32(char *out, size_t room, const uint8_t *in, size_t size) {
  uint32_t bits = 0, have = 0;
  size_t written = 0;
  for (size_t i = 0; i < size || have > 0;) {
    if (have < 5 && i < size) bits = bits << 8 | in[i++], have += 8;
    if (have < 5) bits <<= 5 - have, have = 5;
    if (written == room) return 0;
    uint32_t digit = bits >> (have -= 5) & 31;
    out[written++] = (char)(digit < 26 ? 'A' + digit : '2' + digit - 26);
  }
  return written;
}

static uint16_t mv_crc16(const uint8_t *in, size_t size) {
  uint16_t crc = 0xFFFF;
  while (size-- > 0) {
    crc ^= (uint16_t)(*in++ << 8);
    for (int bit = 0; bit < 8; ++bit) crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
  }
  return crc;
}

static int mv_parse_address(const char *text, uint32_t *address, uint16_t *port) {
  uint32_t value = 0, parts = 0, digits = 0;
  *address = 0;
  for (;; ++text) {
    if (*text >= '0' && *text <= '9') {
      value = value * 10 + (uint32_t)(*text - '0');
      if (++digits > 5) return -1;
    } else if (*text == '.' || (*text == ':' && parts == 3)) {
      if (digits == 0 || value > 255 || parts > 3) return -2;
      *address = *address << 8 | value;
      value = digits = 0;
      ++parts;
    } else {
      if (*text != 0 || parts != 4 || digits == 0 || value > 65535) return -3;
      *port = (uint16_t)value;
      return 0;
    }
  }
}

struct mv_event {
  struct mv_event *next;
  uint32_t due;
  uint8_t kind, priority;
};

static struct mv_event *mv_insert(struct mv_event *list, struct mv_event *event) {
  struct mv_event **at = &list;
  while (*at != NULL && ((int32_t)((*at)->due - event->due) < 0 ||
                         ((*at)->due == event->due && (*at)->priority >= event->priority))) {
    at = &(*at)->next;
  }
  event->next = *at;
  *at = event;
  return list;
}

static uint32_t mv_root(uint32_t n) {
  uint32_t root = 0;
  for (uint32_t bit = 1u << 30; bit != 0; bit >>= 2) {
    if (n >= root + bit) {
      n -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
  }
  return root;
}

static void mv_calendar(uint32_t days, uint32_t *year, uint32_t *month, uint32_t *day) {
  const uint32_t shifted = days + 719468, era = shifted / 146097, of_era = shifted % 146097;
  const uint32_t of_era_year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const uint32_t of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
  const uint32_t shifted_month = (5 * of_year + 2) / 153;
  *day = of_year - (153 * shifted_month + 2) / 5 + 1;
  *month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  *year = of_era_year + era * 400 + (*month <= 2);
}

static int32_t mv_temperature(int32_t raw, const int16_t calibration[3]) {
  const int32_t linear = ((raw >> 3) - calibration[0] * 2) * calibration[1] >> 11;
  const int32_t root = (raw >> 4) - calibration[0];
  const int32_t fine = linear + ((root * root >> 12) * calibration[2] >> 14);
  return (fine * 5 + 128) >> 8;
}

static int mv_decode_frame(const uint8_t *in, size_t size, uint8_t *kind, const uint8_t **body, size_t *body_size) {
  size_t at = 0, length = 0;
  if (size < 4 || in[at++] != 0x7E) return -1;
  *kind = in[at] >> 4;
  switch (*kind) {
    case 1:
      length = in[at++] & 15;
      break;
    case 2:
    case 3:
      length = (size_t)(in[at] & 15) << 8 | in[at + 1];
      at += 2;
      break;
    case 7:
      for (unsigned shift = 0;; shift += 7) {
        if (++at >= size || shift > 21) return -2;
        length |= (size_t)(in[at] & 127) << shift;
        if ((in[at] & 128) == 0) break;
      }
      ++at;
      break;
    default:
      return -3;
  }
  if (at + length + 2 > size) return -4;
  if (mv_crc16(in, at + length) != (in[at + length] << 8 | in[at + length + 1])) return -5;
  *body = in + at;
  *body_size = length;
  return (int)(at + length + 2);
}

static void mv_shuffle(uint8_t *items, size_t count, uint32_t seed[4]) {
  for (size_t left = count; left > 1; --left) {
    const uint32_t mixed = seed[3] ^ seed[3] << 11;
    seed[3] = seed[2], seed[2] = seed[1], seed[1] = seed[0];
    seed[0] ^= seed[0] >> 19 ^ mixed ^ mixed >> 8;
    const size_t other = (size_t)((uint64_t)seed[0] * left >> 32);
    const uint8_t kept = items[left - 1];
    items[left - 1] = items[other], items[other] = kept;
  }
}

static uint32_t mv_hash(const uint8_t *in, size_t size, uint32_t hash) {
  for (; size >= 4; size -= 4, in += 4) {
    uint32_t word = (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
    word *= 0xcc9e2d51;
    word = (word << 15 | word >> 17) * 0x1b873593;
    hash ^= word;
    hash = (hash << 13 | hash >> 19) * 5 + 0xe6546b64;
  }
  hash ^= hash >> 16;
  hash *= 0x85ebca6b;
  hash ^= hash >> 13;
  hash *= 0xc2b2ae35;
  return hash ^ hash >> 16;
}

static uint16_t mv_checksum(const uint8_t *in, size_t size) {
  uint32_t sum = 0;
  for (; size > 1; size -= 2, in += 2) sum += (uint32_t)(in[0] << 8 | in[1]);
  if (size > 0) sum += (uint32_t)in[0] << 8;
  while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
  return (uint16_t)~sum;
}

static size_t mv_format_fixed(char *out, size_t room, int32_t value, unsigned decimals) {
  char digits[16];
  size_t count = 0, written = 0;
  uint32_t left = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  do {
    if (count == decimals && decimals != 0) digits[count++] = '.', decimals = 0;
    digits[count++] = (char)('0' + left % 10);
    left /= 10;
  } while (left != 0 || count <= decimals);
  if (value < 0) digits[count++] = '-';
  while (count > 0 && written + 1 < room) out[written++] = digits[--count];
  if (room > 0) out[written] = 0;
  return written;
}

enum mv_phase { kIdle, kConnecting, kOnline, kBackingOff, kFailed };

static enum mv_phase mv_next_phase(enum mv_phase phase, uint32_t event, uint32_t *delay, uint32_t *attempts) {
  switch (phase) {
    case kIdle:
      if (event != 1) return kIdle;
      *attempts = 0;
      *delay = 500;
      return kConnecting;
    case kConnecting:
      if (event == 2) return kOnline;
      if (event != 3) return kConnecting;
      *delay = *delay > 60000 ? 120000 : *delay * 2;
      return ++*attempts > 12 ? kFailed : kBackingOff;
    case kOnline:
      return event == 3 ? kBackingOff : event == 4 ? kIdle : kOnline;
    case kBackingOff:
      return event == 5 ? kConnecting : event == 4 ? kIdle : kBackingOff;
    default:
      return event == 6 ? kIdle : kFailed;
  }
}

static uint32_t mv_median(const uint32_t *samples, size_t count, uint32_t *spread) {
  uint32_t sorted[9];
  if (count > 9) count = 9;
  for (size_t i = 0; i < count; ++i) {
    size_t at = i;
    for (; at > 0 && sorted[at - 1] > samples[i]; --at) sorted[at] = sorted[at - 1];
    sorted[at] = samples[i];
  }
  *spread = count == 0 ? 0 : sorted[count - 1] - sorted[0];
  return count == 0 ? 0 : count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static int mv_compare_versions(const char *a, const char *b) {
  for (;;) {
    uint32_t left = 0, right = 0;
    while (*a >= '0' && *a <= '9') left = left * 10 + (uint32_t)(*a++ - '0');
    while (*b >= '0' && *b <= '9') right = right * 10 + (uint32_t)(*b++ - '0');
    if (left != right) return left < right ? -1 : 1;
    if (*a != '.' && *b != '.') return *a == *b ? 0 : *a == '-' ? -1 : 1;
    a += *a == '.';
    b += *b == '.';
  }
}

struct mv_state {
  struct mv_filter filter;
  struct mv_event events[4], *list;
  uint32_t seed[4], date[3], results[12];
  enum mv_phase phase;
};

__attribute__((used, noinline)) void mv_new_feature(struct mv_state *state, uint8_t *buffer, size_t size) {
  static const int16_t kCalibration[3] = {27504, 26435, -1000};
  uint32_t address = 0, *results = state->results;
  uint16_t port = 0;
  uint8_t kind;
  const uint8_t *body;
  size_t body_size;
  for (size_t i = 0; i < size; ++i) results[0] = (uint32_t)mv_filter_step(&state->filter, buffer[i]);
  mv_shuffle(buffer, size, state->seed);
  results[1] = (uint32_t)mv_base32((char *)buffer, size, buffer + size / 2, size / 2);
  results[2] = (uint32_t)mv_parse_address((const char *)buffer, &address, &port) + address + port;
  for (size_t i = 0; i < 4; ++i) state->list = mv_insert(state->list, &state->events[i]);
  results[3] = mv_root((uint32_t)size);
  mv_calendar((uint32_t)size, &state->date[0], &state->date[1], &state->date[2]);
  results[4] = state->date[0] + state->date[1] + state->date[2];
  results[5] = (uint32_t)mv_temperature((int32_t)size, kCalibration);
  results[6] = (uint32_t)mv_decode_frame(buffer, size, &kind, &body, &body_size);
  results[7] = mv_hash(buffer, size, 0x9747b28c) ^ mv_checksum(buffer, size);
  results[8] = (uint32_t)mv_format_fixed((char *)buffer, size, (int32_t)results[5], 2);
  state->phase = mv_next_phase(state->phase, results[6] & 7, &results[9], &results[10]);
  results[11] = mv_median(results, size, &results[10]);
  results[0] += (uint32_t)mv_compare_versions((const char *)buffer, (const char *)buffer + size / 2);
}
