// The lines of a run: what the program says to whoever ordered it. docs/selftest.md has the format.
#pragma once

#include <cstdint>

#include "conformance.h"

namespace conformance {

// Text that is put together; what does not fit is left out.
class Text {
 public:
  Text& operator<<(const char* text) {
    while (*text != 0 && length_ + 1 < sizeof(text_)) text_[length_++] = *text++;
    text_[length_] = 0;
    return *this;
  }
  Text& operator<<(std::uint32_t number) { return hex(number, 8); }
  Text& hex(std::uint32_t number, int digits);  // with "0x" in front
  Text& decimal(std::uint32_t number);
  const char* text() const { return text_; }
  bool empty() const { return length_ == 0; }
  void clear() { text_[length_ = 0] = 0; }

 private:
  char text_[320] = "";
  std::uint32_t length_ = 0;
};

struct Counts {
  std::uint32_t passed, failed, read;
};

void say_ready();
void say_start(std::uint32_t items);
void say_item(std::uint32_t number, const Item& item);
void say_verdict(const char* verdict, std::uint32_t number, const char* found, const char* expected, const char* where);
void say_end(const Counts& counts);

}  // namespace conformance
