// Session: registers, memory and breakpoints of the halted application.
#include <algorithm>

#include "gdbserver/rsp/hex.h"
#include "gdbserver/rsp/reply.h"
#include "gdbserver/session/session.h"

namespace mv::gdb {
namespace {

// Bytes in one answer; a client that wants more asks again. Leaves room for escapes and hex within PacketSize.
constexpr std::uint32_t kMaxRead = rsp::kMaxPayload / 2 - 8;

// compare-sections sums whole sections.
constexpr std::uint32_t kMaxChecksum = 1U << 24;

constexpr std::string_view kNotRunning =
    "registers can be written of the running thread only: this one's are on its stack, write them there";

}  // namespace

void Session::handle(const rsp::ReadRegisters&) {
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  with_registers([](const arm::RegisterFile& file) { return arm::all_registers_hex(file); });
}

void Session::handle(const rsp::ReadRegister& command) {
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  if (!arm::register_size(command.number)) return reply(rsp::error(rsp::kErrorArgument));
  with_registers([this, command](const arm::RegisterFile& file) {
    // GDB takes a row of 'x' for "unavailable"; LLDB takes it for a value, and shows it.
    if (is_lldb_ && !arm::read_register(file, command.number)) return rsp::error(rsp::kErrorArgument);
    return arm::register_hex(file, command.number);
  });
}

void Session::handle(const rsp::WriteRegisters& command) {
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  if (another_selected()) return reply(rsp::error_text(kNotRunning));
  arm::RegisterFile file = stop_.registers;
  if (!arm::write_all_registers(file, command.bytes)) return reply(rsp::error(rsp::kErrorArgument));
  write_file(file);
}

void Session::handle(const rsp::WriteRegister& command) {
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  if (another_selected()) return reply(rsp::error_text(kNotRunning));
  arm::RegisterFile file = stop_.registers;
  if (!arm::write_register(file, command.number, command.bytes)) return reply(rsp::error(rsp::kErrorArgument));
  write_file(file);
}

void Session::write_file(const arm::RegisterFile& file) {
  target_.write_registers(file, guarded<void>([this, file](Result<void> result) {
                            if (!result) return answer(error_reply(result.error()));
                            stop_.registers = file;
                            answer(std::string(rsp::kOk));
                          }));
}

void Session::handle(const rsp::ReadMemory& command) {
  if (state_ == State::kFailed) return reply(memory_error(failure_));
  // LLDB asks `x0,0` to see whether x is there; its own form of x differs from GDB's, so it is told no.
  if (command.binary && is_lldb_) return reply("");
  const bool binary = command.binary;
  const std::uint32_t length = std::min(command.length, kMaxRead);
  read(command.address, length, guarded<Bytes>([this, binary](Result<Bytes> bytes) {
         if (!bytes) return answer(memory_error(bytes.error()));
         answer(binary ? rsp::binary_memory(*bytes) : rsp::to_hex(std::span<const std::uint8_t>(*bytes)));
       }));
}

void Session::read(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) {
  if (role_ == Role::kObserver) return target_.peek(address, std::min(length, Target::kMostPeeked), std::move(handler));
  target_.read(address, length, std::move(handler));
}

void Session::handle(const rsp::WriteMemory& command) {
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  if (command.bytes.empty()) return reply(std::string(rsp::kOk));  // GDB's probe for X
  target_.write(command.address, command.bytes, guarded<void>([this](Result<void> result) {
                  threads_.forget();  // it may have been the kernel's
                  answer(result ? std::string(rsp::kOk) : error_reply(result.error()));
                }));
}

void Session::handle(const rsp::Checksum& command) {
  if (state_ == State::kFailed || command.length > kMaxChecksum) return reply(rsp::error(rsp::kErrorAddress));
  if (role_ == Role::kObserver) return reply(rsp::error(rsp::kErrorAddress));
  target_.read(command.address, command.length, guarded<Bytes>([this, command](Result<Bytes> bytes) {
                 if (!bytes || bytes->size() != command.length) return answer(rsp::error(rsp::kErrorAddress));
                 answer("C" + rsp::hex_number(rsp::gdb_crc32(*bytes)));
               }));
}

void Session::handle(const rsp::Search& command) {
  if (state_ == State::kFailed) return reply(rsp::error(rsp::kErrorAddress));
  search(command, {});
}

// Piece by piece; `tail` is the end of what was read before, shorter than the pattern, for a match across the seam.
void Session::search(rsp::Search rest, Bytes tail) {
  const std::uint32_t length = std::min(rest.length, kMaxRead);
  if (length == 0) return reply("0");
  read(rest.address, length, guarded<Bytes>([this, rest, tail](Result<Bytes> bytes) mutable {
         if (!bytes) return answer(rsp::error(rsp::kErrorAddress));
         const auto start = static_cast<std::uint32_t>(rest.address - tail.size());
         tail.insert(tail.end(), bytes->begin(), bytes->end());
         const auto found = std::search(tail.begin(), tail.end(), rest.pattern.begin(), rest.pattern.end());
         if (found != tail.end())
           return answer("1," + rsp::hex_number(start + static_cast<std::uint32_t>(found - tail.begin())));
         rest.address += static_cast<std::uint32_t>(bytes->size());
         rest.length -= static_cast<std::uint32_t>(bytes->size());
         if (rest.length == 0) return answer("0");
         const std::size_t keep = std::min(tail.size(), rest.pattern.size() - 1);
         search(std::move(rest), Bytes(tail.end() - static_cast<std::ptrdiff_t>(keep), tail.end()));
       }));
}

// Software and hardware breakpoints are one to the device, which knows best how to make each.
void Session::handle(const rsp::Breakpoint& command) {
  constexpr std::uint8_t kHardware = 1;
  if (state_ == State::kFailed) return reply(error_reply(failure_));
  if (command.type > kHardware) return change_watchpoint(command);
  const std::uint32_t address = command.address & ~1U;
  if (!command.insert) {
    target_.remove_breakpoint(address);
    hardware_breakpoints_.erase(address);
    return reply(std::string(rsp::kOk));
  }
  const auto inserted = target_.insert_breakpoint(address, {command.conditions, command.commands});
  if (!inserted) return reply(error_reply(inserted.error()));
  if (command.type == kHardware) hardware_breakpoints_.insert(address);
  reply(std::string(rsp::kOk));
}

// Z2, Z3 and Z4: the kind is the length in bytes.
void Session::change_watchpoint(const rsp::Breakpoint& command) {
  constexpr std::uint8_t kWrite = 2, kRead = 3;
  const WatchKind kind = command.type == kWrite  ? WatchKind::kWrite
                         : command.type == kRead ? WatchKind::kRead
                                                 : WatchKind::kAccess;
  const Watchpoint watchpoint{command.address, command.kind, kind};
  Result<void> done;
  command.insert ? void(done = target_.insert_watchpoint(watchpoint)) : target_.remove_watchpoint(watchpoint);
  reply(done ? std::string(rsp::kOk) : error_reply(done.error()));
}

}  // namespace mv::gdb
