#include "gdbserver/target/cause.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace mv::gdb {
namespace {

constexpr std::size_t kLr = 14;

bool in_image(const ElfImage& image, std::uint32_t address) {
  return std::any_of(image.read_only.begin(), image.read_only.end(), [&](const ElfImage::Piece& piece) {
    return address >= piece.address && address - piece.address < piece.bytes.size();
  });
}

std::uint32_t word_at(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16) |
         static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

std::optional<SourcePlace> source_of(const std::string& elf_path, std::uint32_t address) {
  return elf_path.empty() ? std::nullopt : find_source(elf_path, address & ~1U);
}

// The call that the first thing on the stack that may be a return address came from: an odd address behind code.
std::optional<SourcePlace> first_caller_on_stack(const Crash& crash, const std::string& elf_path,
                                                 const ElfImage& image) {
  for (const Crash::Memory& memory : crash.memory) {
    for (std::size_t at = 0; at + 4 <= memory.bytes.size(); at += 4) {
      const std::uint32_t word = word_at(memory.bytes, at);
      if ((word & 1U) == 0 || !in_image(image, word - 2)) continue;
      if (auto place = source_of(elf_path, word - 2)) return place;
    }
  }
  return std::nullopt;
}

std::string without_pc(const Crash& crash, const std::string& elf_path, const ElfImage* image) {
  const auto caller = image == nullptr ? std::nullopt : first_caller_on_stack(crash, elf_path, *image);
  if (!caller) return ", no pc could be stored";
  return fmt::format(", no pc could be stored; the stack begins with a call from {} ({})", file_and_line(*caller),
                     caller->function);
}

std::string place_of_pc(const Crash& crash, const std::string& elf_path) {
  const std::uint32_t pc = crash.registers.core[arm::kPc];
  const char* how = arm::is_imprecise(crash.fault) ? "noticed at" : "from";
  if (const auto place = source_of(elf_path, pc)) return fmt::format(", {} {}", how, file_and_line(*place));
  // A return address is behind the call.
  if (const auto caller = source_of(elf_path, (crash.registers.core[kLr] & ~1U) - 1))
    return fmt::format(", {} 0x{:08x}, last called from {}", how, pc, file_and_line(*caller));
  return fmt::format(", {} 0x{:08x}", how, pc);
}

}  // namespace

std::string file_and_line(const SourcePlace& place) {
  return fmt::format("{}:{}", std::filesystem::path(place.file).filename().string(), place.line);
}

std::string describe_cause(const Crash& crash, const std::string& elf_path, const ElfImage* image) {
  return describe_crash(crash) +
         (crash.registers.core_valid ? place_of_pc(crash, elf_path) : without_pc(crash, elf_path, image));
}

}  // namespace mv::gdb
