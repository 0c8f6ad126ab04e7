#include "usb/memory_layout.h"

#include <charconv>
#include <optional>

namespace mv::usb {
namespace {

// A string descriptor has at most 126 characters; more than that was not read from a device.
constexpr std::size_t kLongest = 255;
constexpr std::size_t kMostRuns = 32;
constexpr std::uint32_t kMostSectors = 65536;
constexpr std::uint64_t kAddressEnd = std::uint64_t{1} << 32;

// Takes pieces off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text), whole_(text.size()) {}

  bool at_end() const { return rest_.empty(); }
  std::size_t position() const { return whole_ - rest_.size(); }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<char> take_any() {
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::optional<std::uint32_t> number(int base) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, base);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  std::string_view until(char c) {
    const std::string_view piece = rest_.substr(0, rest_.find(c));
    rest_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view rest_;
  std::size_t whole_;
};

tl::unexpected<std::string> wrong(const Scanner& at, const std::string& what) {
  return tl::unexpected<std::string>("the memory layout is not one at character " + std::to_string(at.position() + 1) +
                                     ": " + what);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "256*08Kg" at `address`.
tl::expected<SectorRun, std::string> parse_run(Scanner& at, std::uint64_t address) {
  const auto count = at.number(10);
  if (!count || *count == 0 || *count > kMostSectors)
    return wrong(at, "a number of sectors from 1 to 65536 belongs here");
  if (!at.take('*')) return wrong(at, "'*' and the size of a sector belong here");
  auto size = at.number(10);
  if (!size || *size == 0) return wrong(at, "the size of a sector belongs here");
  const auto unit = at.take_any();
  const std::uint64_t scale = unit == 'K' ? 1024 : unit == 'M' ? 1024 * 1024 : unit == ' ' || unit == 'B' ? 1 : 0;
  if (scale == 0) return wrong(at, "a unit (blank, B, K or M) belongs before this");
  const auto letter = at.take_any();
  if (!letter || *letter < 'a' || *letter > 'g') return wrong(at, "a letter from a to g belongs before this");
  const std::uint64_t bytes = *size * scale;
  if (bytes >= kAddressEnd || address + *count * bytes > kAddressEnd) {
    return wrong(at, "the sectors go past the end of the address space");
  }
  const auto bits = static_cast<unsigned>(*letter - 'a' + 1);
  return SectorRun{static_cast<std::uint32_t>(address),
                   *count,
                   static_cast<std::uint32_t>(bytes),
                   (bits & 1) != 0,
                   (bits & 2) != 0,
                   (bits & 4) != 0};
}

}  // namespace

tl::expected<MemoryLayout, std::string> MemoryLayout::parse(std::string_view text) {
  Scanner at(text);
  if (text.size() > kLongest) return wrong(at, "it is too long");
  if (!at.take('@')) return wrong(at, "'@' belongs here");
  MemoryLayout layout;
  layout.name_ = trimmed(at.until('/'));
  if (at.at_end()) return wrong(at, "'/' and an address belong here");
  while (at.take('/')) {
    if (!at.take('0') || !at.take('x')) return wrong(at, "an address, 0x..., belongs here");
    const auto start = at.number(16);
    if (!start) return wrong(at, "an address belongs here");
    if (!at.take('/')) return wrong(at, "'/' and the sectors belong here");
    std::uint64_t address = *start;
    do {
      if (layout.runs_.size() == kMostRuns) return wrong(at, "it has too many areas");
      const auto run = parse_run(at, address);
      if (!run) return tl::make_unexpected(run.error());
      layout.runs_.push_back(*run);
      address = run->end();
    } while (at.take(','));
  }
  if (!at.at_end()) return wrong(at, "nothing more belongs here");
  return layout;
}

const SectorRun* MemoryLayout::find(std::uint64_t address, std::uint64_t length) const {
  for (const SectorRun& run : runs_) {
    if (address >= run.address && address < run.end() && length <= run.end() - address) return &run;
  }
  return nullptr;
}

std::uint64_t MemoryLayout::size() const {
  std::uint64_t bytes = 0;
  for (const SectorRun& run : runs_) bytes += run.size();
  return bytes;
}

}  // namespace mv::usb
