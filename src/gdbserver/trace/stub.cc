#include "gdbserver/trace/stub.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gdbserver/arm/registers.h"
#include "gdbserver/rsp/command.h"
#include "gdbserver/rsp/packet.h"
#include "gdbserver/rsp/reply.h"

namespace mv::gdb {
namespace {

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// first,second in hex
std::optional<std::pair<std::uint32_t, std::uint32_t>> two_numbers(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto first = rsp::hex_u32(text.substr(0, comma)), second = rsp::hex_u32(text.substr(comma + 1));
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

std::string supported() {
  return "PacketSize=" + rsp::hex_number(rsp::kMaxPayload) +
         ";QStartNoAckMode+;qXfer:features:read+;ConditionalTracepoints+;tracenz+";
}

}  // namespace

std::string TraceStub::answer(std::string_view payload) {
  if (payload.starts_with("qSupported")) return supported();
  if (payload == "?") return "S05";
  if (payload == "qAttached") return "1";
  if (payload == "qTStatus") return "T0;tnotrun:0";
  if (payload == "QStartNoAckMode" || payload == "D") return std::string(rsp::kOk);
  if (payload == "g") return registers();
  if (take(payload, "qXfer:features:read:target.xml:")) return target_description(payload);
  if (take(payload, "QTFrame:")) return select_frame(payload);
  if (payload == "QTinit") {
    definition_.clear();
    understood_ = true;
    return std::string(rsp::kOk);
  }
  if (take(payload, "QTDP:")) {
    understood_ = definition_.add(payload) && understood_;
    return understood_ ? std::string(rsp::kOk) : rsp::error(rsp::kErrorArgument);
  }
  if (payload.starts_with("QT") || payload.starts_with("H")) return std::string(rsp::kOk);
  if (take(payload, "m")) return memory(payload);
  if (payload.starts_with("M") || payload.starts_with("X") || payload.starts_with("P") || payload.starts_with("G"))
    return rsp::error(rsp::kErrorAddress);
  return {};
}

std::string TraceStub::select_frame(std::string_view argument) {
  in_frame_ = rsp::hex_u32(argument) == hit_.number;
  return in_frame_ ? "F" + rsp::hex_number(hit_.number) + "T1" : "F-1";
}

// Outside of a frame there is nothing, but GDB wants to see a processor when it connects.
std::string TraceStub::registers() const {
  std::string text;
  for (std::uint32_t number = 0; number < arm::kFirstSystem; ++number) {
    const std::size_t size = *arm::register_size(number);
    const auto recorded = hit_.registers.find(number);
    if (in_frame_ && number == arm::kPc) {
      for (int shift = 0; shift < 32; shift += 8)
        rsp::append_hex_byte(text, static_cast<std::uint8_t>(hit_.address >> shift));
    } else if (!in_frame_ || blank_) {
      text.append(2 * size, '0');
    } else if (recorded != hit_.registers.end()) {
      text += rsp::to_hex(recorded->second);
    } else {
      text.append(2 * size, 'x');
    }
  }
  return text;
}

std::string TraceStub::memory(std::string_view arguments) const {
  const auto range = two_numbers(arguments);
  if (!range) return rsp::error(rsp::kErrorArgument);
  const auto most = std::min(range->second, static_cast<std::uint32_t>(rsp::kMaxPayload / 2));
  if (in_frame_ && blank_) return std::string(2 * most, '0');
  const auto bytes = in_frame_ ? hit_.read(range->first, most) : rsp::Bytes{};
  return bytes.empty() ? rsp::error(rsp::kErrorAddress) : rsp::to_hex(bytes);
}

std::string TraceStub::target_description(std::string_view arguments) const {
  const auto range = two_numbers(arguments);
  if (!range) return rsp::error(rsp::kErrorArgument);
  return rsp::transfer(arm::target_description(false), range->first, range->second);
}

}  // namespace mv::gdb
