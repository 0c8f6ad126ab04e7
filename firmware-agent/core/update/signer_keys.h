// Whose bundles this device runs: the keys it was provisioned with, until a signed change puts others in their place.
//
// The set is one record in flash, so a change happens or does not, whenever the power fails. A change is carried out
// only if it is for this device, newer than the last one, and signed by as many of the present keys as must sign a
// bundle; and only if what is left still can: enough keys for the threshold, and the one that signed what runs.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/platform/ports.h"
#include "core/storage/record_store.h"
#include "core/update/signature.h"
#include "wire/proto/identity.nanopb.h"
#include "wire/proto/keys.nanopb.h"

namespace mv::update {

class SignerKeys final : public SignatureCheck {
 public:
  static constexpr std::size_t kMaxKeys = 8;
  static constexpr std::size_t kPoint = 65;
  static constexpr std::size_t kMaxMessage = 1200;  // bytes of a SignedKeyChange

  // `identity` must live as long as this.
  SignerKeys(Flash& flash, const mv_wire_Identity& identity)
      : records_(flash, flash_map::kSignerKeys), identity_(identity) {}

  // Once, before anything else.
  void mount();

  // SignatureCheck, over "twlo-mv-manifest-v1" NUL body
  tl::expected<SignerIds, mv_wire_UpdateError> check(std::span<const Signature> signatures,
                                                     std::span<const std::uint8_t> body) override;
  bool enough(const SignerIds& signers) const override;

  // Carries out a serialised SignedKeyChange, or says why not; then nothing has changed. One that was the last to be
  // carried out is KEYS_OK again. `in_use`: the keys that signed the bundle that runs, which must be enough of what is
  // left; none if no bundle runs.
  mv_wire_KeyChangeError apply(std::span<const std::uint8_t> message, std::span<const std::uint64_t> in_use);

  // What this device's keys are, but for what it answered.
  void report(mv_wire_KeysReport& out) const;

  std::uint64_t sequence() const { return set_.sequence; }  // of the last change that was carried out; 0: none
  std::uint32_t threshold() const { return set_.threshold; }
  std::size_t count() const { return set_.count; }
  bool contains(std::uint64_t id) const { return find(set_, id) != nullptr; }

 private:
  using Point = std::array<std::uint8_t, kPoint>;

  struct Set {
    Hash change{};  // SHA-256 of the body of the change that made it
    std::uint64_t sequence = 0;
    std::uint8_t threshold = 1;
    std::uint8_t count = 0;
    std::array<Point, kMaxKeys> points{};
  };

  bool load();
  void take_from_identity();
  static const Point* find(const Set& set, std::uint64_t id);
  bool is_for_us(const mv_wire_KeyChange& change) const;

  // Of what some keys signed: by which of this device's, and whether one of these did not.
  struct Tally {
    SignerIds good;
    bool bad = false;
  };
  Tally tally(std::string_view prefix, std::span<const std::uint8_t> body, std::span<const Signature> signatures) const;
  bool enough_signed(const mv_wire_SignedKeyChange& message) const;
  static mv_wire_KeyChangeError change_set(Set& set, const mv_wire_KeyChange& change,
                                           std::span<const std::uint64_t> in_use);
  bool store(const Set& set);

  storage::RecordsOf<1> records_;
  const mv_wire_Identity& identity_;
  Set set_;
};

}  // namespace mv::update
