#include "usb/dfuse_model.h"

#include <algorithm>

namespace mv::usb {
namespace {

constexpr std::uint8_t kDownload = 1, kUpload = 2, kGetStatus = 3, kClearStatus = 4, kGetState = 5, kAbort = 6;
constexpr std::uint8_t kSetAddress = 0x21, kErase = 0x41, kReadUnprotect = 0x92;
constexpr std::uint8_t kOk = 0, kErrTarget = 1, kErrErase = 4, kErrProgram = 6, kErrStalled = 0x0F;
constexpr std::size_t kQuadWord = 16;
constexpr std::size_t kOptionBytes = 1;  // the alternate setting

Description boot_loader(const std::string& serial) {
  Description description;
  description.vendor = 0x0483;
  description.product = 0xDF11;
  description.release = 0x0200;
  description.manufacturer = "STMicroelectronics";
  description.product_name = "STM32  BOOTLOADER";
  description.serial = serial;
  description.path = "1-1";
  description.node = "/dev/bus/usb/001/002";
  return description;
}

// Factory settings (RM0456, 7.9.13 and on): RDP level 0, TZEN clear, both banks Secure once TZEN is set.
std::vector<std::uint8_t> factory_options() {
  const std::uint32_t words[16] = {0x1FEF'F8AA, 0x0800'007F, 0x0BF9'007F, 0x0C00'007C, 0xFFFF'FF80, 0x0000'0000,
                                   0xFF80'FFFF, 0xFF80'FFFF, 0xFFFF'FF80, 0x0000'0000, 0xFF80'FFFF, 0xFF80'FFFF};
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t word : words) {
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(word >> 8 * i));
  }
  return bytes;
}

std::uint32_t word(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16) | static_cast<std::uint32_t>(bytes[3])
                                                                                     << 24;
}

}  // namespace

DfuseModel::DfuseModel(const std::string& serial) : DeviceModel(boot_loader(serial)) {
  set_memories({"@Internal Flash   /0x08000000/256*08Kg", "@Option Bytes   /0x40022040/01*64 e",
                "@OTP Memory   /0x0BFA0000/01*512 e"});
  content(kOptionBytes) = factory_options();
}

void DfuseModel::set_memories(const std::vector<std::string>& memories) {
  memories_.clear();
  description().interfaces.clear();
  for (const std::string& name : memories) {
    auto layout = MemoryLayout::parse(name);
    Memory memory;
    if (layout) memory = {*layout, std::vector<std::uint8_t>(layout->size(), 0xFF)};
    Interface interface {
      0, static_cast<std::uint8_t>(memories_.size()), 0xFE, 1, 2, name, {}, {}
    };
    // Will detach: no; tolerant of manifestation: yes; upload and download; 255 ms; version 1.1a.
    interface.extra = {9, 0x21, 0x0B, 0xFF, 0x00, kTransferSize & 0xFF, kTransferSize >> 8, 0x1A, 0x01};
    if (&name != &memories.back()) interface.extra.clear();  // once, behind the last one, as ST's boot loaders have it
    description().interfaces.push_back(std::move(interface));
    memories_.push_back(std::move(memory));
  }
}

void DfuseModel::plug() {
  DeviceModel::plug();
  state_ = State::kIdle;
  status_ = kOk;
  pending_.clear();
  alternate_ = 0;
}

void DfuseModel::select(std::uint8_t, std::uint8_t alternate) {
  if (alternate < memories_.size()) alternate_ = alternate;
}

DfuseModel::Answer DfuseModel::class_request(const Setup& setup, Bytes out, std::uint16_t length) {
  switch (setup.request) {
    case kDownload:
      return download(setup.value, out);
    case kUpload:
      return upload(setup.value, length);
    case kGetStatus:
      return get_status();
    case kClearStatus:
    case kAbort:
      if ((setup.request == kClearStatus) != (state_ == State::kError)) return refuse(kErrStalled);
      state_ = State::kIdle;
      status_ = kOk;
      return std::vector<std::uint8_t>();
    case kGetState:
      return std::vector<std::uint8_t>{static_cast<std::uint8_t>(state_)};
    default:
      return refuse(kErrStalled);
  }
}

DfuseModel::Answer DfuseModel::refuse(std::uint8_t status) {
  state_ = State::kError;
  status_ = status;
  return failed(Problem::kStall, "the device refuses the request");
}

DfuseModel::Answer DfuseModel::download(std::uint16_t block, Bytes data) {
  if (state_ != State::kIdle && state_ != State::kDownloadIdle) return refuse(kErrStalled);
  if (data.size() > kTransferSize) return refuse(kErrStalled);
  if (data.empty()) {
    state_ = State::kManifestSync;
    return std::vector<std::uint8_t>();
  }
  if (block >= 2 && ++blocks_ == faults_.unplug_at) {
    unplug();
    return failed(Problem::kGone, "the device is gone");
  }
  pending_block_ = block;
  pending_.assign(data.begin(), data.end());
  busy_left_ = std::max(faults_.busy_for, 1U);
  state_ = State::kDownloadSync;
  return std::vector<std::uint8_t>();
}

