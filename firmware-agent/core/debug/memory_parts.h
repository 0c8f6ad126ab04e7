// Pieces of the application's memory on their way into a reply: read once, encoded twice (nanopb measures first), so
// that a peripheral with read side effects is touched once only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/platform/debug_unit.h"
#include "wire/proto/agent.nanopb.h"

namespace mv::debug {

class MemoryParts {
 public:
  static constexpr std::size_t kMaxParts = 8;
  static constexpr std::size_t kMaxBytes = 2048;  // of all parts together

  void clear();

  // Reads a piece. One that is not the application's, or for which no room is left, goes into the reply with an error.
  void add(ApplicationMemory& memory, std::uint32_t address, std::uint32_t length);
  void add_error(std::uint32_t address, mv_wire_AgentError error);

  // Makes `field`, a repeated MemoryBytes, encode the parts. They must stay until the message is encoded.
  void encode_as(pb_callback_t& field) const;

 private:
  struct Part {
    std::uint32_t address = 0;
    std::size_t offset = 0;
    std::size_t size = 0;
    mv_wire_AgentError error = mv_wire_AgentError_AGENT_OK;
  };

  static bool encode_parts(pb_ostream_t* stream, const pb_field_t* field, void* const* argument);
  std::span<const std::uint8_t> bytes(const Part& part) const {
    return std::span(bytes_).subspan(part.offset, part.size);
  }

  std::array<Part, kMaxParts> parts_{};
  std::size_t count_ = 0;
  std::array<std::uint8_t, kMaxBytes> bytes_{};
  std::size_t used_ = 0;
};

// Makes `field`, of type bytes, encode `*bytes`, which must stay until the message is encoded.
void encode_bytes_as(pb_callback_t& field, const std::span<const std::uint8_t>* bytes);

}  // namespace mv::debug
