#include "bundle/layout.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace mv::bundle {
namespace {

constexpr std::string_view kMapBegins = "\nLinker script and memory map\n";
constexpr std::uint64_t kAddresses = std::uint64_t{1} << 32U;
constexpr std::size_t kMostSections = 100'000;
constexpr std::uint64_t kMostAlignment = 64;
constexpr std::uint64_t kUsualAlignment = 8;  // the most that a compiler for Cortex-M wants of its own accord
constexpr std::uint64_t kRoomGrain = 16;      // what is placed behind everything gets room to grow, in such pieces

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The next word of the line, which is then without it.
std::string_view word(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  line.remove_prefix(begin);
  const std::string_view found = line.substr(0, line.find(' '));
  line.remove_prefix(found.size());
  return found;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// A section by which it is found again: its name, and the file's without the folders before it.
using Key = std::pair<std::string, std::string>;

Key key_of(const PlacedSection& section) {
  const std::size_t member = section.file.find('(');
  const std::size_t slash = section.file.rfind('/', member);
  return {section.name, slash == std::string::npos ? section.file : section.file.substr(slash + 1)};
}

// What is found by its key alone.
std::map<Key, const PlacedSection*> by_key(const LinkMap& map) {
  std::map<Key, const PlacedSection*> found;
  std::set<Key> twice;
  for (const PlacedSection& section : map.sections) {
    if (!found.emplace(key_of(section), &section).second) twice.insert(key_of(section));
  }
  for (const Key& key : twice) found.erase(key);
  return found;
}

// The linker aligns a section as it needs; where it put it the first time tells how much that can be at most.
std::uint64_t alignment_of(const PlacedSection& section) {
  if (section.address == 0) return kMostAlignment;
  return std::min(section.address & (~section.address + 1), kMostAlignment);
}

std::uint64_t aligned(std::uint64_t address, std::uint64_t to) { return (address + to - 1) / to * to; }

// Areas of one lot that sections have taken, and what is free between them.
class Places {
 public:
  explicit Places(std::uint64_t begin) : begin_(begin) {}

  bool free(std::uint64_t address, std::uint64_t size) const {
    if (address < begin_) return false;
    const auto after = taken_.lower_bound(address);
    if (after != taken_.end() && after->first < address + size) return false;
    return after == taken_.begin() || std::prev(after)->second.end <= address;
  }

  void take(std::uint64_t address, const PlacedSection& section) {
    taken_[address] = {address + section.size, &section};
  }

  // The first gap between what is taken that it fits into, else behind all of it.
  // In a gap it may have to be aligned as much as it was by chance. Behind everything the linker sees to what is
  // unusual: padding for nothing would push what comes after the lot.
  void take_first(const PlacedSection& section) {
    const std::uint64_t alignment = alignment_of(section);
    std::uint64_t at = aligned(begin_, alignment);
    for (const auto& [address, area] : taken_) {
      if (at + section.size <= address) return take(at, section);
      at = std::max(at, aligned(area.end, alignment));
    }
    at = aligned(std::max(end(), room_ends_), std::min(alignment, kUsualAlignment));
    take(at, section);
    room_ends_ = aligned(at + section.size + section.size / 8, kRoomGrain);
  }

  std::uint64_t end() const { return taken_.empty() ? begin_ : taken_.rbegin()->second.end; }

  // Lines for a linker script, within an output section. One that slips because another needs more than was thought
  // does no harm: the location counter never goes back.
  std::string script() const {
    std::string text;
    for (const auto& [address, area] : taken_) {
      std::array<char, 16> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), address, 16).ptr;
      text += ". += MAX(ABSOLUTE(.), 0x" + std::string(digits.data(), end) + ") - ABSOLUTE(.);\n";
      text += file_pattern(area.section->file) + "(" + area.section->name + ")\n";
    }
    return text;
  }

 private:
  struct Area {
    std::uint64_t end = 0;
    const PlacedSection* section = nullptr;
  };

  // "libc.a(memcpy.o)" is written "libc.a:memcpy.o" in a script.
  static std::string file_pattern(std::string file) {
    const std::size_t open = file.rfind('(');
    if (file.ends_with(')') && open != std::string::npos) {
      file.pop_back();
      file[open] = ':';
    }
    return "\"" + file + "\"";
  }

  std::uint64_t begin_;
  std::uint64_t room_ends_ = 0;
  std::map<std::uint64_t, Area> taken_;
};

using Lot = std::vector<std::string_view>;  // output sections

// Where the program's section of this name begins, if the map has it.
std::optional<std::uint64_t> beginning(const LinkMap& map, std::string_view output) {
  const auto first = std::find_if(map.sections.begin(), map.sections.end(),
                                  [&](const PlacedSection& section) { return section.output == output; });
  return first == map.sections.end() ? std::nullopt : std::optional(first->address);
}

