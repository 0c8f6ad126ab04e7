// A core file back to a crash (System V ABI, "Program Header": PT_NOTE and PT_LOAD), read by libelf.
#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "gdbserver/target/core_notes.h"
#include "gdbserver/target/crash.h"
#include "gdbserver/target/elf_handle.h"
#include "gdbserver/target/whole_file.h"

namespace mv::gdb {
namespace {

namespace notes = core_notes;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMostSegments = 1024;
constexpr std::uint64_t kBiggestFile = 64 << 20;  // all memory of a microcontroller, and more

tl::unexpected<Error> damaged(std::string_view what) {
  return failure(ErrorCode::kBadRequest, fmt::format("is no core file that can be read: {}", what));
}

std::uint32_t word_at(Bytes bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16) |
         static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

void take_status(Bytes status, Crash& crash) {
  for (std::size_t i = 0; i < arm::kCoreCount; ++i)
    crash.registers.core[i] = word_at(status, notes::kRegistersAt + 4 * i);
  crash.registers.has_system = false;
  crash.reason = fmt::format("signal {}", status[notes::kSignalAt]);
}

void take_rest(Bytes rest, Crash& crash) {
  const auto word = [&](std::size_t index) { return word_at(rest, 4 * index); };
  std::uint32_t* const registers[] = {&crash.fault.cfsr, &crash.fault.hfsr, &crash.fault.mmfar,
                                      &crash.fault.bfar, &crash.fault.sfsr, &crash.fault.sfar};
  for (std::size_t i = 0; i < std::size(registers); ++i) *registers[i] = word(notes::kFaultAt + i);
  crash.fault.access = {
      .address = word(notes::kAccessAt), .size = word(notes::kAccessAt + 1), .writes = word(notes::kAccessAt + 2) != 0};
  crash.registers.core_valid = word(notes::kCoreKnownAt) != 0;
  crash.registers.has_system = word(notes::kSystemKnownAt) != 0;
  crash.stack_pieces = word(notes::kStackPiecesAt);
  for (std::size_t i = 0; i < arm::kSystemCount; ++i) crash.registers.system[i] = word(notes::kSystemAt + i);
  const Bytes words = rest.subspan(4 * notes::kWords);
  crash.reason.assign(words.begin(), words.end());
}

struct Notes {
  std::optional<Bytes> status;
  std::optional<Bytes> rest;
};

void find_notes(Elf* elf, const GElf_Phdr& segment, Notes& out) {
  Elf_Data* data = elf_getdata_rawchunk(elf, static_cast<std::int64_t>(segment.p_offset), segment.p_filesz, ELF_T_NHDR);
  if (data == nullptr) return;
  GElf_Nhdr note{};
  std::size_t name = 0, content = 0;
  for (std::size_t at = 0; (at = gelf_getnote(data, at, &note, &name, &content)) > 0;) {
    const auto* bytes = static_cast<const std::uint8_t*>(data->d_buf);
    const std::string_view owner(reinterpret_cast<const char*>(bytes) + name, note.n_namesz);
    const Bytes found(bytes + content, note.n_descsz);
    if (owner == notes::kCoreOwner && note.n_type == NT_PRSTATUS && found.size() >= notes::kStatusSize)
      out.status = found;
    if (owner == notes::kOurOwner && note.n_type == notes::kCrashNote && found.size() >= 4 * notes::kWords)
      out.rest = found;
  }
}

// False if the segment is not whole, or if all of them are more than the file.
bool take_memory(Bytes file, const GElf_Phdr& segment, std::size_t& taken, Crash& crash) {
  if (segment.p_filesz == 0) return true;
  if (segment.p_vaddr > UINT32_MAX || segment.p_filesz > std::uint64_t{UINT32_MAX} + 1 - segment.p_vaddr) return false;
  if ((taken += segment.p_filesz) > file.size()) return false;
  const Bytes bytes = file.subspan(segment.p_offset, segment.p_filesz);
  crash.memory.push_back({static_cast<std::uint32_t>(segment.p_vaddr), {bytes.begin(), bytes.end()}});
  return true;
}

bool is_core(Elf* elf) {
  GElf_Ehdr header{};
  return elf != nullptr && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) != nullptr &&
         header.e_ident[EI_CLASS] == ELFCLASS32 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
         header.e_machine == EM_ARM && header.e_type == ET_CORE;
}

}  // namespace

Result<Crash> parse_core_file(Bytes file) {
  const ElfHandle elf = open_elf(file);
  if (!is_core(elf.get())) return damaged("it is not the core file of a 32-bit little-endian Arm");
  std::size_t count = 0, taken = 0;
  if (elf_getphdrnum(elf.get(), &count) != 0 || count > kMostSegments) return damaged("its segments are");
  Crash crash;
  Notes found;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment{};
    if (gelf_getphdr(elf.get(), static_cast<int>(i), &segment) == nullptr || segment.p_offset > file.size() ||
        segment.p_filesz > file.size() - segment.p_offset)
      return damaged("a segment lies outside of it");
    if (segment.p_type == PT_NOTE) find_notes(elf.get(), segment, found);
    if (segment.p_type == PT_LOAD && !take_memory(file, segment, taken, crash))
      return damaged("its memory reaches past the end of it or of the address space");
  }
  if (!found.status) return damaged("it has no registers");
  take_status(*found.status, crash);
  if (found.rest) take_rest(*found.rest, crash);
  crash.stack_pieces = std::min(crash.stack_pieces, crash.memory.size());
  crash.fault.exception = arm::active_exception(crash.registers);
  return crash;
}

Result<Crash> load_core_file(const std::string& path) {
  const auto bytes = read_whole_file(path, kBiggestFile, "core file");
  if (!bytes) return tl::make_unexpected(bytes.error());
  auto crash = parse_core_file(*bytes);
  if (!crash) return failure(crash.error().code, path + " " + crash.error().text);
  return crash;
}

}  // namespace mv::gdb
