// Answers a device's blob requests, chunk by chunk, as its credit and the connection allow: bytes of a blob, or records
// of a layer's segments.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "cloud/delta/deltas.h"
#include "cloud/services.h"
#include "wire/proto/link.pb.h"

namespace mv::cloud {

class BlobSender {
 public:
  // Data bytes in a chunk: with the message around it, it fits one frame.
  static constexpr std::size_t kChunk = 1900;

  // `wake` is called when there is something to send that was waited for: `next` has it then.
  BlobSender(Services& services, std::function<void()> wake) : services_(services), wake_(std::move(wake)) {}

  // Begins a request of the device. One still being answered, or waiting for its records, is dropped: the device gave
  // it up. What the app that the device is to run does not contain, and is not the microvisor that it is to run, is
  // answered as missing, and so are segments that no records can be made of.
  void begin(const wire::BlobRequest& request, const Device& device, const std::optional<Blob>& microvisor);

  // There is something to send: `next` has it as soon as there is room.
  bool active() const { return !std::holds_alternative<std::monostate>(answer_); }

  // The next message to send, at most `room` bytes; nothing if there is no room for one or nothing is left.
  std::optional<std::string> next(std::size_t room);

 private:
  struct MissingAnswer {
    std::uint32_t request = 0;
  };
  struct BytesAnswer {
    std::uint32_t request = 0;
    std::string hash;
    std::uint32_t offset = 0;
    std::uint32_t end = 0;
    std::uint32_t total = 0;
  };
  struct SegmentsAnswer {
    std::uint32_t request = 0;
    Deltas::Records records;
    std::uint32_t layer = 0;
    std::uint32_t wanted = 0;  // bit n: segment n
    std::uint32_t offset = 0;  // in the record of the lowest
  };
  using Answer = std::variant<std::monostate, MissingAnswer, BytesAnswer, SegmentsAnswer>;

  Answer answer_for_bytes(const wire::BlobRequest& request, const Device& device,
                          const std::optional<Blob>& microvisor) const;
  void begin_segments(std::uint32_t request, const wire::SegmentRequest& segments, const Device& device);

  // Each fills in the next chunk, with at most `room` bytes of data, and goes on to what follows it. False: wait for
  // more room.
  bool fill(std::monostate&, std::size_t, wire::BlobChunk&) { return false; }
  bool fill(MissingAnswer& answer, std::size_t room, wire::BlobChunk& chunk);
  bool fill(BytesAnswer& answer, std::size_t room, wire::BlobChunk& chunk);
  bool fill(SegmentsAnswer& answer, std::size_t room, wire::BlobChunk& chunk);

  Services& services_;
  std::function<void()> wake_;
  Answer answer_;
  Deltas::Waiting waiting_;
};

}  // namespace mv::cloud
