#include "gdbserver/target/statements.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <elfutils/libdw.h>

namespace mv::gdb {
namespace {

// More than any program for a microcontroller has; a damaged file may claim anything.
constexpr std::size_t kMostRows = 4'000'000;
constexpr std::size_t kMostFunctions = 1'000'000;

struct DwarfEnd {
  void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

class Reader {
 public:
  void read_unit(Dwarf_Die& unit) {
    Dwarf_Lines* lines = nullptr;
    std::size_t count = 0;
    if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
    for (std::size_t i = 0; i < count && rows_.size() < kMostRows; ++i) read_row(dwarf_onesrcline(lines, i));
    dwarf_getfuncs(&unit, &Reader::read_function, this, 0);
  }

  Statements finish() { return {std::move(rows_), std::move(functions_)}; }

 private:
  void read_row(Dwarf_Line* line) {
    Dwarf_Addr address = 0;
    int number = 0;
    bool end = false;
    if (dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0 ||
        dwarf_lineendsequence(line, &end) != 0 || address > UINT32_MAX)
      return;
    const char* file = end ? nullptr : dwarf_linesrc(line, nullptr, nullptr);
    rows_.push_back({static_cast<std::uint32_t>(address), end || number < 0 ? 0U : static_cast<std::uint32_t>(number),
                     file == nullptr ? 0U : number_of(file)});
  }

  static int read_function(Dwarf_Die* function, void* self) {
    auto& reader = *static_cast<Reader*>(self);
    Dwarf_Addr base = 0;
    Dwarf_Addr low = 0;
    Dwarf_Addr high = 0;
    std::ptrdiff_t at = 0;
    while ((at = dwarf_ranges(function, at, &base, &low, &high)) > 0) {
      if (low >= high || high > UINT32_MAX) continue;
      reader.functions_.push_back({static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high)});
    }
    return reader.functions_.size() < kMostFunctions ? DWARF_CB_OK : DWARF_CB_ABORT;
  }

  std::uint32_t number_of(std::string_view file) {
    const auto found = files_.find(file);
    if (found != files_.end()) return found->second;
    const auto number = static_cast<std::uint32_t>(files_.size() + 1);
    return files_.emplace(file, number).first->second;
  }

  std::vector<Statements::Row> rows_;
  std::vector<CodeRange> functions_;
  std::map<std::string, std::uint32_t, std::less<>> files_;
};

}  // namespace

// Of several rows at one address the last one counts, as it does for GDB: the others have no instruction.
Statements::Statements(std::vector<Row> rows, std::vector<CodeRange> functions)
    : rows_(std::move(rows)), functions_(std::move(functions)) {
  std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
    // Where one sequence ends and another begins, the beginning counts.
    return a.address != b.address ? a.address < b.address : a.line == 0 && b.line != 0;
  });
  const auto same_address = [](const Row& a, const Row& b) { return a.address == b.address; };
  rows_.erase(rows_.begin(), std::unique(rows_.rbegin(), rows_.rend(), same_address).base());
  std::sort(functions_.begin(), functions_.end(),
            [](const CodeRange& a, const CodeRange& b) { return a.start < b.start; });
}

const CodeRange* Statements::function_of(std::uint32_t address) const {
  const auto after = std::upper_bound(functions_.begin(), functions_.end(), address,
                                      [](std::uint32_t value, const CodeRange& f) { return value < f.start; });
  if (after == functions_.begin()) return nullptr;
  const CodeRange& function = *std::prev(after);
  return address < function.end ? &function : nullptr;
}

std::vector<CodeRange> Statements::ranges(CodeRange row, std::size_t most) const {
  const CodeRange* function = function_of(row.start);
  if (function == nullptr || row.start == function->start) return {row};
  const auto row_at = [&](std::uint32_t address) {
    return std::lower_bound(rows_.begin(), rows_.end(), address,
                            [](const Row& r, std::uint32_t value) { return r.address < value; });
  };
  const auto own = row_at(row.start);
  if (own == rows_.end() || own->address != row.start || own->line == 0 || std::next(own) == rows_.end() ||
      std::next(own)->address != row.end)
    return {row};
  std::vector<CodeRange> out;
  for (auto at = row_at(function->start + 1); std::next(at) != rows_.end() && at->address < function->end; ++at) {
    if (at->line != own->line || at->file != own->file) continue;
    const CodeRange range = {at->address, std::min(std::next(at)->address, function->end)};
    if (!out.empty() && out.back().end == range.start) {
      out.back().end = range.end;
    } else {
      out.push_back(range);
    }
  }
  // The one where the program stands comes first: it must not fall to the limit.
  std::partition(out.begin(), out.end(), [&](const CodeRange& r) { return r.start <= row.start && row.end <= r.end; });
  if (out.size() > most) out.resize(most);
  return out;
}

Statements read_statements(Elf* elf) {
  const std::unique_ptr<Dwarf, DwarfEnd> dwarf(dwarf_begin_elf(elf, DWARF_C_READ, nullptr));
  if (!dwarf) return {};
  Reader reader;
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die;
  while (dwarf_get_units(dwarf.get(), unit, &unit, nullptr, nullptr, &die, nullptr) == 0) reader.read_unit(die);
  return reader.finish();
}

}  // namespace mv::gdb
