// What the conformance program on a board says of its run: docs/selftest.md has the format.
//
// Bytes in, events out; does no I/O. Everything is checked: a report that is whole counts what it announced.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "usb/usb_device.h"

namespace mv::usb {

struct SelftestStart {
  std::string version;    // of the program
  std::string board;      // "stm32u585"
  std::string chip_id;    // DBGMCU_IDCODE, "0x30010482"
  std::string unique_id;  // "0x00210034-0x4d455107-0x35383555"
  bool is_model = false;
  std::uint32_t items = 0;  // that will be run
};

struct SelftestItem {
  enum class Verdict : std::uint8_t { kPassed, kFailed, kRead };

  std::uint32_t number = 0;  // from 1
  std::string paragraph;     // of the manual: "B14.2 DWT"
  std::string what;          // holds
  Verdict verdict = Verdict::kFailed;
  std::string found;  // these three may be empty
  std::string expected;
  std::string where;  // that is written; of a check that did not hold, its place in the source
};

struct SelftestCounts {
  std::uint32_t passed = 0;
  std::uint32_t failed = 0;
  std::uint32_t read = 0;

  std::uint32_t all() const { return passed + failed + read; }
  bool operator==(const SelftestCounts&) const = default;
};

// One line. What this reader does not know is `SelftestOther`.
struct SelftestReady {};
struct SelftestBegun {
  SelftestItem item;  // number, paragraph, what
};
struct SelftestEnded {
  SelftestItem item;  // number, verdict, found, expected, where
};
struct SelftestEnd {
  SelftestCounts counts;
};
struct SelftestOther {};
using SelftestLine =
    std::variant<SelftestReady, SelftestStart, SelftestBegun, SelftestEnded, SelftestEnd, SelftestOther>;

inline constexpr std::size_t kLongestSelftestLine = 512;
inline constexpr std::uint32_t kMostSelftestItems = 10'000;

// A line without its CR and LF. Error: a sentence (its check is wrong, it has not the parts that it should).
tl::expected<SelftestLine, std::string> parse_selftest_line(std::string_view line);

// The CRC-16 of CCITT: polynomial 0x1021, begun with 0xffff.
std::uint16_t crc16(std::string_view text);

// Follows one run. What comes before its start is passed over: it may be the end of an older run.
class SelftestReport {
 public:
  struct Events {
    std::function<void(const SelftestStart& start)> started;
    std::function<void(const SelftestItem& item)> begun;
    std::function<void(const SelftestItem& item)> ended;
  };

  explicit SelftestReport(Events events) : events_(std::move(events)) {}

  // Takes what came. True: the run is over, what follows is not looked at.
  //
  // Errors: kBadReply (a damaged line, one out of order, a format that this reader does not know); kGone: the board
  // began anew in the middle.
  Expected<bool> take(std::span<const std::uint8_t> bytes);

  bool has_started() const { return state_ != State::kWaiting; }
  const SelftestCounts& counts() const { return counts_; }

  // "before its first item", "in item 54 (B14.2 DWT: ...)", "after item 54": where the run is, for a message.
  std::string place() const;

 private:
  enum class State : std::uint8_t { kWaiting, kBetweenItems, kInItem, kOver };

  Expected<void> take_line(std::string_view line);
  Expected<void> obey(const SelftestLine& line);
  Expected<void> start(const SelftestStart& start);
  Expected<void> begin(const SelftestItem& item);
  Expected<void> end_item(const SelftestItem& item);
  Expected<void> end(const SelftestCounts& counts);

  Events events_;
  State state_ = State::kWaiting;
  std::string line_;
  bool too_long_ = false;
  std::uint32_t announced_ = 0;
  SelftestItem item_;  // the one that runs, or the last one
  SelftestCounts counts_;
};

}  // namespace mv::usb
