// ELF -> image. Content is taken section by section at its load address (LMA), as objcopy does: a segment may begin
// with the file's own headers when the linker found them in the way. Without section headers, segments are taken.
// Sources: System V ABI, chapters 4 and 5; ELF for the Arm Architecture (IHI 0044), 5.2.
#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "bundle/image.h"

namespace mv::bundle {
namespace {

constexpr std::size_t kMostHeaders = 4096;        // sections or segments; real applications have some dozens
constexpr std::uint64_t kMostContent = 64 << 20;  // a damaged file may name the same bytes again and again
constexpr std::uint64_t kMostSymbols = 1 << 20;
constexpr std::size_t kLongestBuildId = 32;  // what the manifest holds on the device

struct ElfEnd {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfEnd>;

// An ELF in memory that was checked to be for us.
struct File {
  Bytes bytes;
  ElfHandle elf;
  std::vector<GElf_Phdr> segments;  // PT_LOAD with content, and PT_NOTE
};

tl::unexpected<Error> broken(const std::string& what) {
  return refuse(ErrorKind::kBadInput, "the ELF file is damaged: " + what, "build it again");
}

tl::unexpected<Error> not_ours(const std::string& what) {
  return refuse(ErrorKind::kBadInput, "it is not a 32-bit little-endian ARM Thumb program: " + what,
                "compile with arm-none-eabi-gcc -mcpu=cortex-m33 -mthumb");
}

bool inside(Bytes file, std::uint64_t offset, std::uint64_t size) {
  return offset <= file.size() && size <= file.size() - offset;
}

Expected<void> check_header(Elf* elf) {
  GElf_Ehdr header{};
  if (elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == nullptr) return broken("its header cannot be read");
  if (header.e_ident[EI_CLASS] != ELFCLASS32) return not_ours("it is 64-bit");
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) return not_ours("it is big-endian");
  if (header.e_machine != EM_ARM)
    return not_ours("it is for another processor (ELF machine " + std::to_string(header.e_machine) + ")");
  if (header.e_type == ET_REL) return not_ours("it is an object file that was not linked");
  if (header.e_type != ET_EXEC) return not_ours("it is not an executable linked to fixed addresses");
  // The entry point says nothing: the device starts at the reset vector, which layers.cc checks for Thumb.
  return {};
}

Expected<File> open_elf(Bytes bytes) {
  elf_version(EV_CURRENT);
  // libelf only reads through this pointer: the handle is never written back.
  File file{
      bytes, ElfHandle(elf_memory(const_cast<char*>(reinterpret_cast<const char*>(bytes.data())), bytes.size())), {}};
  if (!file.elf) return broken("its header cannot be read");
  if (auto checked = check_header(file.elf.get()); !checked) return tl::unexpected(checked.error());
  std::size_t count = 0;
  if (elf_getphdrnum(file.elf.get(), &count) != 0 || count > kMostHeaders) return broken("its segments cannot be read");
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment{};
    if (gelf_getphdr(file.elf.get(), static_cast<int>(i), &segment) == nullptr)
      return broken("a segment cannot be read");
    if ((segment.p_type != PT_LOAD && segment.p_type != PT_NOTE) || segment.p_filesz == 0) continue;
    if (!inside(bytes, segment.p_offset, segment.p_filesz)) return broken("a segment lies outside the file");
    file.segments.push_back(segment);
  }
  return file;
}

const GElf_Phdr* segment_of(const File& file, std::uint64_t offset, std::uint64_t size) {
  const auto found = std::find_if(file.segments.begin(), file.segments.end(), [&](const GElf_Phdr& segment) {
    return segment.p_type == PT_LOAD && offset >= segment.p_offset && size <= segment.p_filesz &&
           offset - segment.p_offset <= segment.p_filesz - size;
  });
  return found == file.segments.end() ? nullptr : &*found;
}

Expected<Section> take(const File& file, std::string name, std::uint64_t address, std::uint64_t offset,
                       std::uint64_t size) {
  if (address + size > 0x1'0000'0000) return broken(name + " reaches past the end of the address space");
  const Bytes content = file.bytes.subspan(offset, size);
  return Section{std::move(name), static_cast<std::uint32_t>(address), {content.begin(), content.end()}};
}

// Sections that are in memory and have content in the file; those that only reserve RAM have none.
Expected<std::vector<Section>> take_sections(const File& file) {
  std::vector<Section> sections;
  std::size_t names = 0;
  if (elf_getshdrstrndx(file.elf.get(), &names) != 0) return broken("its section names cannot be read");
  std::size_t seen = 0;
  std::uint64_t total = 0;
  for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(file.elf.get(), scn)) != nullptr;) {
    if (++seen > kMostHeaders) return broken("it has too many sections");
    GElf_Shdr header{};
    if (gelf_getshdr(scn, &header) == nullptr) return broken("a section cannot be read");
    if ((header.sh_flags & SHF_ALLOC) == 0 || header.sh_type == SHT_NOBITS || header.sh_size == 0) continue;
    if (!inside(file.bytes, header.sh_offset, header.sh_size)) return broken("a section lies outside the file");
    if ((total += header.sh_size) > kMostContent) return broken("its sections hold more than any board");
    const GElf_Phdr* segment = segment_of(file, header.sh_offset, header.sh_size);
    if (segment == nullptr) continue;
    const char* name = elf_strptr(file.elf.get(), names, header.sh_name);
    const std::uint64_t address = segment->p_paddr + (header.sh_offset - segment->p_offset);
    auto section =
        take(file, std::string("section ") + (name != nullptr ? name : "?"), address, header.sh_offset, header.sh_size);
    if (!section) return tl::unexpected(section.error());
    sections.push_back(std::move(*section));
  }
  return sections;
}

