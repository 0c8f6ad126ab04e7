#include "usb/dfuse.h"

#include <algorithm>
#include <array>

namespace mv::usb {
namespace {

constexpr std::uint8_t kToDevice = 0x21, kFromDevice = 0xA1;  // class requests to an interface
constexpr std::uint8_t kDownload = 1, kUpload = 2, kGetStatus = 3, kClearStatus = 4, kAbort = 6;
constexpr std::uint8_t kSetAddress = 0x21, kErase = 0x41;  // AN3156, chapter 5
constexpr std::uint16_t kFirstBlock = 2;                   // 0 is for commands, 1 is not used
constexpr std::size_t kMostBlocks = 0xFFFF - kFirstBlock;

enum State : std::uint8_t {
  kIdle = 2,
  kDownloadSync = 3,
  kDownloadBusy = 4,
  kDownloadIdle = 5,
  kManifestSync = 6,
  kManifest = 7,
  kManifestWaitReset = 8,
  kUploadIdle = 9,
  kError = 10,
};

constexpr milliseconds kTransferTime{5'000};
// A page is erased in milliseconds, a whole bank in a second (DS13086); what a device asks for is not believed beyond.
constexpr milliseconds kLongestPoll{5'000};
constexpr milliseconds kShortestPoll{1};
constexpr milliseconds kLongestOperation{30'000};

constexpr std::array<std::string_view, 16> kStatusTexts = {
    "OK",
    "errTARGET: the address is not within this memory",
    "errFILE: the device takes no such file",
    "errWRITE: the device cannot write its memory",
    "errERASE: the device cannot erase its memory",
    "errCHECK_ERASED: the memory is not erased",
    "errPROG: programming the memory failed",
    "errVERIFY: what was programmed does not read back",
    "errADDRESS: the address is out of range",
    "errNOTDONE: the device expected more data",
    "errFIRMWARE: the device's firmware is damaged",
    "errVENDOR: the memory is protected against reading or writing (RDP, WRP)",
    "errUSBR: the device saw a reset of the bus",
    "errPOR: the device saw a reset of its power",
    "errUNKNOWN: the device does not know what went wrong",
    "errSTALLEDPKT: the device did not expect this request",
};

}  // namespace

std::string describe_dfu_status(std::uint8_t status) {
  return status < kStatusTexts.size() ? std::string(kStatusTexts[status]) : "status " + std::to_string(status);
}

Expected<DfuSe> DfuSe::open(Device& device, const Board& board, const DfuMemory& memory, Wait wait) {
  // One descriptor stands for all alternate settings; ST's boot loaders send it behind the last of them.
  std::optional<DfuFunction> function;
  for (const Interface& interface : board.usb.interfaces) {
    if (interface.number == memory.interface && !function) function = find_dfu_function(interface.extra);
  }
  if (!function) return failed(Problem::kBadReply, "the device has no DFU descriptor");
  if (!function->is_dfuse())
    return failed(Problem::kBadReply, "the device does not speak ST's extension of DFU (1.1a)");
  if (!function->can_download() || !function->can_upload()) {
    return failed(Problem::kBadReply, "the device says that it cannot be both written and read");
  }
  if (auto done = device.claim(memory.interface); !done) return tl::make_unexpected(done.error());
  if (auto done = device.select(memory.interface, memory.alternate); !done) return tl::make_unexpected(done.error());
  DfuSe dfu(device, memory.interface, function->transfer_size, std::move(wait));
  if (auto done = dfu.go_idle(); !done) return tl::make_unexpected(done.error());
  return dfu;
}

Expected<DfuSe::Status> DfuSe::status() {
  std::array<std::uint8_t, 6> bytes{};
  const auto length = device_->control_in({kFromDevice, kGetStatus, 0, interface_}, bytes, kTransferTime);
  if (!length) return tl::make_unexpected(length.error());
  if (*length != bytes.size()) return failed(Problem::kBadReply, "the device's status is cut off");
  const milliseconds poll{bytes[1] | bytes[2] << 8 | bytes[3] << 16};
  return Status{bytes[0], std::min(poll, kLongestPoll), bytes[4]};
}

Expected<void> DfuSe::request(std::uint8_t code) {
  return device_->control_out({kToDevice, code, 0, interface_}, {}, kTransferTime);
}

// From whatever state another program, or a failure, left it in.
Expected<void> DfuSe::go_idle() {
  milliseconds waited{0};
  for (int tries = 0; tries < 8 && waited < kLongestOperation;) {
    const auto now = status();
    if (!now) return tl::make_unexpected(now.error());
    if (now->state == kIdle) return {};
    if (now->state == kDownloadBusy) {
      const milliseconds pause = std::max(now->poll, kShortestPoll);
      wait_(pause);
      waited += pause;
      continue;
    }
    ++tries;
    const bool restful = now->state == kDownloadIdle || now->state == kUploadIdle || now->state == kDownloadSync;
    if (now->state != kError && !restful) {
      return failed(Problem::kBadReply,
                    "the device is in state " + std::to_string(now->state) + ", not in its boot loader");
    }
    if (auto done = request(now->state == kError ? kClearStatus : kAbort); !done) return done;
  }
  return failed(Problem::kTimeout, "the device does not become idle");
}

Expected<void> DfuSe::download(std::uint16_t block, std::span<const std::uint8_t> data) {
  if (auto sent = device_->control_out({kToDevice, kDownload, block, interface_}, data, kTransferTime); !sent)
    return sent;
  return finish_download();
}

// The operation runs once its status is asked for.
Expected<void> DfuSe::finish_download() {
  for (milliseconds waited{0}; waited < kLongestOperation;) {
    const auto now = status();
    if (!now) return tl::make_unexpected(now.error());
    if (now->status != 0 || now->state == kError) {
      (void)request(kClearStatus);  // so that the next program finds it idle; what went wrong is known already
      return failed(Problem::kRefused, describe_dfu_status(now->status));
    }
    if (now->state == kDownloadIdle) return {};
    if (now->state != kDownloadBusy && now->state != kDownloadSync) {
      return failed(Problem::kBadReply,
                    "the device went to state " + std::to_string(now->state) + " while it was written");
    }
    const milliseconds pause = std::max(now->poll, kShortestPoll);
    wait_(pause);
    waited += pause;
  }
  return failed(Problem::kTimeout, "the device has been busy for 30 s");
}

Expected<void> DfuSe::command(std::uint8_t code, std::uint32_t address) {
  std::array<std::uint8_t, 5> bytes = {code};
  for (std::size_t i = 0; i < 4; ++i) bytes[i + 1] = static_cast<std::uint8_t>(address >> 8 * i);
  return download(0, bytes);
}

Expected<void> DfuSe::set_address(std::uint32_t address) { return command(kSetAddress, address); }

Expected<void> DfuSe::erase(std::uint32_t address) { return command(kErase, address); }

Expected<void> DfuSe::write(std::uint32_t address, std::span<const std::uint8_t> data, const OnBytes& progress) {
  std::uint64_t done = 0;
  while (!data.empty()) {
    // Block numbers have 16 bits: more than that begins again at a new address.
    if (auto set = set_address(address + static_cast<std::uint32_t>(done)); !set) return set;
    for (std::uint16_t block = 0; block < kMostBlocks && !data.empty(); ++block) {
      const auto piece = data.first(std::min<std::size_t>(data.size(), transfer_size_));
      if (auto sent = download(static_cast<std::uint16_t>(block + kFirstBlock), piece); !sent) return sent;
      data = data.subspan(piece.size());
      done += piece.size();
      if (!progress(done)) return failed(Problem::kInterrupted, "interrupted");
    }
  }
  return {};
}

Expected<void> DfuSe::read(std::uint32_t address, std::span<std::uint8_t> into, const OnBytes& progress) {
  std::uint64_t done = 0;
  while (!into.empty()) {
    if (auto set = set_address(address + static_cast<std::uint32_t>(done)); !set) return set;
    if (auto idle = go_idle(); !idle) return idle;  // an upload begins from dfuIDLE only
    for (std::uint16_t block = 0; block < kMostBlocks && !into.empty(); ++block) {
      const auto piece = into.first(std::min<std::size_t>(into.size(), transfer_size_));
      const Setup setup{kFromDevice, kUpload, static_cast<std::uint16_t>(block + kFirstBlock), interface_};
      const auto length = device_->control_in(setup, piece, kTransferTime);
      if (!length && length.error().problem == Problem::kStall) {
        const auto why = status();
        (void)request(kClearStatus);
        return failed(Problem::kRefused, why ? describe_dfu_status(why->status) : length.error().text);
      }
      if (!length) return tl::make_unexpected(length.error());
      if (*length != piece.size()) return failed(Problem::kBadReply, "the device sends less than it was asked for");
      into = into.subspan(piece.size());
      done += piece.size();
      if (!progress(done)) return failed(Problem::kInterrupted, "interrupted");
    }
    if (auto idle = go_idle(); !idle) return idle;
  }
  return {};
}

}  // namespace mv::usb
