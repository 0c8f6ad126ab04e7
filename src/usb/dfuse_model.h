// ST's ROM boot loader as a model: the DFU state machine with ST's extension, over memories that behave as flash does.
//
// Erase goes by sectors; a quad-word (16 bytes) can be written once after an erase, and only as a whole; everything
// else is an error of the protocol. Writing option bytes resets the device. Source: AN3156, AN2606, DFU 1.1 appendix
// A.1.
#pragma once

#include <optional>

#include "usb/device_model.h"
#include "usb/memory_layout.h"

namespace mv::usb {

// What goes wrong, and when. Counts are of DNLOAD requests with data for memory, from 1.
struct DfuseFaults {
  unsigned unplug_at = 0;  // the device is pulled out in the middle of this block; 0: never
  unsigned refuse_at = 0;  // this block ends in dfuERROR with `status`
  std::uint8_t status = 0;
  unsigned flip_at = 0;            // a bit of this block does not take
  unsigned busy_for = 1;           // so many times dfuDNBUSY for each operation
  std::uint32_t poll_timeout = 0;  // ms, 24 bits: what the device says it needs
  bool no_answer = false;          // GETSTATUS times out
};

class DfuseModel final : public DeviceModel {
 public:
  static constexpr std::uint16_t kTransferSize = 2048;

  // An STM32U585: 2 MiB of erased flash, option bytes as from the factory (TZEN = 0), 512 bytes of OTP.
  explicit DfuseModel(const std::string& serial);

  // Names and sizes of the memories as another device has them: `memory` as in memory_layout.h. Forgets their content.
  void set_memories(const std::vector<std::string>& memories);

  std::vector<std::uint8_t>& content(std::size_t alternate) { return memories_.at(alternate).content; }
  DfuseFaults& faults() { return faults_; }
  unsigned erases() const { return erases_; }
  unsigned blocks() const { return blocks_; }
  unsigned resets() const { return resets_; }
  bool comes_back = true;  // after a reset it is a boot loader again (BOOT0 is held)

  void plug() override;
  void select(std::uint8_t interface, std::uint8_t alternate) override;

 private:
  enum class State : std::uint8_t {
    kIdle = 2,
    kDownloadSync = 3,
    kDownloadBusy = 4,
    kDownloadIdle = 5,
    kManifestSync = 6,
    kManifest = 7,
    kUploadIdle = 9,
    kError = 10,
  };

  struct Memory {
    MemoryLayout layout;
    std::vector<std::uint8_t> content;
  };

  using Bytes = std::span<const std::uint8_t>;
  using Answer = Expected<std::vector<std::uint8_t>>;

  Answer class_request(const Setup& setup, Bytes out, std::uint16_t length) override;
  Answer download(std::uint16_t block, Bytes data);
  Answer upload(std::uint16_t block, std::uint16_t length);
  Answer get_status();
  Answer refuse(std::uint8_t status);
  std::uint8_t execute();  // the operation that waits; its status
  std::uint8_t erase(std::uint32_t address);
  std::uint8_t write(std::uint32_t address, Bytes data);
  void reset();

  std::vector<Memory> memories_;
  DfuseFaults faults_;
  State state_ = State::kIdle;
  std::uint8_t status_ = 0;
  std::size_t alternate_ = 0;
  std::uint32_t pointer_ = 0x0800'0000;
  std::uint16_t pending_block_ = 0;
  std::vector<std::uint8_t> pending_;
  unsigned busy_left_ = 0;
  unsigned erases_ = 0, blocks_ = 0, resets_ = 0;
};

}  // namespace mv::usb
