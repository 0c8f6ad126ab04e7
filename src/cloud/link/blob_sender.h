// Answers a device's blob requests, chunk by chunk, as its credit and the connection allow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cloud/services.h"
#include "wire/proto/link.pb.h"

namespace mv::cloud {

class BlobSender {
 public:
  // Data bytes in a chunk: with the message around it, it fits one frame.
  static constexpr std::size_t kChunk = 1900;

  explicit BlobSender(Services& services) : services_(services) {}

  // Begins a request of the device. One still being answered is dropped: the device gave it up. What the app that the
  // device is to run does not contain is answered as missing.
  void begin(const wire::BlobRequest& request, const std::string& app_sid);

  bool active() const { return answer_.has_value(); }

  // The next message to send, at most `room` bytes; nothing if there is no room for one or nothing is left.
  std::optional<std::string> next(std::size_t room);

 private:
  struct Answer {
    std::uint32_t request = 0;
    std::string hash;
    std::uint32_t offset = 0;
    std::uint32_t end = 0;
    std::uint32_t total = 0;
    bool missing = false;
  };

  Services& services_;
  std::optional<Answer> answer_;
};

}  // namespace mv::cloud
