#include "core/debug/trace_records.h"

#include <algorithm>

#include "core/debug/agent_expression.h"

namespace mv::debug {
namespace {

constexpr std::uint8_t kMemory = 255;     // instead of a register's number
constexpr std::size_t kMemoryHeader = 7;  // with it: kMemory, address, length
constexpr std::size_t kLongestMemory = 0xFFFF;

}  // namespace

void TraceRecords::begin(std::uint32_t address) {
  size_ = kLengthSize;
  put(++hits_, 4);
  put(clock_ != nullptr ? clock_->uptime_us() : 0, 8);
  put(address, 4);
}

void TraceRecords::put_register(const Context& context, std::uint8_t number) {
  const auto value = register_value(context, number);
  const std::size_t size = is_double(number) ? 8 : 4;
  if (!value || !room_for(1 + size)) return;
  put(number, 1);
  put(*value, size);
}

TraceRecords::Put TraceRecords::put_memory(ApplicationMemory& memory, std::uint32_t address, std::size_t size) {
  if (size > kLongestMemory || !room_for(kMemoryHeader + size)) return Put::kNoRoom;
  if (!memory.read(address, std::span(record_).subspan(size_ + kMemoryHeader, size))) return Put::kUnreadable;
  put(kMemory, 1);
  put(address, 4);
  put(size, 2);
  size_ += size;
  return Put::kDone;
}

void TraceRecords::end() {
  const std::size_t length = size_ - kLengthSize;
  record_[0] = static_cast<std::uint8_t>(length);
  record_[1] = static_cast<std::uint8_t>(length >> 8);
  if (size_ > kCapacity - (written_ - taken_)) return;
  for (std::size_t i = 0; i < size_; ++i) ring_[(written_ + i) % kCapacity] = record_[i];
  written_ = written_ + size_;
}

std::size_t TraceRecords::take(std::span<std::uint8_t> out) {
  std::size_t size = 0;
  while (!empty()) {
    std::array<std::uint8_t, kLengthSize> length{};
    copy_out(taken_, length);
    const std::size_t whole = kLengthSize + (length[0] | std::size_t{length[1]} << 8);
    if (whole > out.size() - size) break;
    copy_out(taken_, out.subspan(size, whole));
    size += whole;
    taken_ = taken_ + whole;
  }
  return size;
}

void TraceRecords::start(Clock& clock) {
  clock_ = &clock;
  taken_ = written_.load();
  hits_ = 0;
}

// Little-endian.
void TraceRecords::put(std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) record_[size_++] = static_cast<std::uint8_t>(value >> 8 * i);
}

void TraceRecords::copy_out(std::size_t from, std::span<std::uint8_t> out) const {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = ring_[(from + i) % kCapacity];
}

}  // namespace mv::debug
