#include "gdbserver/target/elf_image.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <gelf.h>

#include "gdbserver/rtos/elf_system.h"
#include "gdbserver/target/elf_handle.h"
#include "gdbserver/target/whole_file.h"

namespace mv::gdb {
namespace {

// More than any microcontroller's image with its debug information.
constexpr std::uint64_t kMaxFile = 1 << 30;
constexpr std::size_t kMaxBuildId = 64;
constexpr std::size_t kMaxSegments = 4096;
constexpr std::uint64_t kLargestGap = 256;

tl::unexpected<Error> cut_short() { return failure(ErrorCode::kBadRequest, "is cut short: build it again"); }

bool is_arm_elf32(Elf* elf, GElf_Ehdr& header) {
  return elf != nullptr && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) != nullptr &&
         header.e_ident[EI_CLASS] == ELFCLASS32 && header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_machine == EM_ARM;
}

// The build id among the notes of one PT_NOTE segment; empty if there is none.
std::vector<std::uint8_t> find_build_id(Elf* elf, const GElf_Phdr& segment) {
  constexpr std::string_view kOwner("GNU\0", 4);
  Elf_Data* data = elf_getdata_rawchunk(elf, static_cast<std::int64_t>(segment.p_offset), segment.p_filesz, ELF_T_NHDR);
  if (data == nullptr) return {};
  GElf_Nhdr note{};
  std::size_t name = 0;
  std::size_t content = 0;
  for (std::size_t at = 0; (at = gelf_getnote(data, at, &note, &name, &content)) > 0;) {
    const auto* bytes = static_cast<const std::uint8_t*>(data->d_buf);
    const bool gnu = note.n_namesz == kOwner.size() && std::memcmp(bytes + name, kOwner.data(), kOwner.size()) == 0;
    if (gnu && note.n_type == NT_GNU_BUILD_ID && note.n_descsz <= kMaxBuildId)
      return {bytes + content, bytes + content + note.n_descsz};
  }
  return {};
}

bool inside(std::span<const std::uint8_t> file, std::uint64_t offset, std::uint64_t size) {
  return offset <= file.size() && file.size() - offset >= size;
}

// Sections that are aligned leave a few bytes between them.
bool joins(const ElfImage::Piece& piece, std::uint32_t address) {
  const std::uint64_t end = std::uint64_t{piece.address} + piece.bytes.size();
  return address >= end && address - end < kLargestGap;
}

void append(ElfImage::Piece& piece, std::uint32_t address, std::span<const std::uint8_t> bytes) {
  const std::size_t gap = address - piece.address - piece.bytes.size();
  if (gap != 0) piece.gaps.push_back({piece.bytes.size(), gap});
  piece.bytes.resize(piece.bytes.size() + gap);
  piece.bytes.insert(piece.bytes.end(), bytes.begin(), bytes.end());
}

// By section, not by segment: what lies between sections is the file's in a segment and erased flash on the device.
// False if one is not whole, or if together they are more than the file: a small file must not take much memory.
bool take_sections(Elf* elf, std::span<const std::uint8_t> file, std::vector<ElfImage::Piece>& pieces) {
  std::size_t taken = 0;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) == nullptr) return false;
    const bool wanted = (header.sh_flags & SHF_ALLOC) != 0 && (header.sh_flags & SHF_WRITE) == 0 &&
                        header.sh_type != SHT_NOBITS && header.sh_size != 0;
    if (!wanted) continue;
    if (!inside(file, header.sh_offset, header.sh_size) || header.sh_addr > UINT32_MAX) return false;
    if ((taken += header.sh_size) > file.size()) return false;
    const auto bytes = file.subspan(header.sh_offset, header.sh_size);
    const auto address = static_cast<std::uint32_t>(header.sh_addr);
    if (pieces.empty() || !joins(pieces.back(), address))
      pieces.push_back({.address = address, .bytes = {}, .gaps = {}});
    append(pieces.back(), address, bytes);
  }
  return true;
}

}  // namespace

Result<ElfImage> parse_elf_image(std::span<const std::uint8_t> file) {
  const ElfHandle elf = open_elf(file);
  GElf_Ehdr header{};
  if (!is_arm_elf32(elf.get(), header))
    return failure(ErrorCode::kBadRequest, "is not a 32-bit little-endian ARM ELF file");
  std::size_t count = 0;
  if (elf_getphdrnum(elf.get(), &count) != 0 || count > kMaxSegments) return cut_short();
  ElfImage image;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment{};
    if (gelf_getphdr(elf.get(), static_cast<int>(i), &segment) == nullptr ||
        !inside(file, segment.p_offset, segment.p_filesz))
      return cut_short();
    if (segment.p_type == PT_NOTE && image.build_id.empty()) image.build_id = find_build_id(elf.get(), segment);
  }
  if (!take_sections(elf.get(), file, image.read_only)) return cut_short();
  image.statements = read_statements(elf.get());
  image.rtos = rtos::read_system(elf.get());
  return image;
}

void fill_gaps(ElfImage::Piece& piece, std::uint8_t filler) {
  for (const ElfImage::Gap& gap : piece.gaps)
    std::fill_n(piece.bytes.begin() + static_cast<std::ptrdiff_t>(gap.offset), gap.size, filler);
}

Result<ElfImage> load_elf_image(const std::string& path) {
  const auto bytes = read_whole_file(path, kMaxFile, "ELF file");
  if (!bytes) return tl::make_unexpected(bytes.error());
  auto image = parse_elf_image(*bytes);
  if (!image) return failure(image.error().code, path + " " + image.error().text);
  image->path = std::filesystem::absolute(path).string();
  return image;
}

}  // namespace mv::gdb
