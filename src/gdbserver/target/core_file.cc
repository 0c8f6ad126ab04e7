// The crash as an ELF core file (System V ABI, "Program Header": PT_NOTE and PT_LOAD), written by libelf.
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "gdbserver/target/core_notes.h"
#include "gdbserver/target/crash.h"
#include "gdbserver/target/elf_handle.h"

namespace mv::gdb {
namespace {

namespace notes = core_notes;

constexpr std::uint64_t kAlignment = 4;

// GDB reads the signal of such a core file in its own host's numbers, which differ from those of its protocol.
std::uint8_t signal_number(const Crash& crash) {
  constexpr std::uint8_t kProtocolBus = 10;
  if (!has_fault(crash)) return SIGTRAP;
  const std::uint8_t number = arm::fault_signal(crash.fault);
  return number == kProtocolBus ? SIGBUS : number;
}

void put_word(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t word) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(word >> (8 * i));
}

// One note: sizes of name and content, type, name, content, both padded to words (System V ABI, "Note Section").
void add_note(std::vector<std::uint8_t>& out, std::string_view owner, std::uint32_t type,
              std::span<const std::uint8_t> content) {
  constexpr auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
  const std::size_t start = out.size(), name = start + 12, body = name + padded(owner.size());
  out.resize(body + padded(content.size()));
  put_word(out, start, static_cast<std::uint32_t>(owner.size()));
  put_word(out, start + 4, static_cast<std::uint32_t>(content.size()));
  put_word(out, start + 8, type);
  std::copy(owner.begin(), owner.end(), out.begin() + static_cast<std::ptrdiff_t>(name));
  std::copy(content.begin(), content.end(), out.begin() + static_cast<std::ptrdiff_t>(body));
}

std::vector<std::uint8_t> status_of(const Crash& crash) {
  std::vector<std::uint8_t> status(notes::kStatusSize);
  status[notes::kSignalAt] = signal_number(crash);
  put_word(status, notes::kProcessAt, 1);
  for (std::size_t i = 0; i < arm::kCoreCount; ++i)
    put_word(status, notes::kRegistersAt + 4 * i, crash.registers.core[i]);
  return status;
}

std::vector<std::uint8_t> rest_of(const Crash& crash) {
  std::vector<std::uint8_t> rest(4 * notes::kWords);
  const fault::Fault& fault = crash.fault;
  const auto put = [&](std::size_t index, std::uint32_t word) { put_word(rest, 4 * index, word); };
  const std::uint32_t registers[] = {fault.cfsr, fault.hfsr, fault.mmfar, fault.bfar, fault.sfsr, fault.sfar};
  for (std::size_t i = 0; i < std::size(registers); ++i) put(notes::kFaultAt + i, registers[i]);
  put(notes::kAccessAt, fault.access.address);
  put(notes::kAccessAt + 1, fault.access.size);
  put(notes::kAccessAt + 2, fault.access.writes ? 1 : 0);
  put(notes::kCoreKnownAt, crash.registers.core_valid ? 1 : 0);
  put(notes::kSystemKnownAt, crash.registers.has_system ? 1 : 0);
  put(notes::kStackPiecesAt, static_cast<std::uint32_t>(crash.stack_pieces));
  for (std::size_t i = 0; i < arm::kSystemCount; ++i) put(notes::kSystemAt + i, crash.registers.system[i]);
  rest.insert(rest.end(), crash.reason.begin(), crash.reason.end());
  return rest;
}

std::vector<std::uint8_t> notes_of(const Crash& crash) {
  std::vector<std::uint8_t> out;
  add_note(out, notes::kCoreOwner, NT_PRSTATUS, status_of(crash));
  add_note(out, notes::kOurOwner, notes::kCrashNote, rest_of(crash));
  return out;
}

class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Sections carry the bytes, because that is how libelf takes them; the program headers say what they are.
class CoreWriter {
 public:
  explicit CoreWriter(int descriptor) : elf_(elf_begin(descriptor, ELF_C_WRITE, nullptr)) {}

