#include "mutations.h"

#include "core/storage/record_store.h"

namespace mv::powercut {
namespace {

using namespace flash_map;

// Kinds of records of the update's journal (core/update/update_journal.cc), and where the phase is in a state.
constexpr std::uint8_t kState = 0, kKey = 2, kVerdict = 4;
constexpr std::uint8_t kPhaseIdle = 0, kPhaseInstalling = 3, kPhaseTrial = 4, kPhaseUndoing = 5;

bool is_record(std::span<const std::uint8_t> bytes, std::uint8_t kind) {
  return bytes.size() == Flash::kQuadWord && bytes[0] == kind && bytes[1] == 1;
}

auto state_of(std::uint8_t phase) {
  return [phase](std::uint32_t, std::span<const std::uint8_t> bytes) {
    return is_record(bytes, kState) && (bytes[4] & 0xFU) == phase;
  };
}

auto record_of(std::uint8_t kind) {
  return [kind](std::uint32_t, std::span<const std::uint8_t> bytes) { return is_record(bytes, kind); };
}

bool is_erase(std::uint32_t, std::span<const std::uint8_t> bytes) { return bytes.empty(); }

constexpr Area kNever = {0, 0};

}  // namespace

std::vector<Mutation> mutations() {
  return {
      {"the application's area is written after the switch to it", kApplication, kUpdateJournal, {}},
      {"the intent to install is noted after the first page is gone", kUpdateJournal, kApplication,
       state_of(kPhaseInstalling)},
      {"a staged block counts before it is written", kStaging, kStagingIndex, {}},
      {"what is replaced is kept after it is replaced", kUndo, kApplication, {}},
      {"a kept block counts before it is written", kUndo, kUndoIndex, {}},
      {"a kept block counts after it is replaced", kUndoIndex, kApplication, {}},
      {"the manifest is written after the journal names it", kManifests, kUpdateJournal, {}},
      {"the key of an update is noted after blocks are sealed with it", kUpdateJournal, kStagingIndex, record_of(kKey)},
      {"a trial is not noted", kUpdateJournal, kNever, state_of(kPhaseTrial)},
      {"the intent to undo is noted after the first page is put back", kUpdateJournal, kApplication,
       state_of(kPhaseUndoing)},
      {"pages of the application's area are not erased before they are written", kApplication, kNever, is_erase},
      {"why a bundle was undone is not noted", kUpdateJournal, kNever, record_of(kVerdict)},
  };
}

}  // namespace mv::powercut
