// What GDB wants collected at a tracepoint, as it tells a remote target: bytecode that it compiled of C expressions.
//
// Source: GDB manual, "Tracepoint Packets", QTDP; GDB 13 gdb/tracepoint.c, collection_list::stringify.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "gdbserver/rsp/hex.h"

namespace mv::gdb {

// What is collected at one address.
struct Tracepoint {
  rsp::Bytes condition;             // an agent expression; empty: there is none
  std::vector<rsp::Bytes> collect;  // agent expressions with trace operations
  std::set<std::uint8_t> registers;

  std::size_t expressions() const { return collect.size() + (condition.empty() ? 0 : 1) + (registers.empty() ? 0 : 1); }
  std::size_t bytes() const;
};

class TraceDefinition {
 public:
  // Takes the arguments of one QTDP packet. False if they make no sense, or ask for what a device cannot do (actions
  // while stepping).
  bool add(std::string_view arguments);
  void clear() { points_.clear(); }

  // By address, without the Thumb bit. A line may have several.
  const std::map<std::uint32_t, Tracepoint>& points() const { return points_; }
  std::map<std::uint32_t, Tracepoint>& points() { return points_; }

 private:
  bool add_action(Tracepoint& point, std::string_view& text);

  std::map<std::uint32_t, Tracepoint> points_;
};

}  // namespace mv::gdb
