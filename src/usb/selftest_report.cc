#include "usb/selftest_report.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace mv::usb {
namespace {

constexpr std::string_view kFormat = "1";
constexpr std::size_t kCheck = 6;  // a tab, '*', four digits
constexpr std::size_t kMostParts = 8;

using Parts = std::vector<std::string_view>;
using Parsed = tl::expected<SelftestLine, std::string>;

tl::unexpected<std::string> wrong(std::string text) { return tl::make_unexpected(std::move(text)); }

std::optional<std::uint32_t> number(std::string_view text, std::uint32_t most, int base = 10) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

Parts split(std::string_view text) {
  Parts parts;
  while (parts.size() <= kMostParts) {
    const std::size_t tab = text.find('\t');
    parts.push_back(text.substr(0, tab));
    if (tab == std::string_view::npos) break;
    text.remove_prefix(tab + 1);
  }
  return parts;
}

Parsed parse_start(const Parts& parts) {
  if (parts.size() < 2 || parts[1] != kFormat) return wrong("the board's program speaks a format that mvctl does not");
  const auto items = parts.size() == 8 ? number(parts[7], kMostSelftestItems) : std::nullopt;
  if (!items || (parts[6] != "chip" && parts[6] != "model"))
    return wrong("a start line has other parts than it should");
  return SelftestStart{std::string(parts[2]), std::string(parts[3]), std::string(parts[4]),
                       std::string(parts[5]), parts[6] == "model",   *items};
}

Parsed parse_item(const Parts& parts) {
  const auto which = parts.size() == 4 ? number(parts[1], kMostSelftestItems) : std::nullopt;
  if (!which) return wrong("an item line has other parts than it should");
  SelftestBegun begun;
  begun.item.number = *which;
  begun.item.paragraph = parts[2];
  begun.item.what = parts[3];
  return begun;
}

Parsed parse_verdict(const Parts& parts, SelftestItem::Verdict verdict) {
  const auto which = parts.size() == 5 ? number(parts[1], kMostSelftestItems) : std::nullopt;
  if (!which) return wrong("a line with a verdict has other parts than it should");
  SelftestEnded ended;
  ended.item.number = *which;
  ended.item.verdict = verdict;
  ended.item.found = parts[2];
  ended.item.expected = parts[3];
  ended.item.where = parts[4];
  return ended;
}

Parsed parse_end(const Parts& parts) {
  std::array<std::uint32_t, 3> counts{};
  for (std::size_t at = 0; at < counts.size(); ++at) {
    const auto count = parts.size() == 4 ? number(parts[at + 1], kMostSelftestItems) : std::nullopt;
    if (!count) return wrong("an end line has other parts than it should");
    counts[at] = *count;
  }
  return SelftestEnd{{counts[0], counts[1], counts[2]}};
}

// For the callers of `take`.
tl::unexpected<Error> broken(std::string text) { return failed(Problem::kBadReply, std::move(text)); }

}  // namespace

std::uint16_t crc16(std::string_view text) {
  std::uint32_t crc = 0xffff;
  for (const char character : text) {
    crc ^= std::uint32_t{static_cast<unsigned char>(character)} << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1;
  }
  return static_cast<std::uint16_t>(crc);
}

tl::expected<SelftestLine, std::string> parse_selftest_line(std::string_view line) {
  if (line.size() > kLongestSelftestLine) return wrong("a line is longer than it may be");
  if (line.size() < kCheck || line.substr(line.size() - kCheck, 2) != "\t*") return wrong("a line has no check");
  const std::string_view content = line.substr(0, line.size() - kCheck);
  const auto check = number(line.substr(line.size() - kCheck + 2), 0xffff, 16);
  if (!check || *check != crc16(content)) return wrong("a line came damaged: its check is wrong");
  const auto is_printable = [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); };
  if (!std::ranges::all_of(content, is_printable)) return wrong("a line has characters that it may not have");
  const Parts parts = split(content);
  const std::string_view kind = parts.front();
  if (kind == "ready") return SelftestReady{};
  if (kind == "start") return parse_start(parts);
  if (kind == "item") return parse_item(parts);
  if (kind == "pass") return parse_verdict(parts, SelftestItem::Verdict::kPassed);
  if (kind == "fail") return parse_verdict(parts, SelftestItem::Verdict::kFailed);
  if (kind == "read") return parse_verdict(parts, SelftestItem::Verdict::kRead);
  if (kind == "end") return parse_end(parts);
  return SelftestOther{};
}

