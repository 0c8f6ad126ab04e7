// Which code belongs to one statement, by the line table of the local ELF's debug information (DWARF 5, 6.2).
//
// Compilers give one line of source several rows in the table, and GDB steps through them one row at a time. With
// all of them in one resume the device steps through the statement without asking.
#pragma once

#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mv::gdb {

struct CodeRange {  // [start, end)
  std::uint32_t start = 0;
  std::uint32_t end = 0;
  bool operator==(const CodeRange&) const = default;
};

class Statements {
 public:
  struct Row {
    std::uint32_t address = 0;
    std::uint32_t line = 0;  // 0: no line, or the end of a sequence
    std::uint32_t file = 0;  // numbers a name; equal names have equal numbers
    bool operator==(const Row&) const = default;
  };

  Statements() = default;

  // `rows` in any order, `functions` without overlap in any order.
  Statements(std::vector<Row> rows, std::vector<CodeRange> functions);

  bool empty() const { return rows_.empty(); }

  // All ranges of the statement that `row` is one row of, the one around `row` first; `row` alone if it is no row of
  // the table.
  //
  // The first row of a function is a statement of its own: a call of the function from within itself is then seen, as
  // it has to be for `next` to step over it. At most `most` ranges, at least 1.
  std::vector<CodeRange> ranges(CodeRange row, std::size_t most) const;

 private:
  const CodeRange* function_of(std::uint32_t address) const;

  std::vector<Row> rows_;             // by address, one for each address
  std::vector<CodeRange> functions_;  // by start
};

// The line table of an ELF file; empty if it has none that can be read.
Statements read_statements(Elf* elf);

}  // namespace mv::gdb
