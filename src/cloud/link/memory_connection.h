// A Connection in memory, for tests: keeps what is written, and says it is unsent until the test takes it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cloud/connection.h"

namespace mv::cloud {

class MemoryConnection final : public Connection {
 public:
  void write(std::string_view bytes) override {
    if (closed) return;
    output += bytes;
    if (on_write) on_write(bytes);
  }
  std::size_t unsent() const override { return output.size(); }
  void pause_reading(bool pause) override { paused = pause; }
  void close() override { closed = true; }
  const std::string& peer() const override { return peer_; }

  std::string output;
  std::function<void(std::string_view)> on_write;
  bool paused = false;
  bool closed = false;

 private:
  std::string peer_ = "192.0.2.7:50123";
};

}  // namespace mv::cloud
