// The remote target of a GDB that works for `mvctl trace`: it compiles expressions for the device and prints what the
// device recorded. It never reaches the device; there is nothing that it could run or change.
//
// Payloads in, payloads out, no I/O. Source: GDB manual, "Tracepoint Packets".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gdbserver/trace/definition.h"
#include "gdbserver/trace/record.h"

namespace mv::gdb {

class TraceStub {
 public:
  // The answer to a packet; empty: not supported, as RSP has it.
  std::string answer(std::string_view payload);

  // The frame that GDB finds under the hit's number from now on, and the only one.
  void show(TraceHit hit) {
    hit_ = std::move(hit);
    blank_ = false;
  }

  // Frame 0 at `address`, for GDB to see what names mean there: all registers and all memory are 0.
  void show_scope(std::uint32_t address) {
    hit_ = {};
    hit_.address = address;
    blank_ = true;
  }

  // What the last `tstart` asked for. `understood`: all of it.
  const TraceDefinition& definition() const { return definition_; }
  bool understood() const { return understood_; }

 private:
  std::string select_frame(std::string_view argument);
  std::string registers() const;
  std::string memory(std::string_view arguments) const;
  std::string target_description(std::string_view arguments) const;

  TraceDefinition definition_;
  bool understood_ = true;
  TraceHit hit_;
  bool in_frame_ = false;
  bool blank_ = false;
};

}  // namespace mv::gdb
