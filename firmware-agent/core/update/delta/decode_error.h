// Why a segment could not be rebuilt. The numbers are reported to the cloud and never change.
#pragma once

#include <cstdint>
#include <string_view>

namespace mv::update::delta {

enum class DecodeError : std::uint8_t {
  kBadHeader = 1,      // unknown version or kind, or a varint beyond 32 bits
  kBadSize = 2,        // the record's output is not as long as the segment, or its payload is longer than any may be
  kOutsideOld = 3,     // it wants bytes that the old image does not have
  kBadPayload = 4,     // not LZMA
  kBadOperation = 5,   // an operation that writes nothing, or beyond the segment
  kTooShort = 6,       // the payload ended before the segment was whole
  kTrailing = 7,       // the segment was whole before the payload ended
  kOldUnreadable = 8,  // the flash refused to read what is installed
  kSinkRefused = 9,    // the flash refused to take what was rebuilt
};

// One sentence for people, without a full stop.
constexpr std::string_view describe(DecodeError error) {
  switch (error) {
    case DecodeError::kBadHeader:
      return "the segment's header is not of this format";
    case DecodeError::kBadSize:
      return "the segment's sizes are not what the manifest says";
    case DecodeError::kOutsideOld:
      return "the segment needs bytes outside the old image";
    case DecodeError::kBadPayload:
      return "the segment's payload is damaged";
    case DecodeError::kBadOperation:
      return "the segment's operations write beyond it";
    case DecodeError::kTooShort:
      return "the segment's payload ends too early";
    case DecodeError::kTrailing:
      return "the segment's payload goes on after its end";
    case DecodeError::kOldUnreadable:
      return "the old image cannot be read";
    case DecodeError::kSinkRefused:
      return "the rebuilt segment cannot be written";
  }
  return "unknown error";
}

}  // namespace mv::update::delta
