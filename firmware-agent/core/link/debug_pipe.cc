#include "core/link/debug_pipe.h"

namespace mv::link {

std::size_t DebugPipe::read(std::span<std::uint8_t> out) {
  if (!open_) return 0;
  const std::size_t taken = incoming_.pop(out);
  consumed_ += static_cast<std::uint32_t>(taken);
  return taken;
}

std::size_t DebugPipe::write(std::span<const std::uint8_t> bytes) { return open_ ? outgoing_.push(bytes) : 0; }

void DebugPipe::close() {
  closing_ = open_;
  open_ = false;
}

void DebugPipe::begin() {
  end();
  open_ = true;
}

void DebugPipe::end() {
  incoming_.clear();
  outgoing_.clear();
  consumed_ = 0;
  open_ = closing_ = false;
}

std::uint32_t DebugPipe::take_consumed() {
  const std::uint32_t bytes = consumed_;
  consumed_ = 0;
  return bytes;
}

}  // namespace mv::link
