// Looks for a kernel in an ELF file: its variables by the symbol table, its structures by the debug information.
#pragma once

#include <libelf.h>

#include <memory>

#include "gdbserver/rtos/kernel.h"

namespace mv::gdb::rtos {

// Null if the file has no kernel of the tables, or not all that its table requires.
std::shared_ptr<const System> read_system(Elf* elf);

}  // namespace mv::gdb::rtos
