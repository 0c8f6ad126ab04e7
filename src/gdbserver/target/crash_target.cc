#include "gdbserver/target/crash_target.h"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace mv::gdb {
namespace {

constexpr const char* kNothingMoves =
    "this is the record of a crash: nothing can run or be changed; to debug the device itself: mvctl debug";

// All there is: else GDB would refuse what the memory map lacks by itself, and nobody would read why.
constexpr Region kEverything = {0, UINT32_MAX, MemoryKind::kRam};

tl::unexpected<Error> refused() { return failure(ErrorCode::kUnsupported, kNothingMoves); }

// The part of [address, address + length) that `bytes`, which lie at `start`, hold without a gap from its beginning.
std::span<const std::uint8_t> part(std::span<const std::uint8_t> bytes, std::uint32_t start, std::uint32_t address,
                                   std::uint32_t length) {
  if (address < start || address - start >= bytes.size()) return {};
  const std::size_t offset = address - start;
  return bytes.subspan(offset, std::min<std::size_t>(length, bytes.size() - offset));
}

}  // namespace

bool has_fault(const Crash& crash) { return (crash.fault.cfsr | crash.fault.hfsr | crash.fault.sfsr) != 0; }

std::string describe_crash(const Crash& crash) {
  return has_fault(crash) || crash.reason.empty() ? arm::describe_fault(crash.fault) : crash.reason;
}

CrashTarget::CrashTarget(Crash crash, std::string label, std::optional<ElfImage> image, Scheduler& scheduler)
    : crash_(std::move(crash)),
      label_(std::move(label)),
      image_(std::move(image)),
      scheduler_(scheduler),
      regions_{kEverything} {}

Stop CrashTarget::last_stop() const {
  if (!has_fault(crash_)) {
    return {.reason = StopReason::kProgramBreakpoint,
            .registers = crash_.registers,
            .fault = std::nullopt,
            .watch = std::nullopt};
  }
  return {.reason = StopReason::kFault, .registers = crash_.registers, .fault = crash_.fault, .watch = std::nullopt};
}

void CrashTarget::attach(Handler<Stop> handler) { answer<Stop>(std::move(handler), last_stop()); }
void CrashTarget::detach(Handler<void> handler) { answer<void>(std::move(handler), {}); }

// The record first: of RAM, the ELF only knows how it began.
Bytes CrashTarget::known(std::uint32_t address, std::uint32_t length) const {
  for (const Crash::Memory& memory : crash_.memory) {
    if (const auto bytes = part(memory.bytes, memory.address, address, length); !bytes.empty())
      return {bytes.begin(), bytes.end()};
  }
  if (!image_) return {};
  for (const ElfImage::Piece& piece : image_->read_only) {
    if (const auto bytes = part(piece.bytes, piece.address, address, length); !bytes.empty())
      return {bytes.begin(), bytes.end()};
  }
  return {};
}

std::string CrashTarget::what_is_known() const {
  std::string text;
  for (std::size_t i = 0; i < crash_.memory.size(); ++i) {
    text += fmt::format("{}{} bytes of {} from 0x{:08x} on", text.empty() ? "" : ", ", crash_.memory[i].bytes.size(),
                        i < crash_.stack_pieces ? "stack" : "RAM", crash_.memory[i].address);
  }
  if (text.empty()) text = "no memory";
  return text + (image_ ? ", and flash from the ELF" : "; name the ELF with --elf to have flash as well");
}

void CrashTarget::read(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) {
  Bytes bytes = known(address, length);
  if (bytes.empty() && length != 0) {
    return answer<Bytes>(std::move(handler), failure(ErrorCode::kBadAddress,
                                                     fmt::format("0x{:08x} was not recorded with the crash; known: {}",
                                                                 address, what_is_known())));
  }
  answer<Bytes>(std::move(handler), std::move(bytes));
}

void CrashTarget::peek(std::uint32_t address, std::uint32_t length, Handler<Bytes> handler) {
  read(address, length, std::move(handler));
}

void CrashTarget::write(std::uint32_t, Bytes, Handler<void> handler) { answer<void>(std::move(handler), refused()); }

void CrashTarget::write_registers(const arm::RegisterFile&, Handler<void> handler) {
  answer<void>(std::move(handler), refused());
}

void CrashTarget::resume(const ResumePlan&, Handler<Stop> handler) { answer<Stop>(std::move(handler), refused()); }
void CrashTarget::reset(Handler<Stop> handler) { answer<Stop>(std::move(handler), refused()); }
void CrashTarget::load(FlashContent, Handler<Loaded> handler) { answer<Loaded>(std::move(handler), refused()); }
Result<void> CrashTarget::insert_breakpoint(std::uint32_t, const BreakpointProgram&) { return refused(); }
Result<void> CrashTarget::insert_watchpoint(const Watchpoint&) { return refused(); }

std::string CrashTarget::status() const {
  return fmt::format("{}\ncause  {}\nknown  {}\n", label_, describe_crash(crash_), what_is_known());
}

}  // namespace mv::gdb
