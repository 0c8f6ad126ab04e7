#include "gdbserver/rtos/elf_system.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>

#include <algorithm>

namespace mv::gdb::rtos {
namespace {

// Structures in structures; a damaged file may have one that contains itself.
constexpr int kDeepest = 8;

struct DwarfEnd {
  void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

// Link-time optimisation appends `.lto_priv.0` and the like to static names.
std::string_view plain(std::string_view name) { return name.substr(0, name.find('.')); }

void take_symbol(const GElf_Sym& symbol, const char* name, Layout& layout) {
  const int type = GELF_ST_TYPE(symbol.st_info);
  if (name == nullptr || symbol.st_shndx == SHN_UNDEF || symbol.st_value > UINT32_MAX || symbol.st_size > UINT32_MAX ||
      (type != STT_OBJECT && type != STT_NOTYPE))
    return;
  const Variable variable{static_cast<std::uint32_t>(symbol.st_value), static_cast<std::uint32_t>(symbol.st_size)};
  for (const Kernel* kernel : kernels()) {
    for (const Wanted& wanted : kernel->variables)
      if (wanted.name == plain(name)) layout.variables.try_emplace(std::string(wanted.name), variable);
  }
}

void read_symbols(Elf* elf, Layout& layout) {
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_SYMTAB) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    const std::size_t size = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
    if (data == nullptr || size == 0) continue;
    const int count = static_cast<int>(std::min<std::size_t>(data->d_size / size, INT32_MAX));
    for (int i = 0; i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, i, &symbol) == nullptr) break;
      take_symbol(symbol, elf_strptr(elf, header.sh_link, symbol.st_name), layout);
    }
  }
}

// The type of a member or of an array's elements, without typedefs and qualifiers.
bool type_of(Dwarf_Die& die, Dwarf_Die& type) {
  Dwarf_Attribute attribute;
  Dwarf_Die found;
  return dwarf_attr_integrate(&die, DW_AT_type, &attribute) != nullptr &&
         dwarf_formref_die(&attribute, &found) != nullptr && dwarf_peel_type(&found, &type) == 0;
}

// Nothing if the member is a bit field or at no constant place. Members of a union have no place: they begin at 0.
std::optional<Dwarf_Word> place_of(Dwarf_Die& member) {
  Dwarf_Attribute attribute;
  Dwarf_Word offset = 0;
  if (dwarf_hasattr(&member, DW_AT_data_bit_offset) != 0) return std::nullopt;
  if (dwarf_attr(&member, DW_AT_data_member_location, &attribute) == nullptr) return 0;
  if (dwarf_formudata(&attribute, &offset) != 0 || offset > UINT32_MAX) return std::nullopt;
  return offset;
}

struct Place {
  Dwarf_Die type;
  Dwarf_Word offset;
};

// A member by its name, also within structures and unions without a name.
std::optional<Place> find_member(Dwarf_Die& structure, std::string_view name, int depth) {
  Dwarf_Die member;
  if (depth == kDeepest || dwarf_child(&structure, &member) != 0) return std::nullopt;
  do {
    Dwarf_Die type;
    if (dwarf_tag(&member) != DW_TAG_member || !type_of(member, type)) continue;
    const char* own = dwarf_diename(&member);
    if (own != nullptr && own != name) continue;
    const auto offset = place_of(member);
    if (!offset) continue;
    if (own != nullptr) return Place{type, *offset};
    if (auto inner = find_member(type, name, depth + 1)) return Place{inner->type, inner->offset + *offset};
  } while (dwarf_siblingof(&member, &member) == 0);
  return std::nullopt;
}

// `path` is member.member, empty for the structure itself; an array stands for its first element.
std::optional<Member> resolve(Dwarf_Die structure, std::string_view path) {
  Place place{structure, 0};
  while (!path.empty()) {
    const auto end = std::min(path.find('.'), path.size());
    if (dwarf_tag(&place.type) == DW_TAG_array_type) {
      Dwarf_Die element;
      if (!type_of(place.type, element)) return std::nullopt;
      place.type = element;
    }
    const auto member = find_member(place.type, path.substr(0, end), 0);
    if (!member) return std::nullopt;
    place = {member->type, place.offset + member->offset};
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  Dwarf_Word size = 0;
  if (dwarf_aggregate_size(&place.type, &size) != 0 || size > UINT32_MAX || place.offset > UINT32_MAX)
    return std::nullopt;
  return Member{static_cast<std::uint32_t>(place.offset), static_cast<std::uint32_t>(size)};
}

void read_structure(Dwarf_Die& structure, const Kernel& kernel, Layout& layout) {
  const char* name = dwarf_diename(&structure);
  Dwarf_Attribute declaration;
  if (name == nullptr || dwarf_attr(&structure, DW_AT_declaration, &declaration) != nullptr) return;
  for (const Wanted& wanted : kernel.members) {
    const auto dot = std::min(wanted.name.find('.'), wanted.name.size());
    if (wanted.name.substr(0, dot) != name) continue;
    const auto path = wanted.name.substr(std::min(dot + 1, wanted.name.size()));
    if (const auto member = resolve(structure, path)) layout.members.try_emplace(std::string(wanted.name), *member);
  }
}

void read_structures(Elf* elf, const Kernel& kernel, Layout& layout) {
  const std::unique_ptr<Dwarf, DwarfEnd> dwarf(dwarf_begin_elf(elf, DWARF_C_READ, nullptr));
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die;
  while (dwarf && dwarf_get_units(dwarf.get(), unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
    Dwarf_Die child;
    if (dwarf_child(&die, &child) != 0) continue;
    do {
      if (dwarf_tag(&child) == DW_TAG_structure_type) read_structure(child, kernel, layout);
    } while (dwarf_siblingof(&child, &child) == 0);
  }
}

}  // namespace

std::shared_ptr<const System> read_system(Elf* elf) {
  auto system = std::make_shared<System>();
  read_symbols(elf, system->layout);
  system->kernel = find_kernel(system->layout);
  if (system->kernel == nullptr) return nullptr;
  read_structures(elf, *system->kernel, system->layout);
  return complete(*system->kernel, system->layout) ? system : nullptr;
}

}  // namespace mv::gdb::rtos
