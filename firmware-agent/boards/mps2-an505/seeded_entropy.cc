#include "boards/mps2-an505/seeded_entropy.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "core/platform/flash_map.h"
#include "mbedtls/sha256.h"

namespace mv::board {
namespace {

constexpr std::uint32_t kRecordMagic = 0x44454553;  // "SEED"
constexpr flash_map::Area kArea = flash_map::kEntropySeed;
constexpr std::uint32_t kRecordSize = 64;
constexpr std::uint32_t kRecordsAPage = Flash::kPage / kRecordSize;
constexpr std::uint32_t kRecords = kArea.size / kRecordSize;

using Block = std::array<std::uint8_t, 32>;
using Bytes = std::span<const std::uint8_t>;

// SHA-256 over several pieces.
class Hash {
 public:
  Hash() {
    mbedtls_sha256_init(&context_);
    mbedtls_sha256_starts(&context_, 0);
  }
  ~Hash() { mbedtls_sha256_free(&context_); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  Hash& add(Bytes bytes) {
    mbedtls_sha256_update(&context_, bytes.data(), bytes.size());
    return *this;
  }

  Block finish() {
    Block digest;
    mbedtls_sha256_finish(&context_, digest.data());
    return digest;
  }

 private:
  mbedtls_sha256_context context_;
};

// RFC 2104, for keys of 32 bytes.
Block hmac(const Block& key, Bytes first, Bytes second = {}, Bytes third = {}) {
  std::array<std::uint8_t, 64> inner, outer;
  inner.fill(0x36);
  outer.fill(0x5c);
  for (std::size_t at = 0; at < key.size(); ++at) {
    inner[at] = static_cast<std::uint8_t>(inner[at] ^ key[at]);
    outer[at] = static_cast<std::uint8_t>(outer[at] ^ key[at]);
  }
  const Block digest = Hash().add(inner).add(first).add(second).add(third).finish();
  return Hash().add(outer).add(digest).finish();
}

template <typename Record>
Bytes as_bytes(const Record& record) {
  return {reinterpret_cast<const std::uint8_t*>(&record), sizeof(record)};
}

}  // namespace

// SP 800-90A, 10.1.2.2.
void SeededEntropy::update(Bytes data) {
  for (const std::uint8_t round : {std::uint8_t{0}, std::uint8_t{1}}) {
    key_ = hmac(key_, value_, {&round, 1}, data);
    value_ = hmac(key_, value_);
    if (data.empty()) return;
  }
}

// SP 800-90A, 10.1.2.5.
void SeededEntropy::generate(std::span<std::uint8_t> out) {
  for (std::size_t at = 0; at < out.size();) {
    value_ = hmac(key_, value_);
    const std::size_t size = std::min(value_.size(), out.size() - at);
    std::copy_n(value_.begin(), size, out.begin() + static_cast<std::ptrdiff_t>(at));
    at += size;
  }
  update({});
}

std::optional<SeededEntropy::Record> SeededEntropy::read_record(std::uint32_t offset) {
  Record record;
  const std::span<std::uint8_t> out(reinterpret_cast<std::uint8_t*>(&record), sizeof(record));
  if (flash_.read(offset, out) != Flash::Result::kOk || record.magic != kRecordMagic) return std::nullopt;
  const Block digest = Hash().add(as_bytes(record).first(offsetof(Record, check))).finish();
  if (!std::equal(record.check.begin(), record.check.end(), digest.begin())) return std::nullopt;
  return record;
}

std::optional<SeededEntropy::Newest> SeededEntropy::newest() {
  std::optional<Newest> best;
  for (std::uint32_t index = 0; index < kRecords; ++index) {
    const std::uint32_t offset = kArea.offset + index * kRecordSize;
    const std::optional<Record> record = read_record(offset);
    if (record && (!best || record->sequence > best->record.sequence)) best = {*record, offset};
  }
  return best;
}

// Behind the newest record; in the other page once this one is full, whose old records are erased first. A torn record
// of an earlier boot uses up its place, so the next places are tried too.
bool SeededEntropy::store(std::uint32_t sequence, const Block& seed, std::optional<std::uint32_t> after) {
  Record record{};
  record.magic = kRecordMagic;
  record.sequence = sequence;
  record.seed = seed;
  const Block digest = Hash().add(as_bytes(record).first(offsetof(Record, check))).finish();
  std::copy_n(digest.begin(), record.check.size(), record.check.begin());

  std::uint32_t index = after ? ((*after - kArea.offset) / kRecordSize + 1) % kRecords : 0;
  for (std::uint32_t tries = 0; tries <= kRecordsAPage; ++tries, index = (index + 1) % kRecords) {
    const std::uint32_t offset = kArea.offset + index * kRecordSize;
    if (index % kRecordsAPage == 0 && flash_.erase_page(offset) != Flash::Result::kOk) return false;
    if (flash_.program(offset, as_bytes(record)) == Flash::Result::kOk) return true;
  }
  return false;
}

bool SeededEntropy::mix_identity() {
  constexpr std::uint32_t kPiece = 256;
  std::array<std::uint8_t, kPiece> piece;
  bool blank = true;
  for (std::uint32_t at = 0; at < flash_map::kIdentity.size; at += kPiece) {
    if (flash_.read(flash_map::kIdentity.offset + at, piece) != Flash::Result::kOk) return false;
    const bool empty = std::all_of(piece.begin(), piece.end(), [](std::uint8_t byte) { return byte == 0xff; });
    if (empty) continue;
    blank = false;
    update(piece);
  }
  return !blank;
}

bool SeededEntropy::set_up() {
  key_.fill(0);
  value_.fill(1);
  const std::optional<Newest> last = newest();
  if (last) update(as_bytes(last->record));
  const bool identity = mix_identity();
  if (!last && !identity) return false;
  Block seed;
  generate(seed);
  ready_ = store(last ? last->record.sequence + 1 : 1, seed, last ? std::optional(last->offset) : std::nullopt);
  return ready_;
}

bool SeededEntropy::fill(std::span<std::uint8_t> out) {
  if (ready_) generate(out);
  return ready_;
}

}  // namespace mv::board