  bool write(const Crash& crash) { return elf_ != nullptr && write_header() && write_parts(crash) && write_segments(); }

 private:
  struct Part {
    std::uint32_t type;  // PT_NOTE or PT_LOAD
    std::uint32_t address;
    std::span<const std::uint8_t> bytes;
  };

  bool write_header() {
    if (gelf_newehdr(elf_.get(), ELFCLASS32) == 0) return false;
    GElf_Ehdr header{};
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_CORE;
    header.e_machine = EM_ARM;
    header.e_version = EV_CURRENT;
    header.e_flags = EF_ARM_EABI_VER5;
    return gelf_update_ehdr(elf_.get(), &header) != 0;
  }

  bool write_parts(const Crash& crash) {
    note_ = notes_of(crash);
    parts_.push_back({PT_NOTE, 0, note_});
    for (const Crash::Memory& memory : crash.memory)
      if (!memory.bytes.empty()) parts_.push_back({PT_LOAD, memory.address, memory.bytes});
    if (gelf_newphdr(elf_.get(), parts_.size()) == 0) return false;
    for (const Part& part : parts_)
      if (!add_section(part)) return false;
    return elf_update(elf_.get(), ELF_C_NULL) >= 0;  // the offsets are known from here on
  }

  bool add_section(const Part& part) {
    Elf_Scn* section = elf_newscn(elf_.get());
    Elf_Data* data = section == nullptr ? nullptr : elf_newdata(section);
    GElf_Shdr header;
    if (data == nullptr || gelf_getshdr(section, &header) == nullptr) return false;
    data->d_buf = const_cast<std::uint8_t*>(part.bytes.data());  // libelf only reads it
    data->d_size = part.bytes.size();
    data->d_type = ELF_T_BYTE;
    data->d_align = kAlignment;
    header.sh_type = part.type == PT_NOTE ? SHT_NOTE : SHT_PROGBITS;
    header.sh_flags = part.type == PT_NOTE ? 0 : SHF_ALLOC | SHF_WRITE;
    header.sh_addr = part.address;
    return gelf_update_shdr(section, &header) != 0;
  }

  bool write_segments() {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      GElf_Shdr section;
      if (gelf_getshdr(elf_getscn(elf_.get(), i + 1), &section) == nullptr) return false;
      GElf_Phdr segment{};
      segment.p_type = parts_[i].type;
      segment.p_flags = parts_[i].type == PT_NOTE ? PF_R : PF_R | PF_W;
      segment.p_offset = section.sh_offset;
      segment.p_vaddr = segment.p_paddr = parts_[i].address;
      segment.p_filesz = section.sh_size;
      segment.p_memsz = parts_[i].type == PT_NOTE ? 0 : section.sh_size;
      segment.p_align = parts_[i].type == PT_NOTE ? kAlignment : 1;
      if (gelf_update_phdr(elf_.get(), static_cast<int>(i), &segment) == 0) return false;
    }
    elf_flagphdr(elf_.get(), ELF_C_SET, ELF_F_DIRTY);
    return elf_update(elf_.get(), ELF_C_WRITE) >= 0;
  }

  ElfHandle elf_;
  std::vector<std::uint8_t> note_;
  std::vector<Part> parts_;  // their bytes belong to the crash and to note_
};

}  // namespace

Result<void> write_core_file(const Crash& crash, const std::string& path) {
  elf_version(EV_CURRENT);
  const File file(path);
  if (file.descriptor() < 0)
    return failure(ErrorCode::kBadRequest, fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
  if (!CoreWriter(file.descriptor()).write(crash))
    return failure(ErrorCode::kBadRequest, fmt::format("{} cannot be written: {}", path, elf_errmsg(-1)));
  return {};
}

}  // namespace mv::gdb