Expected<std::vector<Section>> take_segments(const File& file) {
  std::vector<Section> sections;
  std::uint64_t total = 0;
  for (const GElf_Phdr& segment : file.segments) {
    if (segment.p_type != PT_LOAD) continue;
    if ((total += segment.p_filesz) > kMostContent) return broken("its segments hold more than any board");
    auto section =
        take(file, "segment " + std::to_string(sections.size()), segment.p_paddr, segment.p_offset, segment.p_filesz);
    if (!section) return tl::unexpected(section.error());
    sections.push_back(std::move(*section));
  }
  return sections;
}

std::uint32_t word(Bytes bytes, std::size_t offset) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);  // little-endian, as every host that we build on
  return value;
}

// The note "GNU" of type 3 (NT_GNU_BUILD_ID): three words (name size, description size, type), then both, padded to 4.
std::vector<std::uint8_t> build_id_in(Bytes notes) {
  while (notes.size() >= 12) {
    const std::uint64_t name_size = word(notes, 0);
    const std::uint64_t size = word(notes, 4);
    const std::uint64_t content = 12 + (name_size + 3) / 4 * 4;
    if (content + size > notes.size()) break;
    const bool is_gnu = name_size == 4 && std::memcmp(notes.data() + 12, "GNU", 4) == 0;
    if (is_gnu && word(notes, 8) == 3 && size <= kLongestBuildId) {
      const Bytes id = notes.subspan(content, size);
      return {id.begin(), id.end()};
    }
    const std::uint64_t next = content + (size + 3) / 4 * 4;
    if (next > notes.size()) break;
    notes = notes.subspan(next);
  }
  return {};
}

std::vector<std::uint8_t> build_id_of(const File& file) {
  for (const GElf_Phdr& segment : file.segments) {
    if (segment.p_type != PT_NOTE) continue;
    if (auto id = build_id_in(file.bytes.subspan(segment.p_offset, segment.p_filesz)); !id.empty()) return id;
  }
  for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(file.elf.get(), scn)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(scn, &header) == nullptr || header.sh_type != SHT_NOTE) continue;
    if (!inside(file.bytes, header.sh_offset, header.sh_size)) continue;
    if (auto id = build_id_in(file.bytes.subspan(header.sh_offset, header.sh_size)); !id.empty()) return id;
  }
  return {};
}

}  // namespace

Expected<Image> read_elf(Bytes bytes) {
  auto file = open_elf(bytes);
  if (!file) return tl::unexpected(file.error());
  std::size_t section_count = 0;
  const bool has_sections = elf_getshdrnum(file->elf.get(), &section_count) == 0 && section_count > 0;
  auto sections = has_sections ? take_sections(*file) : take_segments(*file);
  if (!sections) return tl::unexpected(sections.error());
  return Image::from_sections(std::move(*sections), build_id_of(*file));
}

Expected<Object> find_object(Bytes elf, const std::string& name) {
  auto file = open_elf(elf);
  if (!file) return tl::unexpected(file.error());
  for (Elf_Scn* scn = nullptr; (scn = elf_nextscn(file->elf.get(), scn)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(scn, &header) == nullptr || header.sh_type != SHT_SYMTAB) continue;
    Elf_Data* data = elf_getdata(scn, nullptr);
    if (data == nullptr || header.sh_entsize == 0) continue;
    const std::uint64_t count = std::min<std::uint64_t>(header.sh_size / header.sh_entsize, kMostSymbols);
    for (std::uint64_t i = 0; i < count; ++i) {
      GElf_Sym symbol{};
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      const char* own = elf_strptr(file->elf.get(), header.sh_link, symbol.st_name);
      if (own == nullptr || name != own || GELF_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_size == 0) continue;
      return Object{static_cast<std::uint32_t>(symbol.st_value), static_cast<std::uint32_t>(symbol.st_size)};
    }
  }
  return refuse(ErrorKind::kBadInput, "there is no variable " + name + " in the ELF file",
                "arm-none-eabi-nm -S FILE lists them; or name ADDRESS:LENGTH");
}

Expected<std::vector<std::uint8_t>> read_build_id(Bytes elf) {
  auto file = open_elf(elf);
  if (!file) return tl::unexpected(file.error());
  return build_id_of(*file);
}

}  // namespace mv::bundle