struct Placement {
  std::string script;
  std::uint64_t end = 0;  // behind all that is placed, and what is left to the linker
};

Placement place(const Lot& lot, std::uint64_t begin, const LinkMap& before, const LinkMap& now, Layout& counts) {
  const auto is_of_lot = [&](const PlacedSection& section) {
    const auto named = [&](std::string_view name) { return section.name.starts_with(name); };
    return std::find(lot.begin(), lot.end(), section.output) != lot.end() && std::any_of(lot.begin(), lot.end(), named);
  };
  const auto old_ones = by_key(before), new_ones = by_key(now);
  Places places(begin);
  std::uint64_t left_out = 0;
  std::vector<const PlacedSection*> grown, others;
  for (const PlacedSection& section : now.sections) {
    if (!is_of_lot(section)) continue;
    if (!new_ones.contains(key_of(section))) {
      left_out = aligned(left_out, kUsualAlignment) + section.size;
      continue;
    }
    const auto old = old_ones.find(key_of(section));
    if (old == old_ones.end() || !is_of_lot(*old->second)) {
      others.push_back(&section);
      ++counts.added;
    } else if (section.size <= old->second->size && places.free(old->second->address, section.size)) {
      places.take(old->second->address, section);
      ++counts.kept;
    } else {
      grown.push_back(&section);
    }
  }
  for (const PlacedSection* section : grown) {
    const std::uint64_t address = old_ones.at(key_of(*section))->address;
    if (places.free(address, section->size)) {
      places.take(address, *section);
      ++counts.kept;
    } else {
      others.push_back(section);
      ++counts.moved;
    }
  }
  for (const PlacedSection* section : others) places.take_first(*section);
  return {places.script(), places.end() + left_out};
}

}  // namespace

namespace {

// Of strings that were merged into others the map shows the sizes from before: a section ends where the next begins.
void cut_off(std::vector<PlacedSection>& sections, const std::string& output, std::uint64_t next) {
  if (sections.empty() || sections.back().output != output) return;
  PlacedSection& last = sections.back();
  if (next < last.address || next >= last.address + last.size) return;
  last.size = next - last.address;
  if (last.size == 0) sections.pop_back();
}

}  // namespace

// Lines of the map: an output section begins in the first column, a section of an object file in the second; if the
// name is long, address, size and file stand on the next line.
Expected<LinkMap> LinkMap::parse(std::string_view text) {
  const std::size_t begins = text.find(kMapBegins);
  if (begins == std::string_view::npos) {
    return refuse(ErrorKind::kBadInput, "this is no map of GNU ld", "link with -Wl,-Map=FILE");
  }
  text.remove_prefix(begins + kMapBegins.size());
  LinkMap map;
  std::string output;
  std::string name;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (line.empty()) continue;
    if (line.front() != ' ') {
      name.clear();
      output = std::string(word(line));
      continue;
    }
    if (line.size() > 1 && line[1] != ' ') {
      line.remove_prefix(1);
      name = std::string(word(line));
      if (trimmed(line).empty()) continue;
    }
    const auto address = hexadecimal(word(line));
    const auto size = hexadecimal(word(line));
    const std::string_view file = trimmed(line);
    if (address && size) cut_off(map.sections, output, *address);
    if (name.starts_with('.') && address && *address != 0 && size && *size != 0 && !file.empty() &&
        output.starts_with('.')) {
      if (*address > kAddresses || *size > kAddresses - *address) {
        return refuse(ErrorKind::kBadInput, "the map has " + name + " at an address of more than 32 bits");
      }
      if (map.sections.size() == kMostSections) {
        return refuse(ErrorKind::kTooBig, "the map has more than " + std::to_string(kMostSections) + " sections");
      }
      map.sections.push_back({output, name, std::string(file), *address, *size});
    }
    name.clear();
  }
  return map;
}

Layout make_layout(const LinkMap& before, const LinkMap& now) {
  Layout layout;
  // Strings are merged within one section of the program: those that came to nothing must be in it too, to do so again.
  if (const auto begin = beginning(now, ".text")) {
    layout.flash = place({".text", ".rodata"}, *begin, before, now, layout).script;
  }
  layout.flash += "*(.rodata .rodata.*)\n";
  // .bss begins where .data ends, which is not where it ended in the first link.
  std::uint64_t bss = beginning(now, ".bss").value_or(0);
  if (const auto begin = beginning(now, ".data")) {
    Placement data = place({".data"}, *begin, before, now, layout);
    layout.data = std::move(data.script);
    bss = aligned(data.end, kUsualAlignment);
  }
  layout.bss = place({".bss"}, bss, before, now, layout).script;
  return layout;
}

}  // namespace mv::bundle
