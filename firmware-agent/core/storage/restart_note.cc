#include "core/storage/restart_note.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/storage/crc32.h"

namespace mv::storage {
namespace {

static_assert(std::is_trivially_default_constructible_v<RestartNote>, "a constructor would wipe the note");
static_assert(std::has_unique_object_representations_v<Restart>, "padding would make the CRC a matter of luck");

constexpr std::uint32_t kMagic = 0x52'45'53'54;  // "REST"

// Text and numbers in a buffer; what does not fit is left out.
class Writer {
 public:
  explicit Writer(std::span<char> out) : out_(out) {}

  Writer& add(std::string_view text) {
    const std::size_t size = std::min(text.size(), out_.size() - length_);
    std::copy_n(text.begin(), size, out_.begin() + static_cast<std::ptrdiff_t>(length_));
    length_ += size;
    return *this;
  }

  Writer& add_hex(std::uint32_t value) {
    std::array<char, 10> digits = {'0', 'x'};
    for (std::size_t i = 0; i < 8; ++i) digits[2 + i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    return add({digits.data(), digits.size()});
  }

  std::string_view text() const { return {out_.data(), length_}; }

 private:
  std::span<char> out_;
  std::size_t length_ = 0;
};

}  // namespace

void Restart::set_why(std::string_view text) {
  why = {};
  std::copy_n(text.begin(), std::min(text.size(), why.size() - 1), why.begin());
}

void RestartNote::write(const Restart& restart) {
  std::memcpy(restart_.data(), &restart, sizeof(restart));
  check_ = crc32(restart_);
  magic_ = kMagic;
}

Restart RestartNote::take() {
  const bool written = magic_ == kMagic && check_ == crc32(restart_);
  magic_ = 0;
  Restart restart;
  if (!written) return restart;
  std::memcpy(static_cast<void*>(&restart), restart_.data(), sizeof(restart));
  restart.why.back() = '\0';
  return restart;
}

std::string_view describe(const Restart& restart, std::span<char> out) {
  Writer text(out);
  switch (restart.cause) {
    case Restart::Cause::kFault:
      text.add("microvisor restarted after a Secure fault at pc ").add_hex(restart.pc);
      text.add(", lr ").add_hex(restart.lr).add(", cfsr ").add_hex(restart.cfsr).add(", bfar ").add_hex(restart.bfar);
      text.add(", sfsr ").add_hex(restart.sfsr).add(", sfar ").add_hex(restart.sfar);
      break;
    case Restart::Cause::kError:
      text.add("microvisor restarted at pc ").add_hex(restart.pc).add(": ").add(restart.why.data());
      break;
    case Restart::Cause::kUpdate:
      text.add("microvisor restarted for its update: ").add(restart.why.data());
      break;
    case Restart::Cause::kHung:
      text.add("microvisor restarted by its watchdog");
      if (restart.pc != 0) text.add(", at pc ").add_hex(restart.pc).add(", lr ").add_hex(restart.lr);
      break;
    case Restart::Cause::kNone:
      break;
  }
  return text.text();
}

}  // namespace mv::storage
