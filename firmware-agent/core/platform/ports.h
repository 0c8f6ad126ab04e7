// What the portable core asks of a board: bytes to the modem, flash, time, entropy, the application's run control.
//
// Boards implement these; core sees nothing else of them. Nothing here blocks longer than it says. No heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mv {

// The byte wire to the modem (a UART). Both calls return at once.
class LinkPort {
 public:
  virtual std::size_t read(std::span<std::uint8_t> out) = 0;           // bytes taken, 0: none there
  virtual std::size_t write(std::span<const std::uint8_t> bytes) = 0;  // bytes accepted, maybe fewer

 protected:
  ~LinkPort() = default;
};

// Flash with the rules of the STM32U5 (RM0456 section 7): erased in pages to 0xFF, programmed in quad-words of 16
// bytes, each once per erase (programming even all ones uses it up). `offset` counts from the start of the device.
class Flash {
 public:
  static constexpr std::size_t kQuadWord = 16;  // bytes
  static constexpr std::size_t kPage = 8192;    // bytes

  enum class Result : std::uint8_t {
    kOk,
    kOutOfRange,  // not inside the flash, or not aligned
    kNotErased,   // a quad-word was programmed twice
    kEccError,    // a torn quad-word was read
    kFailed,      // the hardware says so
  };

  virtual std::uint32_t size() const = 0;  // bytes
  virtual Result read(std::uint32_t offset, std::span<std::uint8_t> out) = 0;
  virtual Result erase_page(std::uint32_t offset) = 0;  // `offset`: a multiple of kPage
  // Programs whole quad-words; `offset` and size are multiples of kQuadWord.
  virtual Result program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) = 0;

 protected:
  ~Flash() = default;
};

class Clock {
 public:
  virtual std::uint64_t uptime_us() = 0;  // microseconds since the microvisor booted; never goes back

 protected:
  ~Clock() = default;
};

class Entropy {
 public:
  // Fills `out` with bytes fit for keys. False if it cannot: the caller gives up rather than use weak bytes.
  virtual bool fill(std::span<std::uint8_t> out) = 0;

 protected:
  ~Entropy() = default;
};

// Blocks the Secure thread. The Non-secure side, interrupts and the debug agent go on.
class Waiter {
 public:
  // Returns when a byte came from the modem, a debug event or a system call woke the thread, or `deadline_us` (uptime)
  // has passed.
  virtual void wait_until(std::uint64_t deadline_us) = 0;

 protected:
  ~Waiter() = default;
};

}  // namespace mv
