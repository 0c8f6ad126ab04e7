// What is left of an application that crashed: registers, fault registers, and the memory that was recorded.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gdbserver/arm/fault.h"
#include "gdbserver/arm/registers.h"
#include "gdbserver/target/error.h"

namespace mv::gdb {

struct Crash {
  struct Memory {
    std::uint32_t address = 0;
    std::vector<std::uint8_t> bytes;
  };

  arm::RegisterFile registers;  // the core registers; the others were not recorded
  fault::Fault fault;
  std::string reason;  // the device's words
  std::vector<Memory> memory;
  std::size_t stack_pieces = 1;  // how many of `memory`, from its beginning, are stack; the others were chosen
};

// False if the application ended itself with a breakpoint of its own, which sets no fault register.
bool has_fault(const Crash& crash);

// The fault registers in words, or the device's if they say nothing: a breakpoint of the application's own.
std::string describe_crash(const Crash& crash);

// The crash as an ELF core file, which `gdb-multiarch PROGRAM CORE` opens: NT_PRSTATUS as GDB reads it for bare metal
// (GDB 13, gdb/arm-none-tdep.c; BFD, elf32_arm_nabi_grok_prstatus), and one PT_LOAD for each piece of memory. Registers
// that were not recorded are 0 there.
//
// Replaces what is at `path`. Errors: kBadRequest (it cannot be written), with a sentence.
Result<void> write_core_file(const Crash& crash, const std::string& path);

// What write_core_file wrote, back again: with the fault, the system registers and the device's words, which it keeps
// in a note that GDB passes over. Takes any core file of a 32-bit little-endian Arm; without our note there are
// registers and memory. What is taken is never more than the file.
//
// Errors: kBadRequest (no such core file), kNotFound (load: cannot be opened), with a sentence.
Result<Crash> parse_core_file(std::span<const std::uint8_t> file);
Result<Crash> load_core_file(const std::string& path);

}  // namespace mv::gdb
