#include "cloud/http/multipart.h"

#include <algorithm>

namespace mv::cloud {
namespace {

constexpr std::size_t kHeadersLimit = 4096;

bool iequal(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return fold(x) == fold(y);
  });
}

// Takes what stands before the first of `ends`, and that one, off the text.
std::string_view take_until(std::string_view& text, std::string_view ends) {
  const std::string_view taken = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(std::min(text.size(), taken.size() + 1));
  return taken;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The value of `; key=value` or `; key="value"` in a header's value. What stands in quotes is no parameter.
std::optional<std::string> parameter(std::string_view value, std::string_view key) {
  take_until(value, ";");
  while (!value.empty()) {
    const std::size_t end_of_name = value.find_first_of("=;");
    const bool has_value = end_of_name != std::string_view::npos && value[end_of_name] == '=';
    const std::string_view name = trim(take_until(value, "=;"));
    if (!has_value) continue;
    std::string_view found;
    if (!value.empty() && value.front() == '"') {
      value.remove_prefix(1);
      if (value.find('"') == std::string_view::npos) return std::nullopt;
      found = take_until(value, "\"");
      take_until(value, ";");
    } else {
      found = trim(take_until(value, ";"));
    }
    if (iequal(name, key)) return std::string(found);
  }
  return std::nullopt;
}

std::optional<std::string> part_name(std::string_view headers) {
  constexpr std::string_view kHeader = "content-disposition:";
  while (!headers.empty()) {
    const std::string_view line = headers.substr(0, headers.find("\r\n"));
    headers.remove_prefix(std::min(headers.size(), line.size() + 2));
    if (line.size() > kHeader.size() && iequal(line.substr(0, kHeader.size()), kHeader)) {
      return parameter(line.substr(kHeader.size()), "name");
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> MultipartParser::boundary_of(std::string_view content_type) {
  constexpr std::string_view kType = "multipart/form-data";
  if (content_type.size() < kType.size() || !iequal(content_type.substr(0, kType.size()), kType)) return std::nullopt;
  auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70) return std::nullopt;
  return boundary;
}

// The first boundary may be the body's first bytes, so the body is read as if a line break stood before it.
MultipartParser::MultipartParser(std::string boundary, OnPart on_part, OnData on_data)
    : delimiter_("\r\n--" + std::move(boundary)),
      on_part_(std::move(on_part)),
      on_data_(std::move(on_data)),
      buffer_("\r\n") {}

Result<void> MultipartParser::push(std::string_view bytes) {
  if (state_ == State::kEpilogue) return {};
  buffer_ += bytes;
  for (;;) {
    const auto went_on = step();
    if (!went_on) return fail(went_on.error());
    if (!*went_on) return {};
  }
}

Result<bool> MultipartParser::step() {
  switch (state_) {
    case State::kPreamble:
      return skip_preamble();
    case State::kAfterBoundary:
      return after_boundary();
    case State::kHeaders:
      return headers();
    case State::kData:
      return data();
    case State::kEpilogue:
      break;
  }
  return false;
}

Result<bool> MultipartParser::skip_preamble() {
  const std::size_t at = buffer_.find(delimiter_);
  if (at == std::string::npos) {
    if (buffer_.size() > kHeadersLimit) return fail("the body's boundary does not come: is it multipart/form-data?");
    return false;
  }
  buffer_.erase(0, at + delimiter_.size());
  state_ = State::kAfterBoundary;
  return true;
}

Result<bool> MultipartParser::after_boundary() {
  if (buffer_.size() < 2) return false;
  if (buffer_.starts_with("--")) {
    state_ = State::kEpilogue;
    buffer_.clear();
    return false;
  }
  if (!buffer_.starts_with("\r\n")) return fail("a boundary in the body is not followed by a line break");
  buffer_.erase(0, 2);
  state_ = State::kHeaders;
  return true;
}

Result<bool> MultipartParser::headers() {
  const std::size_t end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (buffer_.size() > kHeadersLimit) return fail("the headers of a part of the body are larger than 4 KiB");
    return false;
  }
  if (end > kHeadersLimit) return fail("the headers of a part of the body are larger than 4 KiB");
  const auto name = part_name(std::string_view(buffer_).substr(0, end));
  if (!name || !is_utf8(*name)) return fail("a part of the body has no name in its Content-Disposition");
  buffer_.erase(0, end + 4);
  if (auto taken = on_part_(*name); !taken) return fail(taken.error());
  state_ = State::kData;
  return true;
}

Result<bool> MultipartParser::data() {
  const std::size_t at = buffer_.find(delimiter_);
  // What may be the beginning of the delimiter stays until more is there.
  const std::size_t ready =
      at != std::string::npos ? at : buffer_.size() - std::min(buffer_.size(), delimiter_.size() - 1);
  if (ready > 0) {
    if (auto taken = on_data_(std::string_view(buffer_).substr(0, ready)); !taken) return fail(taken.error());
  }
  if (at == std::string::npos) {
    buffer_.erase(0, ready);
    return false;
  }
  buffer_.erase(0, at + delimiter_.size());
  state_ = State::kAfterBoundary;
  return true;
}

}  // namespace mv::cloud
