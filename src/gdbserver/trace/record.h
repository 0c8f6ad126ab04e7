// One hit of a tracepoint, as the device recorded it (`TraceRecords` in wire/proto/agent.proto).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "gdbserver/rsp/hex.h"

namespace mv::gdb {

struct TraceHit {
  struct Memory {
    std::uint32_t address = 0;
    rsp::Bytes bytes;
  };

  std::uint32_t number = 0;   // from 1; a number that is missing is a hit whose record was lost
  std::uint64_t time_us = 0;  // since the device booted
  std::uint32_t address = 0;
  std::map<std::uint32_t, rsp::Bytes> registers;  // by number, in target order
  std::vector<Memory> memory;

  // The part of [address, address + length) that was recorded, from its beginning on without a gap.
  rsp::Bytes read(std::uint32_t address, std::uint32_t length) const;
};

// Nothing if `bytes` are no whole records, or one has the number 0.
std::optional<std::vector<TraceHit>> parse_records(std::span<const std::uint8_t> bytes);

}  // namespace mv::gdb
