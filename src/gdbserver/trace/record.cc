#include "gdbserver/trace/record.h"

#include <algorithm>
#include <utility>

#include "gdbserver/arm/registers.h"

namespace mv::gdb {
namespace {

constexpr std::uint8_t kMemory = 255;

// Takes from the front of `bytes`; what is not there is not taken, and `good` is false from then on.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::span<const std::uint8_t> take(std::size_t size) {
    good_ = good_ && size <= bytes_.size();
    if (!good_) return {};
    const auto taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }

  // Little-endian.
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    int shift = 0;
    for (const std::uint8_t byte : take(size)) value |= std::uint64_t{byte} << std::exchange(shift, shift + 8);
    return value;
  }

  bool empty() const { return bytes_.empty(); }
  bool good() const { return good_; }

 private:
  std::span<const std::uint8_t> bytes_;
  bool good_ = true;
};

bool parse_part(Reader& in, TraceHit& hit) {
  const auto kind = static_cast<std::uint8_t>(in.number(1));
  if (kind == kMemory) {
    const auto address = static_cast<std::uint32_t>(in.number(4));
    const auto bytes = in.take(static_cast<std::size_t>(in.number(2)));
    hit.memory.push_back({address, {bytes.begin(), bytes.end()}});
    return in.good();
  }
  const auto size = arm::register_size(kind);
  if (!size) return false;
  const auto bytes = in.take(*size);
  hit.registers[kind] = {bytes.begin(), bytes.end()};
  return in.good();
}

bool parse_record(Reader in, TraceHit& hit) {
  hit.number = static_cast<std::uint32_t>(in.number(4));
  hit.time_us = in.number(8);
  hit.address = static_cast<std::uint32_t>(in.number(4));
  while (in.good() && !in.empty()) {
    if (!parse_part(in, hit)) return false;
  }
  return in.good() && hit.number != 0;
}

}  // namespace

// Blocks may overlap or follow one another, in any order.
rsp::Bytes TraceHit::read(std::uint32_t from, std::uint32_t length) const {
  rsp::Bytes out;
  for (bool found = true; found && out.size() < length;) {
    const std::uint32_t at = from + static_cast<std::uint32_t>(out.size());
    found = false;
    for (const Memory& block : memory) {
      const std::uint32_t offset = at - block.address;
      if (at < block.address || offset >= block.bytes.size()) continue;
      const std::size_t size = std::min<std::size_t>(length - out.size(), block.bytes.size() - offset);
      out.insert(out.end(), block.bytes.begin() + offset,
                 block.bytes.begin() + offset + static_cast<std::ptrdiff_t>(size));
      found = true;
      break;
    }
  }
  return out;
}

std::optional<std::vector<TraceHit>> parse_records(std::span<const std::uint8_t> bytes) {
  std::vector<TraceHit> hits;
  for (Reader in(bytes); !in.empty();) {
    const Reader record(in.take(static_cast<std::size_t>(in.number(2))));
    TraceHit hit;
    if (!in.good() || !parse_record(record, hit)) return std::nullopt;
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace mv::gdb
