#include "mutations.h"

#include "core/storage/record_store.h"

namespace mv::powercut {
namespace {

using namespace flash_map;
using Which = Mutation::Which;

// As in core/update/update_journal.*: phases of an update, kinds of records.
constexpr std::uint8_t kStaged = 2, kInstalling = 3, kTrial = 4, kUndoing = 5;
constexpr std::uint8_t kState = 0, kKey = 2;
constexpr std::uint8_t kPageHeader = 0xA5;
constexpr int kSealRecord = 3;  // quad-words of a record of a block: its header, nonce and tag

constexpr Area kNever = {0, 0};

bool is_record(const Operation& operation, std::uint8_t kind) {
  return operation.bytes.size() == Flash::kQuadWord && operation.bytes[0] == kind && operation.bytes[1] == 1;
}

Which during(std::uint8_t phase) {
  return [phase](const Operation& operation) { return operation.phase == phase; };
}

Which state(std::uint8_t phase) {
  return [phase](const Operation& operation) {
    return is_record(operation, kState) && (operation.bytes[4] & 0xFU) == phase;
  };
}

Which record(std::uint8_t kind) {
  return [kind](const Operation& operation) { return is_record(operation, kind); };
}

// What comes onto a new page of an area of records before its header, which makes it count.
Which before_page_header(Area area) {
  return [area](const Operation& operation) {
    return !operation.bytes.empty() && !is_record(operation, kPageHeader) &&
           (operation.offset - area.offset) / Flash::kPage == 1;
  };
}

}  // namespace

std::vector<Mutation> mutations() {
  return {
      {"the new application is written after the switch to it", kApplication, during(kInstalling), kUpdateJournal, {}},
      {"the old application is put back after the switch to it", kApplication, during(kUndoing), kUpdateJournal, {}},
      {"the key of an update is noted after blocks are sealed with it",
       kUpdateJournal,
       record(kKey),
       kStagingIndex,
       {}},
      {"the intent to install is noted after the first page is gone",
       kUpdateJournal,
       state(kInstalling),
       kApplication,
       {}},
      {"the intent to install is not noted", kUpdateJournal, state(kInstalling), kNever, {}},
      {"a block is kept after its first page is gone", kUndo, {}, kApplication, {}},
      {"that a block is kept is noted after its first page is gone", kUndoIndex, {}, kApplication, {}},
      {"that a block is kept is not noted", kUndoIndex, {}, kNever, {}},
      {"a block counts as kept before it is", kUndo, {}, kUndoIndex, {}, kSealRecord},
      {"pages are not erased before they are written",
       kApplication,
       [](const Operation& operation) { return operation.bytes.empty(); },
       kNever,
       {}},
      {"a new page of the journal counts before what is newest is on it", kUpdateJournal,
       before_page_header(kUpdateJournal), kUpdateJournal, record(kPageHeader)},
      {"a new page of the undo index counts before what is newest is on it", kUndoIndex, before_page_header(kUndoIndex),
       kUndoIndex, record(kPageHeader)},
  };
}

std::vector<Mutation> harmless_mutations() {
  return {
      {"a block counts as staged before it is", kStaging, {}, kStagingIndex, {}, kSealRecord},
      {"everything counts as staged before it is", kStagingIndex, {}, kUpdateJournal, state(kStaged)},
      {"the manifest is written after the journal names it", kManifests, {}, kUpdateJournal, record(kState)},
      {"the trial is not noted", kUpdateJournal, state(kTrial), kNever, {}},
      {"the intent to undo is noted after the first page is put back",
       kUpdateJournal,
       state(kUndoing),
       kApplication,
       {}},
  };
}

}  // namespace mv::powercut
