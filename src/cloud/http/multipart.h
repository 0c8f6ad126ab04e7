// multipart/form-data (RFC 7578, RFC 2046 section 5.1) in pieces: a file part streams through, no part is kept here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/text.h"

namespace mv::cloud {

class MultipartParser {
 public:
  // `name` of the part's Content-Disposition. Returns a sentence to refuse.
  using OnPart = std::function<Result<void>(const std::string& name)>;
  using OnData = std::function<Result<void>(std::string_view piece)>;

  // The boundary of a Content-Type header; nothing if it is another type or the boundary is not 1 to 70 characters.
  static std::optional<std::string> boundary_of(std::string_view content_type);

  MultipartParser(std::string boundary, OnPart on_part, OnData on_data);

  Result<void> push(std::string_view bytes);

  // True once the closing boundary was seen: without it the body was cut off.
  bool complete() const { return state_ == State::kEpilogue; }

 private:
  enum class State { kPreamble, kAfterBoundary, kHeaders, kData, kEpilogue };

  // Each returns whether it got on; false: more bytes are needed.
  Result<bool> step();
  Result<bool> skip_preamble();
  Result<bool> after_boundary();
  Result<bool> headers();
  Result<bool> data();

  std::string delimiter_;  // CR LF "--" boundary
  OnPart on_part_;
  OnData on_data_;
  std::string buffer_;
  State state_ = State::kPreamble;
};

}  // namespace mv::cloud
