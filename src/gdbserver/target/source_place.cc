#include "gdbserver/target/source_place.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

namespace mv::gdb {
namespace {

struct DwarfEnd {
  void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};
struct Free {
  void operator()(Dwarf_Die* scopes) const { std::free(scopes); }  // libdw allocates them so
};

std::string function_name(Dwarf_Die& unit, std::uint32_t address) {
  Dwarf_Die* found = nullptr;
  const int count = dwarf_getscopes(&unit, address, &found);
  const std::unique_ptr<Dwarf_Die, Free> scopes(count > 0 ? found : nullptr);
  for (int i = 0; i < count; ++i) {
    const int tag = dwarf_tag(&found[i]);
    if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine) continue;
    const char* name = dwarf_diename(&found[i]);
    return name == nullptr ? "" : name;
  }
  return "";
}

std::optional<SourcePlace> place_in(Dwarf_Die& unit, std::uint32_t address) {
  if (dwarf_haspc(&unit, address) != 1) return std::nullopt;
  Dwarf_Line* row = dwarf_getsrc_die(&unit, address);
  const char* file = row == nullptr ? nullptr : dwarf_linesrc(row, nullptr, nullptr);
  int line = 0;
  if (file == nullptr || dwarf_lineno(row, &line) != 0 || line <= 0) return std::nullopt;
  return SourcePlace{function_name(unit, address), file, static_cast<std::uint32_t>(line)};
}

}  // namespace

std::optional<SourcePlace> find_source(const std::string& elf_path, std::uint32_t address) {
  const int file = ::open(elf_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::optional<SourcePlace> place;
  if (const std::unique_ptr<Dwarf, DwarfEnd> dwarf{dwarf_begin(file, DWARF_C_READ)}) {
    Dwarf_CU* unit = nullptr;
    Dwarf_Die die;
    while (!place && dwarf_get_units(dwarf.get(), unit, &unit, nullptr, nullptr, &die, nullptr) == 0)
      place = place_in(die, address);
  }
  ::close(file);
  return place;
}

}  // namespace mv::gdb