DfuseModel::Answer DfuseModel::get_status() {
  if (faults_.no_answer) return failed(Problem::kTimeout, "the device does not answer");
  // The operation runs upon the first GETSTATUS; its outcome is told once it is over (AN3156, chapter 5).
  std::uint32_t poll = 0;
  if (state_ == State::kDownloadSync || state_ == State::kDownloadBusy) {
    if (state_ == State::kDownloadSync) status_ = execute();
    poll = faults_.poll_timeout;
    if (busy_left_ > 0) {
      --busy_left_;
      state_ = State::kDownloadBusy;
    } else {
      state_ = status_ == kOk ? State::kDownloadIdle : State::kError;
    }
  } else if (state_ == State::kManifestSync) {
    state_ = State::kManifest;
  }
  const bool over = state_ != State::kDownloadBusy;
  std::vector<std::uint8_t> answer = {over ? status_ : kOk,
                                      static_cast<std::uint8_t>(poll),
                                      static_cast<std::uint8_t>(poll >> 8),
                                      static_cast<std::uint8_t>(poll >> 16),
                                      static_cast<std::uint8_t>(state_),
                                      0};
  if (state_ == State::kManifest) reset();
  return answer;
}

std::uint8_t DfuseModel::execute() {
  if (pending_block_ >= 2) {
    if (blocks_ == faults_.refuse_at) return faults_.status;
    const auto address = pointer_ + static_cast<std::uint32_t>(pending_block_ - 2) * kTransferSize;
    return write(address, pending_);
  }
  if (pending_block_ != 0) return kErrTarget;
  if (pending_.size() == 5 && pending_[0] == kSetAddress) {
    pointer_ = word(Bytes(pending_).subspan(1));
    const bool known = std::ranges::any_of(memories_, [&](const Memory& m) { return m.layout.find(pointer_, 1); });
    return known ? kOk : kErrTarget;
  }
  if (pending_.size() == 5 && pending_[0] == kErase) return erase(word(Bytes(pending_).subspan(1)));
  return kErrTarget;
}

std::uint8_t DfuseModel::erase(std::uint32_t address) {
  Memory& memory = memories_[alternate_];
  const SectorRun* run = memory.layout.find(address, 1);
  if (run == nullptr || !run->erasable) return kErrErase;
  const std::uint32_t at = (address - run->address) / run->sector_size * run->sector_size;
  std::fill_n(memory.content.begin() + at, run->sector_size, std::uint8_t{0xFF});
  ++erases_;
  return kOk;
}

std::uint8_t DfuseModel::write(std::uint32_t address, Bytes data) {
  Memory& memory = memories_[alternate_];
  const SectorRun* run = memory.layout.find(address, data.size());
  if (run == nullptr || !run->writable) return kErrTarget;
  const auto begin = memory.content.begin() + (address - run->address);
  if (alternate_ == kOptionBytes) {
    std::ranges::copy(data, begin);
    reset();
    return kOk;
  }
  if (address % kQuadWord != 0 || data.size() % kQuadWord != 0) return kErrProgram;
  const auto end = begin + static_cast<std::ptrdiff_t>(data.size());
  if (std::any_of(begin, end, [](std::uint8_t byte) { return byte != 0xFF; })) return kErrProgram;
  std::ranges::copy(data, begin);
  if (blocks_ == faults_.flip_at) *begin ^= 1;
  return kOk;
}

DfuseModel::Answer DfuseModel::upload(std::uint16_t block, std::uint16_t length) {
  if (state_ != State::kIdle && state_ != State::kUploadIdle) return refuse(kErrStalled);
  if (block == 0) return std::vector<std::uint8_t>{0x00, kSetAddress, kErase, kReadUnprotect};
  const Memory& memory = memories_[alternate_];
  const auto address = pointer_ + static_cast<std::uint32_t>(block - 2) * kTransferSize;
  const SectorRun* run = block < 2 ? nullptr : memory.layout.find(address, 1);
  if (run == nullptr || !run->readable) return refuse(kErrTarget);
  const std::uint32_t at = address - run->address;
  const std::size_t size = std::min<std::size_t>(length, memory.content.size() - at);
  state_ = size < length ? State::kIdle : State::kUploadIdle;
  return std::vector<std::uint8_t>(memory.content.begin() + at,
                                   memory.content.begin() + at + static_cast<std::ptrdiff_t>(size));
}

void DfuseModel::reset() {
  ++resets_;
  unplug();
}

}  // namespace mv::usb
