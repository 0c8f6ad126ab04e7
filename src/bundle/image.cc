#include "bundle/image.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "bundle/board.h"

namespace mv::bundle {
namespace {

std::string span_text(const Section& section) {
  return section.name + " (" + hex_address(section.address) + " to " + hex_address(section.end() - 1) + ")";
}

}  // namespace

Expected<Image> Image::from_sections(std::vector<Section> sections, std::vector<std::uint8_t> build_id) {
  std::erase_if(sections, [](const Section& section) { return section.content.empty(); });
  if (sections.empty()) return refuse(ErrorKind::kBadInput, "it holds nothing that belongs into flash");
  std::stable_sort(sections.begin(), sections.end(),
                   [](const auto& a, const auto& b) { return a.address < b.address; });
  for (std::size_t i = 1; i < sections.size(); ++i) {
    if (sections[i - 1].end() > sections[i].address) {
      return refuse(ErrorKind::kOverlap, span_text(sections[i - 1]) + " overlaps " + span_text(sections[i]),
                    "give each its own place in the linker script");
    }
  }
  Image image;
  image.sections_ = std::move(sections);
  image.build_id_ = std::move(build_id);
  return image;
}

const Section* Image::section_at(std::uint64_t address) const {
  const auto found = std::find_if(sections_.begin(), sections_.end(),
                                  [&](const Section& s) { return address >= s.address && address < s.end(); });
  return found == sections_.end() ? nullptr : &*found;
}

bool Image::holds(std::uint64_t address) const { return section_at(address) != nullptr; }

std::optional<std::uint32_t> Image::word_at(std::uint64_t address) const {
  const Section* section = section_at(address);
  if (section == nullptr || address + 4 > section->end()) return std::nullopt;
  const std::uint8_t* byte = &section->content[address - section->address];
  return std::uint32_t{byte[0]} | std::uint32_t{byte[1]} << 8 | std::uint32_t{byte[2]} << 16 |
         std::uint32_t{byte[3]} << 24;
}

Expected<Image> read_binary(Bytes file, std::uint32_t base) {
  if (std::uint64_t{base} + file.size() > 0x1'0000'0000) {
    return refuse(ErrorKind::kTooBig, "a binary of " + std::to_string(file.size()) + " bytes at " + hex_address(base) +
                                          " reaches past the end of the address space");
  }
  return Image::from_sections({Section{"the binary", base, {file.begin(), file.end()}}}, {});
}

bool is_elf(Bytes file) {
  constexpr std::uint8_t kMagic[] = {0x7F, 'E', 'L', 'F'};
  return file.size() >= std::size(kMagic) && std::equal(std::begin(kMagic), std::end(kMagic), file.begin());
}

Expected<Image> read_image(Bytes file, std::uint32_t base) {
  if (is_elf(file)) return read_elf(file);
  const auto is_hex = [](std::uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
  };
  // The shortest record is ":00000001FF".
  if (file.size() >= 11 && file[0] == ':' && std::all_of(file.begin() + 1, file.begin() + 11, is_hex))
    return read_hex(file);
  return read_binary(file, base);
}

Expected<std::vector<std::uint8_t>> read_file(const std::filesystem::path& path, std::uint64_t most) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return refuse(ErrorKind::kUnreadable, path.string() + " cannot be read: it is a folder");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return refuse(ErrorKind::kUnreadable, path.string() + " cannot be read: " + std::strerror(errno));
  std::vector<std::uint8_t> content;
  std::vector<char> piece(65536);
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0) {
    content.insert(content.end(), piece.begin(), piece.begin() + file.gcount());
    if (content.size() > most) {
      return refuse(ErrorKind::kTooBig,
                    path.string() + " is too big: at most " + std::to_string(most) + " bytes are read");
    }
  }
  if (file.bad()) return refuse(ErrorKind::kUnreadable, path.string() + " cannot be read to its end");
  return content;
}

}  // namespace mv::bundle
