// Why and where an application stopped at a fault, in the one sentence that `mvctl crashes` and GDB's console show:
// "bus fault: write to 0x40004400, precise, from main.c:88".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gdbserver/target/crash.h"
#include "gdbserver/target/elf_image.h"
#include "gdbserver/target/source_place.h"

namespace mv::gdb {

// "main.c:88"
std::string file_and_line(const SourcePlace& place);

// describe_crash and the source of it. Where there is none at pc (a call of an address that is no code, a frame that
// could not be stored) the call before it is named. `elf_path` may be empty: then there are addresses. `image` is what
// is in that ELF, if it is known here: only with it is the recorded stack searched.
std::string describe_cause(const Crash& crash, const std::string& elf_path, const ElfImage* image);

}  // namespace mv::gdb
