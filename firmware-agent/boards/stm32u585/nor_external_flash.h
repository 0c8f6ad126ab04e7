// The application's part of the external NOR: everything behind what the microvisor keeps there (board_flash.cc).
//
// The Secure thread and a system call may want the chip at once. A call of the application is never left for the thread
// while it holds the lock of the system calls; the other way round `Nor::in_use` tells it to come again.
#pragma once

#include "boards/stm32u585/nor.h"
#include "core/platform/external_flash.h"

namespace mv::board {

class NorExternalFlash final : public ExternalFlash {
 public:
  static constexpr std::uint32_t kStart = 0x800000;  // in the NOR

  explicit NorExternalFlash(Nor& nor) : nor_(nor) {}

  std::uint32_t chip_id() const override { return nor_.id(); }
  std::uint32_t size() const override { return nor_.size() > kStart ? nor_.size() - kStart : 0; }
  bool busy() override { return nor_.in_use() || (nor_.size() != 0 && nor_.busy()); }
  bool failed() override { return false; }  // a NOR does not say so (JESD216 knows no such bit)
  bool read(std::uint32_t offset, std::span<std::uint8_t> out) override { return nor_.read(kStart + offset, out); }
  bool begin_erase(std::uint32_t sector) override { return nor_.start_erase(kStart + sector); }
  bool begin_program(std::uint32_t offset, std::span<const std::uint8_t> bytes) override {
    return nor_.start_program(kStart + offset, bytes);
  }

 private:
  Nor& nor_;
};

}  // namespace mv::board
