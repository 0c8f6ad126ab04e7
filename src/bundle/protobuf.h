// Protobuf messages as bytes: the same message always gives the same ones. Only for files that include *.pb.h.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message_lite.h>
#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bundle/hash.h"

namespace mv::bundle {

inline std::vector<std::uint8_t> to_bytes(const std::string& text) { return {text.begin(), text.end()}; }
inline std::string to_text(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// Protobuf reports broken UTF-8 on stderr by itself; the caller's sentence is enough.
template <typename Message>
bool parse_message(Message& message, Bytes bytes) {
  const google::protobuf::LogSilencer silence;
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// Fields in the order of their numbers; our schemas have no maps.
inline std::vector<std::uint8_t> serialise(const google::protobuf::MessageLite& message) {
  const google::protobuf::LogSilencer silence;
  std::string text;
  {
    google::protobuf::io::StringOutputStream stream(&text);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return to_bytes(text);
}

}  // namespace mv::bundle
