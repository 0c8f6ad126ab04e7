#include "core/image/choice.h"

#include <array>
#include <cstring>

#include "core/storage/crc32.h"

namespace mv::image {
namespace {

constexpr std::uint32_t kHandoverMagic = 0x48'41'4e'44;  // "HAND"

std::uint32_t check_of(const Handover& handover) {
  return storage::crc32({reinterpret_cast<const std::uint8_t*>(&handover), offsetof(Handover, check)});
}

// Looks at one slot after the other on behalf of `choose`.
class Chooser {
 public:
  Chooser(Flash& flash, BootRecords& records, const Target& target, Crypto& crypto, ChoiceLog& log)
      : flash_(flash), records_(records), target_(target), crypto_(crypto), log_(log) {}

  std::optional<Start> good(Slot slot) {
    const auto header = check_image(flash_, place_of(slot), target_, crypto_);
    const bool too_old = header && header->version < records_.state().minimum_version;
    if (header && !too_old) return Start{slot, false, *header};
    log_.passed_over(slot, describe(too_old ? ImageError::kTooOld : header.error()));
    return std::nullopt;
  }

  std::optional<Start> on_trial() {
    BootState next = records_.state();
    if (next.trial == Slot::kNone) return std::nullopt;
    if (next.trial_starts >= kTrialStarts) {
      log_.passed_over(next.trial, "it was on trial, and no start is left");
      return std::nullopt;
    }
    auto start = good(next.trial);
    if (!start) return std::nullopt;
    ++next.trial_starts;
    if (!records_.write(next)) {
      log_.passed_over(next.trial, "its start on trial could not be recorded in flash");
      return std::nullopt;
    }
    start->on_trial = true;
    return start;
  }

 private:
  Flash& flash_;
  BootRecords& records_;
  const Target& target_;
  Crypto& crypto_;
  ChoiceLog& log_;
};

}  // namespace

std::optional<Start> choose(Flash& flash, BootRecords& records, const Target& target, Crypto& crypto, ChoiceLog& log) {
  Chooser chooser(flash, records, target, crypto, log);
  if (const auto trial = chooser.on_trial()) return trial;
  const Slot confirmed = records.state().confirmed;
  if (const auto start = chooser.good(confirmed)) return start;
  return chooser.good(other(confirmed));
}

Handover make_handover(const Start& start) {
  Handover handover = {kHandoverMagic, static_cast<std::uint32_t>(start.slot), start.on_trial ? 1U : 0U,
                       start.header.version, 0};
  handover.check = check_of(handover);
  return handover;
}

Started read_handover(const Handover& handover) {
  if (handover.magic != kHandoverMagic || handover.check != check_of(handover)) return {};
  return {handover.slot == static_cast<std::uint32_t>(Slot::kB) ? Slot::kB : Slot::kA, handover.on_trial != 0,
          handover.version};
}

}  // namespace mv::image
