// The calls for the external flash (docs/system-calls.md).
//
// Reading, writing and erasing are restartable: a piece is no more than 64 bytes or a sector, and between two pieces
// the application's interrupts are taken. Several of its threads may be in such a call at once.
#pragma once

#include <cstdint>

#include "core/app/call_family.h"
#include "core/app/handles.h"
#include "core/app/restartable.h"
#include "core/platform/external_flash.h"
#include "core/platform/guest.h"
#include "core/platform/ports.h"

namespace mv::app {

class ExternalFlashCalls final : public CallFamily {
 public:
  static constexpr std::size_t kHandles = 32;
  static constexpr std::uint32_t kPiece = 64;  // bytes read or written in a row, while interrupts wait: some 15 us
  static constexpr std::uint64_t kUnclaimedUs = 100'000;  // an operation that is over waits so long for its caller

  static_assert(ExternalFlash::kPage % kPiece == 0);

  ExternalFlashCalls(GuestMemory& memory, GuestBoard& board, ExternalFlash& flash, Clock& clock, Lock& lock)
      : memory_(memory), board_(board), flash_(flash), clock_(clock), lock_(lock) {}

  MvStatus open(std::uint32_t handle_out);
  MvStatus close(std::uint32_t handle_in_out);
  MvStatus get_info(std::uint32_t handle, std::uint32_t info_in_out);

  // Arguments: handle, address, length, and for the first two the buffer.
  Progress read(Arguments arguments);
  Progress write(Arguments arguments);
  Progress erase(Arguments arguments);

  void reset() override;

 private:
  enum class Kind : std::uint8_t { kNone, kErase, kProgram };
  struct Operation {
    Kind kind = Kind::kNone;
    std::uint32_t address = 0;
    std::uint32_t size = 0;
    bool operator==(const Operation&) const = default;
  };

  // What an operation of the chip has come to, seen by the call that wants it.
  enum class Step : std::uint8_t { kGoesOn, kDone, kFailed };

  MvStatus check(std::uint32_t handle, std::uint32_t address, std::uint32_t length, bool buffer_good);
  template <typename Begin>
  Step step(const Operation& wanted, Begin begin);

  GuestMemory& memory_;
  GuestBoard& board_;
  ExternalFlash& flash_;
  Clock& clock_;
  Lock& lock_;
  HandleTable<kHandles> handles_{HandleKind::kExternalFlash};
  Operation begun_;                  // whose caller has not seen the end of it
  std::uint64_t busy_until_us_ = 0;  // when the chip was last seen busy
};

}  // namespace mv::app
