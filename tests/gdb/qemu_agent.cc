#include "qemu_agent.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "gdbserver/rsp/hex.h"

namespace mv::test {
namespace {

// The program of the tests is linked for the Secure addresses of mps2-an505, where QEMU starts it.
constexpr std::uint32_t kFlash = 0x10000000, kFlashSize = 0x00400000;
constexpr std::uint32_t kRam = 0x38000000, kRamSize = 0x00200000;
constexpr std::uint32_t kMaxRead = 1024;
constexpr std::uint32_t kBreakpoints = 8;
constexpr std::uint32_t kStackWindow = 512;
constexpr std::uint32_t kLine = 64;  // GDB reads the stack in lines of this size, so the one around sp is sent whole
constexpr int kPollMilliseconds = 20;

bool in_memory(std::uint32_t address, std::uint32_t length) {
  return (address >= kFlash && length <= kFlashSize && address - kFlash <= kFlashSize - length) ||
         (address >= kRam && length <= kRamSize && address - kRam <= kRamSize - length);
}

void add_region(wire::Attached& attached, std::uint32_t address, std::uint32_t size, wire::MemoryKind kind) {
  auto* region = attached.add_regions();
  region->set_address(address);
  region->set_size(size);
  region->set_kind(kind);
}

}  // namespace

// QEMU sends the seventeen registers of the M profile only to a client that has read its description.
QemuAgent::QemuAgent(QemuStub& stub) : stub_(stub) {
  stub_.ask("qSupported:xmlRegisters=arm");
  stub_.ask("qXfer:features:read:target.xml:0,ffb");
}

std::optional<wire::AgentReply> QemuAgent::handle(const wire::AgentRequest& request, const PollRequests& poll) {
  if (request.has_attach()) return attach(request.attach());
  if (request.has_interrupt()) return std::nullopt;
  const bool again = request.sequence() == last_sequence_;
  if (again && !resume_open_) return last_reply_;
  wire::AgentReply reply;
  if (request.has_resume()) {
    last_sequence_ = request.sequence();
    const auto stop = again ? run(poll) : resume(request.resume(), poll);
    if (!stop) return std::nullopt;
    *reply.mutable_stopped() = *stop;
    resume_open_ = false;
  } else {
    reply = dispatch(request);
  }
  reply.set_sequence(request.sequence());
  last_sequence_ = request.sequence();
  last_reply_ = reply;
  return reply;
}

wire::AgentReply QemuAgent::attach(const wire::AttachRequest& request) {
  wire::AgentReply reply;
  auto& attached = *reply.mutable_attached();
  attached.set_resumed(!session_.empty() && session_ == request.session());
  if (!attached.resumed()) last_sequence_ = 0;
  session_ = request.session();
  if (request.halt() && running_) halt();
  attached.set_manifest_hash(std::string(32, 'm'));
  attached.set_build_id(std::string(20, 'b'));
  attached.set_board("qemu");
  attached.mutable_capabilities()->set_breakpoints(kBreakpoints);
  attached.mutable_capabilities()->set_max_ranges(32);
  attached.mutable_capabilities()->set_max_read(kMaxRead);
  attached.mutable_capabilities()->set_step_masks_interrupts(true);
  add_region(attached, kFlash, kFlashSize, wire::MEMORY_FLASH);
  add_region(attached, kRam, kRamSize, wire::MEMORY_RAM);
  if (!running_) *attached.mutable_stopped() = stopped(wire::STOP_ATTACHED, {});
  return reply;
}

wire::AgentReply QemuAgent::dispatch(const wire::AgentRequest& request) {
  wire::AgentReply reply;
  if (running_) {
    reply.set_error(wire::AGENT_NOT_HALTED);
  } else if (request.has_read()) {
    read(request.read(), reply);
  } else if (request.has_write()) {
    const auto& write = request.write();
    if (!in_memory(write.address(), static_cast<std::uint32_t>(write.data().size()))) {
      reply.set_error(wire::AGENT_BAD_ADDRESS);
      return reply;
    }
    stub_.ask(fmt::format("M{:x},{:x}:{}", write.address(), write.data().size(),
                          rsp::to_hex(std::string_view(write.data()))));
    reply.mutable_done();
  } else if (request.has_write_registers()) {
    write_registers(request.write_registers());
    reply.mutable_done();
  } else if (request.has_digest()) {
    for (const auto& range : request.digest().ranges()) {
      const std::string bytes = memory(range.address(), range.length());
      std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
      SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
      reply.mutable_digest()->add_sha256(digest.data(), digest.size());
    }
  } else if (request.has_reset()) {
    reset();
    *reply.mutable_stopped() = stopped(wire::STOP_RESET, {});
  } else if (request.has_detach()) {
    breakpoints_.clear();
    session_.clear();
    start();
    reply.mutable_done();
  } else {
    reply.set_error(wire::AGENT_BAD_REQUEST);
  }
  return reply;
}

std::optional<wire::Stopped> QemuAgent::resume(const wire::ResumeRequest& request, const PollRequests& poll) {
  change_breakpoints(request);
  open_resume_ = request;
  resume_open_ = true;
  step_instruction();  // off a breakpoint at pc; every mode executes one instruction at least
  if (request.mode() == wire::RESUME_STEP) return stopped(wire::STOP_STEP, request);
  if (breakpoints_.contains(pc())) return stopped(wire::STOP_BREAKPOINT, request);
  if (request.mode() == wire::RESUME_STEP_RANGE) return step_range(request, poll);
  start();
  return run(poll);
}

// Goes on until the application stops; nothing if the connection broke, and the application runs on.
std::optional<wire::Stopped> QemuAgent::run(const PollRequests& poll) {
  bool interrupted = false;
  while (running_) {
    if (stub_.reply(kPollMilliseconds)) {
      running_ = false;
      break;
    }
    const Poll found = poll(0);
    if (found.gone) return std::nullopt;
    if (found.request && found.request->has_interrupt()) {
      interrupted = true;
      stub_.interrupt();
    }
  }
  for (const std::uint32_t address : breakpoints_) stub_.ask(fmt::format("z1,{:x},2", address));
  const bool hit = breakpoints_.contains(pc());
  return stopped(interrupted && !hit ? wire::STOP_INTERRUPT : wire::STOP_BREAKPOINT, open_resume_);
}

wire::Stopped QemuAgent::step_range(const wire::ResumeRequest& request, const PollRequests& poll) {
  const auto inside = [&](std::uint32_t at) {
    return std::any_of(request.ranges().begin(), request.ranges().end(),
                       [at](const wire::Range& range) { return at >= range.start() && at < range.end(); });
  };
  for (std::uint32_t steps = 1; inside(pc()); ++steps) {
    const Poll found = steps % 64 == 0 ? poll(0) : Poll{};
    if (found.request && found.request->has_interrupt()) return stopped(wire::STOP_INTERRUPT, request);
    step_instruction();
    if (breakpoints_.contains(pc())) return stopped(wire::STOP_BREAKPOINT, request);
  }
  return stopped(wire::STOP_STEP, request);
}

wire::Stopped QemuAgent::stopped(wire::StopReason reason, const wire::ResumeRequest& request) {
  wire::Stopped stop;
  stop.set_reason(reason);
  const auto registers = rsp::from_hex(stub_.ask("g")).value_or(rsp::Bytes{});
  constexpr std::size_t kCoreBytes = 68, kSpAt = 52;
  if (registers.size() < kCoreBytes) return stop;
  stop.set_registers(registers.data(), kCoreBytes);
  std::string system(32, '\0');
  std::copy_n(registers.begin() + kSpAt, 4, system.begin());
  stop.set_system(system);
  std::uint32_t sp = 0;
  for (std::size_t i = 0; i < 4; ++i) sp |= static_cast<std::uint32_t>(registers[kSpAt + i]) << (8 * i);
  if (in_memory(sp, 0)) {
    const std::uint32_t start = std::max(sp / kLine * kLine, kRam);
    stop.set_stack_address(start);
    stop.set_stack(memory(start, std::min(kStackWindow, kRam + kRamSize - start)));
  }
  for (const auto& range : request.push()) {
    auto* pushed = stop.add_pushed();
    pushed->set_address(range.address());
    pushed->set_data(memory(range.address(), range.length()));
  }
  return stop;
}

void QemuAgent::change_breakpoints(const wire::ResumeRequest& request) {
  for (const std::uint32_t address : request.remove()) breakpoints_.erase(address);
  breakpoints_.insert(request.insert().begin(), request.insert().end());
}

void QemuAgent::step_instruction() { stub_.ask("vCont;s:p1.1"); }

void QemuAgent::start() {
  for (const std::uint32_t address : breakpoints_) stub_.ask(fmt::format("Z1,{:x},2", address));
  stub_.tell("vCont;c");
  running_ = true;
}

void QemuAgent::halt() {
  stub_.interrupt();
  stub_.reply(-1);
  running_ = false;
  for (const std::uint32_t address : breakpoints_) stub_.ask(fmt::format("z1,{:x},2", address));
}

void QemuAgent::read(const wire::ReadRequest& request, wire::AgentReply& reply) {
  for (const auto& range : request.ranges()) {
    auto* bytes = reply.mutable_read()->add_ranges();
    bytes->set_address(range.address());
    if (range.length() <= kMaxRead && in_memory(range.address(), range.length())) {
      bytes->set_data(memory(range.address(), range.length()));
    } else {
      bytes->set_error(wire::AGENT_BAD_ADDRESS);
    }
  }
}

void QemuAgent::write_registers(const wire::WriteRegistersRequest& request) {
  constexpr std::size_t kXpsrHere = 16;
  constexpr unsigned kXpsrInQemu = 25;
  for (std::size_t i = 0; i <= kXpsrHere && request.registers().size() >= 4 * (i + 1); ++i) {
    if ((request.mask() >> i & 1) == 0) continue;
    const auto word = std::string_view(request.registers()).substr(4 * i, 4);
    stub_.ask(fmt::format("P{:x}={}", i == kXpsrHere ? kXpsrInQemu : i, rsp::to_hex(word)));
  }
}

void QemuAgent::reset() { stub_.ask("qRcmd," + rsp::to_hex(std::string_view("system_reset"))); }

std::string QemuAgent::memory(std::uint32_t address, std::uint32_t length) {
  constexpr std::uint32_t kPiece = 512;  // QEMU's packets hold 4096 characters
  std::string out;
  while (out.size() < length) {
    const auto size = std::min(kPiece, length - static_cast<std::uint32_t>(out.size()));
    const auto bytes = rsp::from_hex(stub_.ask(fmt::format("m{:x},{:x}", address + out.size(), size)));
    if (!bytes || bytes->size() != size) return out;
    out.append(bytes->begin(), bytes->end());
  }
  return out;
}

std::uint32_t QemuAgent::pc() {
  const auto bytes = rsp::from_hex(stub_.ask("pf")).value_or(rsp::Bytes(4));
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4 && i < bytes.size(); ++i) value |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  return value;
}

}  // namespace mv::test
