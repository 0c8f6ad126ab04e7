// What a linker made, as bytes at addresses: read from ELF, Intel HEX or raw binary.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bundle/error.h"
#include "bundle/hash.h"

namespace mv::bundle {

// Bytes that belong into flash, in one piece. Never empty, and never past the end of the address space.
struct Section {
  std::string name;  // ".text"; "line 12" for HEX, the file's name for a binary
  std::uint32_t address;
  std::vector<std::uint8_t> content;

  std::uint64_t end() const { return std::uint64_t{address} + content.size(); }
};

// Sections in the order of their addresses, none overlapping another, at least one.
class Image {
 public:
  // Errors: kBadInput (no content), kOverlap (names both).
  static Expected<Image> from_sections(std::vector<Section> sections, std::vector<std::uint8_t> build_id);

  const std::vector<Section>& sections() const { return sections_; }
  const std::vector<std::uint8_t>& build_id() const { return build_id_; }  // GNU build id; empty if there is none

  // The little-endian word at `address`, if all of it is in one section.
  std::optional<std::uint32_t> word_at(std::uint64_t address) const;
  bool holds(std::uint64_t address) const;

 private:
  const Section* section_at(std::uint64_t address) const;

  std::vector<Section> sections_;
  std::vector<std::uint8_t> build_id_;
};

// Each takes a whole file. Errors: kBadInput, kOverlap.
Expected<Image> read_elf(Bytes file);
Expected<Image> read_hex(Bytes file);
Expected<Image> read_binary(Bytes file, std::uint32_t base);

// Whether it begins as an ELF file does; it may be damaged nevertheless.
bool is_elf(Bytes file);

// Tells the format by content: ELF by its magic, HEX by a first line that is a record, else binary at `base`.
Expected<Image> read_image(Bytes file, std::uint32_t base);

// A whole file of at most `most` bytes. Errors: kUnreadable, kTooBig.
Expected<std::vector<std::uint8_t>> read_file(const std::filesystem::path& path, std::uint64_t most);

// The GNU build id of an ELF file, empty if it has none. For telling whether an ELF is what a device runs.
Expected<std::vector<std::uint8_t>> read_build_id(Bytes elf);

// Where a variable lies, by the ELF's symbol table.
struct Object {
  std::uint32_t address = 0;
  std::uint32_t size = 0;  // bytes
};

// Errors: kBadInput (no ELF file, or no variable of that name with a size in it).
Expected<Object> find_object(Bytes elf, const std::string& name);

}  // namespace mv::bundle
