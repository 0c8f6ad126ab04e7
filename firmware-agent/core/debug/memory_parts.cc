#include "core/debug/memory_parts.h"

#include <pb_encode.h>

namespace mv::debug {
namespace {

bool encode_bytes(pb_ostream_t* stream, const pb_field_t* field, void* const* argument) {
  const auto& bytes = *static_cast<const std::span<const std::uint8_t>*>(*argument);
  if (bytes.empty()) return true;
  return pb_encode_tag_for_field(stream, field) && pb_encode_string(stream, bytes.data(), bytes.size());
}

}  // namespace

void encode_bytes_as(pb_callback_t& field, const std::span<const std::uint8_t>* bytes) {
  field.funcs.encode = encode_bytes;
  field.arg = const_cast<std::span<const std::uint8_t>*>(bytes);  // nanopb has one argument for both directions
}

void MemoryParts::clear() {
  count_ = 0;
  used_ = 0;
}

void MemoryParts::add(ApplicationMemory& memory, std::uint32_t address, std::uint32_t length) {
  if (length > kMaxBytes - used_) return add_error(address, mv_wire_AgentError_AGENT_BAD_REQUEST);
  const auto room = std::span(bytes_).subspan(used_, length);
  if (!memory.read(address, room)) return add_error(address, mv_wire_AgentError_AGENT_BAD_ADDRESS);
  if (count_ == kMaxParts) return;
  parts_[count_++] = {.address = address, .offset = used_, .size = length};
  used_ += length;
}

void MemoryParts::add_error(std::uint32_t address, mv_wire_AgentError error) {
  if (count_ < kMaxParts) parts_[count_++] = {.address = address, .error = error};
}

void MemoryParts::encode_as(pb_callback_t& field) const {
  field.funcs.encode = encode_parts;
  field.arg = const_cast<MemoryParts*>(this);
}

bool MemoryParts::encode_parts(pb_ostream_t* stream, const pb_field_t* field, void* const* argument) {
  const auto& self = *static_cast<const MemoryParts*>(*argument);
  for (const Part& part : std::span(self.parts_).first(self.count_)) {
    mv_wire_MemoryBytes message = mv_wire_MemoryBytes_init_zero;
    const std::span<const std::uint8_t> bytes = self.bytes(part);
    message.address = part.address;
    message.error = part.error;
    encode_bytes_as(message.data, &bytes);
    if (!pb_encode_tag_for_field(stream, field)) return false;
    if (!pb_encode_submessage(stream, mv_wire_MemoryBytes_fields, &message)) return false;
  }
  return true;
}

}  // namespace mv::debug
