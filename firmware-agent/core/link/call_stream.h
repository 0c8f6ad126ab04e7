// The connection of somebody who called on the modem's line, as the debug agent's stream. Its buffers are the modem's.
#pragma once

#include "core/link/modem.h"
#include "core/link/peers.h"

namespace mv::link {

class CallStream final : public DebugStream {
 public:
  // `modem` outlives it.
  explicit CallStream(Modem& modem) : modem_(modem) {}

  // The agent's end.
  std::size_t read(std::span<std::uint8_t> out) override { return open_ ? modem_.read(out) : 0; }
  std::size_t write(std::span<const std::uint8_t> bytes) override { return open_ ? modem_.write(bytes) : 0; }
  bool ended() const override { return !open_ || modem_.ended(); }
  void close() override { open_ = false; }

  // The link's end.
  void begin() { open_ = true; }
  bool open() const { return open_; }

 private:
  Modem& modem_;
  bool open_ = false;
};

}  // namespace mv::link
