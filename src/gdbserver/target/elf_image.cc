#include "gdbserver/target/elf_image.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <gelf.h>

#include "gdbserver/target/elf_handle.h"

namespace mv::gdb {
namespace {

// More than any microcontroller's image with its debug information.
constexpr std::streamoff kMaxFile = 1 << 30;
constexpr std::size_t kMaxBuildId = 64;
constexpr std::size_t kMaxSegments = 4096;

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
  GElf_Nhdr note;
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

bool inside(std::span<const std::uint8_t> file, const GElf_Phdr& segment) {
  return segment.p_offset <= file.size() && file.size() - segment.p_offset >= segment.p_filesz;
}

}  // namespace

Result<ElfImage> parse_elf_image(std::span<const std::uint8_t> file) {
  const ElfHandle elf = open_elf(file);
  GElf_Ehdr header;
  if (!is_arm_elf32(elf.get(), header))
    return failure(ErrorCode::kBadRequest, "is not a 32-bit little-endian ARM ELF file");
  std::size_t count = 0;
  if (elf_getphdrnum(elf.get(), &count) != 0 || count > kMaxSegments) return cut_short();
  ElfImage image;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf.get(), static_cast<int>(i), &segment) == nullptr || !inside(file, segment)) return cut_short();
    if (segment.p_type == PT_NOTE && image.build_id.empty()) image.build_id = find_build_id(elf.get(), segment);
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0 || segment.p_filesz == 0) continue;
    const auto bytes = file.subspan(segment.p_offset, segment.p_filesz);
    image.read_only.push_back({static_cast<std::uint32_t>(segment.p_vaddr), {bytes.begin(), bytes.end()}});
  }
  image.statements = read_statements(elf.get());
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
  image->path = std::filesystem::absolute(path).string();
  return image;
}

}  // namespace mv::gdb
