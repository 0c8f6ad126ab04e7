#include "core/update/update_journal.h"

#include <algorithm>

#include <psa/crypto.h>

#include "core/storage/little_endian.h"

namespace mv::update {
namespace {

// Kinds of records.
constexpr std::uint8_t kState = 0;
constexpr std::uint8_t kSizes = 1;    // number: of the update
constexpr std::uint8_t kKey = 2;      // number: of the update
constexpr std::uint8_t kOrder = 3;    // number: 1 if it forces
constexpr std::uint8_t kVerdict = 4;  // number: the error
constexpr std::uint8_t kSecurityCounter = 5;

std::uint32_t pack(const UpdateState& state) {
  return static_cast<std::uint32_t>(state.phase) | static_cast<std::uint32_t>(state.running) << 4U |
         static_cast<std::uint32_t>(state.target) << 8U | (state.keeps ? 1U << 12U : 0U) |
         static_cast<std::uint32_t>(state.starts) << 16U;
}

void store_u64(std::span<std::uint8_t, 8> bytes, std::uint64_t value) {
  storage::store_u32(bytes.first<4>(), static_cast<std::uint32_t>(value));
  storage::store_u32(bytes.last<4>(), static_cast<std::uint32_t>(value >> 32U));
}

std::uint64_t load_u64(std::span<const std::uint8_t, 8> bytes) {
  return storage::load_u32(bytes.first<4>()) | std::uint64_t{storage::load_u32(bytes.last<4>())} << 32U;
}

constexpr std::size_t kVerdictHead = sizeof(Hash) + 8;  // then the sentence

}  // namespace

UpdateState UpdateJournal::mount() {
  records_.mount();
  const auto record = records_.find(kState);
  if (!record) return {};
  const std::uint32_t number = record->number;
  return {static_cast<Phase>(number & 0xFU), static_cast<std::uint8_t>(number >> 4U & 0xFU),
          static_cast<std::uint8_t>(number >> 8U & 0xFU), (number >> 12U & 1U) != 0,
          static_cast<std::uint8_t>(number >> 16U & 0xFFU)};
}

bool UpdateJournal::write(const UpdateState& state) { return records_.put(kState, pack(state)); }

std::optional<UpdateKey> UpdateJournal::begin() {
  const auto before = records_.find(kKey);
  UpdateKey key;
  key.number = before ? before->number + 1 : 1;
  if (key.number == 0) key.number = 1;
  if (psa_generate_random(key.bytes.data(), key.bytes.size()) != PSA_SUCCESS) return std::nullopt;
  if (!records_.put(kKey, key.number, key.bytes)) return std::nullopt;
  return key;
}

std::optional<UpdateKey> UpdateJournal::key() {
  const auto record = records_.find(kKey);
  UpdateKey key;
  if (!record || records_.read(kKey, key.bytes) != key.bytes.size()) return std::nullopt;
  key.number = record->number;
  return key;
}

bool UpdateJournal::write_sizes(const ContentSizes& sizes) {
  std::array<std::uint8_t, sizeof(ContentSizes)> bytes;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    storage::store_u32(std::span(bytes).subspan(4 * i).first<4>(), sizes[i]);
  }
  const auto key = records_.find(kKey);
  return key && records_.put(kSizes, key->number, bytes);
}

ContentSizes UpdateJournal::sizes() {
  std::array<std::uint8_t, sizeof(ContentSizes)> bytes{};
  ContentSizes sizes{};
  const auto record = records_.find(kSizes);
  const auto key = records_.find(kKey);
  if (!record || !key || record->number != key->number) return sizes;
  if (records_.read(kSizes, bytes) != bytes.size()) return sizes;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    sizes[i] = storage::load_u32(std::span(bytes).subspan(4 * i).first<4>());
  }
  return sizes;
}

bool UpdateJournal::write_order(const Order& order) {
  if (records_.find(kOrder) && this->order() == order) return true;
  std::array<std::uint8_t, 8> bytes;
  store_u64(bytes, order.generation);
  return records_.put(kOrder, order.force ? 1 : 0, bytes);
}

Order UpdateJournal::order() {
  const auto record = records_.find(kOrder);
  std::array<std::uint8_t, 8> bytes;
  if (!record || records_.read(kOrder, bytes) != bytes.size()) return {};
  return {load_u64(bytes), record->number != 0};
}

bool UpdateJournal::write_verdict(const Verdict& verdict) {
  std::array<std::uint8_t, kVerdictHead + Sentence::kSize> bytes{};
  std::ranges::copy(verdict.bundle, bytes.begin());
  store_u64(std::span(bytes).subspan<sizeof(Hash), 8>(), verdict.generation);
  const std::string_view text = verdict.refusal.sentence.view();
  std::ranges::copy(text, bytes.begin() + kVerdictHead);
  return records_.put(kVerdict, verdict.refusal.error, std::span(bytes).first(kVerdictHead + text.size()));
}

bool UpdateJournal::clear_verdict() {
  const auto record = records_.find(kVerdict);
  return !record || record->size == 0 || records_.put(kVerdict, 0);
}

std::optional<Verdict> UpdateJournal::verdict() {
  const auto record = records_.find(kVerdict);
  std::array<std::uint8_t, kVerdictHead + Sentence::kSize> bytes;
  if (!record || record->size < kVerdictHead || records_.read(kVerdict, bytes) != record->size) return std::nullopt;
  Verdict verdict;
  std::copy_n(bytes.begin(), verdict.bundle.size(), verdict.bundle.begin());
  verdict.generation = load_u64(std::span(bytes).subspan<sizeof(Hash), 8>());
  verdict.refusal.error = static_cast<mv_wire_UpdateError>(record->number);
  const auto text = std::span(bytes).subspan(kVerdictHead, record->size - kVerdictHead);
  verdict.refusal.sentence = {std::string_view(reinterpret_cast<const char*>(text.data()), text.size())};
  return verdict;
}

std::uint32_t UpdateJournal::security_counter() const {
  const auto record = records_.find(kSecurityCounter);
  return record ? record->number : 0;
}

bool UpdateJournal::raise_security_counter(std::uint32_t counter) {
  return counter <= security_counter() || records_.put(kSecurityCounter, counter);
}

}  // namespace mv::update