Expected<bool> SelftestReport::take(std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) {
    if (state_ == State::kOver) return true;
    if (byte != '\n') {
      // CR and LF come on top of the longest line.
      too_long_ = too_long_ || line_.size() > kLongestSelftestLine;
      if (!too_long_) line_.push_back(static_cast<char>(byte));
      continue;
    }
    if (line_.ends_with('\r')) line_.pop_back();
    const std::string line = std::exchange(line_, {});
    const bool was_too_long = std::exchange(too_long_, false);
    if (was_too_long && has_started()) return broken("a line is longer than it may be, " + place());
    if (was_too_long) continue;
    if (auto taken = take_line(line); !taken) return tl::make_unexpected(taken.error());
  }
  return state_ == State::kOver;
}

Expected<void> SelftestReport::take_line(std::string_view line) {
  const auto parsed = parse_selftest_line(line);
  if (parsed) return obey(*parsed);
  // Whoever opens a line may come into the middle of one.
  if (!has_started() && !line.starts_with("start\t")) return {};
  return broken(parsed.error() + ", " + place());
}

Expected<void> SelftestReport::obey(const SelftestLine& line) {
  if (const auto* started = std::get_if<SelftestStart>(&line)) return start(*started);
  if (!has_started()) return {};
  if (std::holds_alternative<SelftestReady>(line)) return failed(Problem::kGone, "the board began anew " + place());
  if (const auto* begun = std::get_if<SelftestBegun>(&line)) return begin(begun->item);
  if (const auto* ended = std::get_if<SelftestEnded>(&line)) return end_item(ended->item);
  if (const auto* over = std::get_if<SelftestEnd>(&line)) return end(over->counts);
  return {};
}

Expected<void> SelftestReport::start(const SelftestStart& start) {
  if (has_started()) return broken("a second run begins " + place());
  state_ = State::kBetweenItems;
  announced_ = start.items;
  events_.started(start);
  return {};
}

Expected<void> SelftestReport::begin(const SelftestItem& item) {
  if (state_ != State::kBetweenItems || item.number <= item_.number || counts_.all() == announced_) {
    return broken("item " + std::to_string(item.number) + " comes out of order, " + place());
  }
  state_ = State::kInItem;
  item_ = item;
  events_.begun(item_);
  return {};
}

Expected<void> SelftestReport::end_item(const SelftestItem& item) {
  if (state_ != State::kInItem || item.number != item_.number) {
    return broken("the verdict on item " + std::to_string(item.number) + " comes out of order, " + place());
  }
  state_ = State::kBetweenItems;
  item_.verdict = item.verdict;
  item_.found = item.found;
  item_.expected = item.expected;
  item_.where = item.where;
  ++(item.verdict == SelftestItem::Verdict::kPassed   ? counts_.passed
     : item.verdict == SelftestItem::Verdict::kFailed ? counts_.failed
                                                      : counts_.read);
  events_.ended(item_);
  return {};
}

Expected<void> SelftestReport::end(const SelftestCounts& counts) {
  if (state_ != State::kBetweenItems || counts != counts_ || counts.all() != announced_) {
    return broken("lines are missing: " + std::to_string(counts_.all()) + " of " + std::to_string(announced_) +
                  " items came");
  }
  state_ = State::kOver;
  return {};
}

std::string SelftestReport::place() const {
  if (state_ == State::kWaiting) return "before the run began";
  if (item_.number == 0) return "before its first item";
  const std::string which = "item " + std::to_string(item_.number);
  if (state_ != State::kInItem) return "after " + which;
  return "in " + which + " (" + item_.paragraph + ": " + item_.what + ")";
}

}  // namespace mv::usb
