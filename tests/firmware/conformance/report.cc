#include "report.h"

#include "board.h"
#include "output.h"

namespace conformance {
namespace {

constexpr const char* kFormat = "1";

}  // namespace

Text& Text::hex(std::uint32_t number, int digits) {
  *this << "0x";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    const char digit[2] = {"0123456789abcdef"[number >> shift & 15], 0};
    *this << digit;
  }
  return *this;
}

Text& Text::decimal(std::uint32_t number) {
  char digits[11];
  int at = 10;
  digits[at] = 0;
  do digits[--at] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  return *this << &digits[at];
}

void say_ready() {
  Text line;
  line << "ready\t" << kFormat << "\t" MV_VERSION;
  write_line(line.text());
}

void say_start(std::uint32_t items) {
  Text line;
  line << "start\t" << kFormat << "\t" MV_VERSION "\tstm32u585\t" << board_chip_id() << "\t";
  for (std::uint32_t word = 0; word < 3; ++word) line << (word == 0 ? "" : "-") << board_unique_id(word);
  (line << "\t" << (board_is_model() ? "model" : "chip") << "\t").decimal(items);
  write_line(line.text());
}

void say_item(std::uint32_t number, const Item& item) {
  Text line;
  (line << "item\t").decimal(number) << "\t" << item.paragraph << "\t" << item.promise;
  write_line(line.text());
}

void say_verdict(const char* verdict, std::uint32_t number, const char* found, const char* expected,
                 const char* where) {
  Text line;
  (line << verdict << "\t").decimal(number) << "\t" << found << "\t" << expected << "\t" << where;
  write_line(line.text());
}

void say_end(const Counts& counts) {
  Text line;
  (line << "end\t").decimal(counts.passed) << "\t";
  line.decimal(counts.failed) << "\t";
  line.decimal(counts.read);
  write_line(line.text());
}

}  // namespace conformance
