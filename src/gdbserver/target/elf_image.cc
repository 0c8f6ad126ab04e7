#include "gdbserver/target/elf_image.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace mv::gdb {
namespace {

// More than any microcontroller's image with its debug information.
constexpr std::streamoff kMaxFile = 1 << 30;
constexpr std::size_t kMaxBuildId = 64;

template <class T>
std::optional<T> read_at(std::span<const std::uint8_t> file, std::size_t at) {
  if (at > file.size() || file.size() - at < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + at, sizeof(T));
  return value;
}

std::optional<std::span<const std::uint8_t>> contents(std::span<const std::uint8_t> file, const Elf32_Phdr& segment) {
  if (segment.p_offset > file.size() || file.size() - segment.p_offset < segment.p_filesz) return std::nullopt;
  return file.subspan(segment.p_offset, segment.p_filesz);
}

std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// The build id among the notes of one PT_NOTE segment.
std::vector<std::uint8_t> find_build_id(std::span<const std::uint8_t> notes) {
  constexpr std::string_view kOwner("GNU\0", 4);
  while (const auto note = read_at<Elf32_Nhdr>(notes, 0)) {
    notes = notes.subspan(sizeof(Elf32_Nhdr));
    const std::size_t name = padded(note->n_namesz);
    const std::size_t size = name + padded(note->n_descsz);
    if (name > notes.size() || size > notes.size() || note->n_descsz > notes.size() - name) return {};
    const bool gnu = note->n_namesz == kOwner.size() && std::memcmp(notes.data(), kOwner.data(), kOwner.size()) == 0;
    if (gnu && note->n_type == NT_GNU_BUILD_ID && note->n_descsz <= kMaxBuildId) {
      const auto id = notes.subspan(name, note->n_descsz);
      return {id.begin(), id.end()};
    }
    notes = notes.subspan(size);
  }
  return {};
}

bool is_arm_elf32(const Elf32_Ehdr& header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS32 &&
         header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_machine == EM_ARM &&
         header.e_phentsize == sizeof(Elf32_Phdr);
}

void take_segment(ElfImage& image, const Elf32_Phdr& segment, std::span<const std::uint8_t> bytes) {
  if (segment.p_type == PT_NOTE && image.build_id.empty()) image.build_id = find_build_id(bytes);
  if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0 && !bytes.empty())
    image.read_only.push_back({segment.p_vaddr, {bytes.begin(), bytes.end()}});
}

}  // namespace

Result<ElfImage> parse_elf_image(std::span<const std::uint8_t> file) {
  const auto header = read_at<Elf32_Ehdr>(file, 0);
  if (!header || !is_arm_elf32(*header))
    return failure(ErrorCode::kBadRequest, "is not a 32-bit little-endian ARM ELF file");
  ElfImage image;
  for (std::size_t i = 0; i < header->e_phnum; ++i) {
    const auto segment = read_at<Elf32_Phdr>(file, header->e_phoff + i * sizeof(Elf32_Phdr));
    const auto bytes = segment ? contents(file, *segment) : std::nullopt;
    if (!bytes) return failure(ErrorCode::kBadRequest, "is cut short: build it again");
    take_segment(image, *segment, *bytes);
  }
  return image;
}

Result<ElfImage> load_elf_image(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return failure(ErrorCode::kNotFound, fmt::format("{} cannot be opened: is the path right?", path));
  const std::streamoff size = file.tellg();
  if (size < 0 || size > kMaxFile) return failure(ErrorCode::kBadRequest, fmt::format("{} is no ELF file", path));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), size))
    return failure(ErrorCode::kBadRequest, fmt::format("{} cannot be read", path));
  auto image = parse_elf_image(bytes);
  if (!image) return failure(image.error().code, path + " " + image.error().text);
  return image;
}

}  // namespace mv::gdb
