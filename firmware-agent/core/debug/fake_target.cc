#include "core/debug/fake_target.h"

#include <algorithm>
#include <utility>

namespace mv::debug::test {

std::uint8_t* FakeMemory::at(std::uint32_t address, std::size_t size) {
  if (size > kSize) return nullptr;
  if (address >= kCode && address - kCode <= kSize - size) return &code_[0] + (address - kCode);
  if (address >= kRam && address - kRam <= kSize - size) return &ram_[0] + (address - kRam);
  return nullptr;
}

bool FakeMemory::read(std::uint32_t address, std::span<std::uint8_t> out) {
  ++reads;
  const std::uint8_t* from = at(address, out.size());
  if (from == nullptr) return false;
  std::copy_n(from, out.size(), out.begin());
  return true;
}

bool FakeMemory::write(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  if (address < kRam) return false;
  std::uint8_t* to = flash ? nullptr : at(address, bytes.size());
  if (to == nullptr) return false;
  std::ranges::copy(bytes, to);
  return true;
}

bool FakeMemory::patch_code(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  std::uint8_t* to = flash ? nullptr : at(address, bytes.size());
  if (to == nullptr) return false;
  std::ranges::copy(bytes, to);
  return true;
}

bool FakeMemory::is_code(std::uint32_t address) const {
  return (address >= kCode && address < kCode + kSize) || (address >= kRam && address < kRam + kSize);
}

void FakeMemory::put(std::uint32_t address, std::initializer_list<std::uint16_t> halfwords) {
  for (const std::uint16_t halfword : halfwords) {
    const std::array bytes = {static_cast<std::uint8_t>(halfword), static_cast<std::uint8_t>(halfword >> 8)};
    patch_code(address, bytes);
    address += 2;
  }
}

void FakeMemory::put_word(std::uint32_t address, std::uint32_t word) {
  put(address, {static_cast<std::uint16_t>(word), static_cast<std::uint16_t>(word >> 16)});
}

std::uint16_t FakeMemory::halfword(std::uint32_t address) {
  std::array<std::uint8_t, 2> bytes{};
  read(address, bytes);
  return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
}

std::uint32_t FakeMemory::word(std::uint32_t address) {
  return halfword(address) | static_cast<std::uint32_t>(halfword(address + 2)) << 16;
}

void FakeBoard::resume(const Context& context) {
  cpu = context;
  running_ = true;
}

void FakeBoard::start(std::uint32_t pc) {
  cpu = {};
  cpu.pc() = pc;
  cpu.sp() = kRam + 0x1000;
  cpu.lr() = 0xFFFFFFFF;
  cpu.xpsr() = kThumb;
  running_ = true;
  crashed_ = false;
  halt_wanted_ = std::exchange(halt_at_start_, false);
}

std::uint32_t FakeBoard::run(std::uint32_t instructions) {
  const std::uint32_t before = executed;
  for (std::uint32_t i = 0; i < 4 * instructions && running_ && executed - before < instructions; ++i) {
    if (std::exchange(halt_wanted_, false)) {
      raise(Event::kHaltRequest);
    } else if (interrupt_pending && !masked_) {
      interrupt_pending = false;
      ++interrupts_taken;
      interrupt_handler();
    } else if ((memory_.halfword(cpu.pc()) & 0xFF00) == 0xBE00 || std::ranges::count(comparators_, cpu.pc()) != 0) {
      raise(Event::kBreakpoint);
    } else if (guarding_ && meets_guard(memory_.halfword(cpu.pc()))) {
      raise(Event::kWatchpoint);
    } else if (const std::uint32_t at = cpu.pc(); !execute()) {
      cpu.pc() = at;
      raise(Event::kFault);
    } else {
      ++executed;
      if (step_next_) raise(Event::kStep);
    }
  }
  return executed - before;
}

bool FakeBoard::insert_breakpoint(std::uint32_t address) {
  if (comparators_.size() == breakpoints) return false;
  comparators_.push_back(address);
  return true;
}

bool FakeBoard::remove_breakpoint(std::uint32_t address) { return std::erase(comparators_, address) != 0; }

void FakeBoard::raise(Event event) {
  step_next_ = false;
  const FaultRegisters fault = event == Event::kFault ? FaultRegisters{.cfsr = 0x00010000} : FaultRegisters{};
  const DebugEvents::Verdict verdict = events_->on_event(event, cpu, fault);
  running_ = verdict == DebugEvents::Verdict::kResume;
  crashed_ = verdict == DebugEvents::Verdict::kCrash;
}

bool FakeBoard::execute() {
  const std::uint16_t first = memory_.halfword(cpu.pc());
  return (first >> 11) < 0x1D ? execute_narrow(first) : execute_wide(first, memory_.halfword(cpu.pc() + 2));
}

bool FakeBoard::execute_narrow(std::uint16_t code) {
  const std::uint32_t pc = cpu.pc();
  std::uint32_t& low = cpu.core[(code >> 8) & 7];  // of ADDS and MOVS with an immediate
  cpu.pc() += 2;
  if (code == 0xBF00) return true;                   // NOP
  if (code == 0xBF30) return interrupts_taken != 0;  // WFI: must not be executed with nothing to wait for
  if ((code & 0xFF00) == 0xDF00) {                   // SVC: r0 += 1, and a fault if it is masked
    cpu.core[0] += 1;
    return !masked_;
  }
  if ((code & 0xF800) == 0x2000) return low = code & 0xFF, true;   // MOVS Rd, #imm8
  if ((code & 0xF800) == 0x3000) return low += code & 0xFF, true;  // ADDS Rd, #imm8
  if ((code & 0xE000) == 0x6000) return execute_transfer(code);
  if ((code & 0xF800) == 0xE000) {  // B
    const std::uint32_t offset = static_cast<std::uint32_t>(code & 0x7FF) << 1;
    return jump(pc + 4 + ((offset ^ 0x800) - 0x800)), true;
  }
  if ((code & 0xFF87) == 0x4700) return jump(cpu.core[(code >> 3) & 0xF]), true;  // BX
  if ((code & 0xF500) == 0xB100) {                                                // CBZ, CBNZ
    const bool taken = (cpu.core[code & 7] != 0) == ((code & 0x800) != 0);
    if (taken) jump(pc + 4 + (((code >> 9) & 1U) << 6 | ((code >> 3) & 0x1FU) << 1));
    return true;
  }
  return false;
}

namespace {

// Of LDR, STR, LDRB and STRB with an offset.
std::uint32_t transfer_size(std::uint16_t code) { return (code & 0x1000) != 0 ? 1 : 4; }
std::uint32_t transfer_address(std::uint16_t code, const Context& cpu) {
  return cpu.core[(code >> 3) & 7] + transfer_size(code) * ((code >> 6) & 0x1FU);
}

}  // namespace

bool FakeBoard::execute_transfer(std::uint16_t code) {
  std::array<std::uint8_t, 4> bytes{};
  const auto part = std::span(bytes).first(transfer_size(code));
  std::uint32_t& value = cpu.core[code & 7];
  if ((code & 0x0800) == 0) {
    for (std::size_t i = 0; i < part.size(); ++i) part[i] = static_cast<std::uint8_t>(value >> 8 * i);
    return memory_.write(transfer_address(code, cpu), part);
  }
  if (!memory_.read(transfer_address(code, cpu), part)) return false;
  value = 0;
  for (std::size_t i = 0; i < part.size(); ++i) value |= static_cast<std::uint32_t>(part[i]) << 8 * i;
  return true;
}

bool FakeBoard::enter_fault_handler(Context& context) {
  constexpr std::uint32_t kHardFault = 3;
  if (fault_handler == 0 || (context.xpsr() & 0x1FF) == kHardFault) return false;
  context.pc() = fault_handler;
  context.xpsr() = kThumb | kHardFault;
  return true;
}

bool FakeBoard::insert_watchpoint(const Watchpoint& watchpoint) {
  if (!guarding_) guards_.clear();
  guards_.push_back(watchpoint);
  guarding_ = true;
  return true;
}

// Granules of 32 bytes.
bool FakeBoard::guards(std::uint32_t address, std::uint32_t size) const {
  return std::ranges::any_of(guards_, [&](const Watchpoint& guard) {
    return address <= ((guard.address + guard.length - 1) | 31U) && (guard.address & ~31U) < address + size;
  });
}

bool FakeBoard::meets_guard(std::uint16_t code) const {
  return (code & 0xE000) == 0x6000 && guards(transfer_address(code, cpu), transfer_size(code));
}

bool FakeBoard::execute_wide(std::uint16_t first, std::uint16_t second) {
  if ((first & 0xF800) != 0xF000 || (second & 0xD000) != 0xD000) return false;  // BL, short reach is enough
  const std::uint32_t pc = cpu.pc();
  const std::uint32_t offset =
      static_cast<std::uint32_t>(first & 0x3FF) << 12 | static_cast<std::uint32_t>(second & 0x7FF) << 1;
  const std::uint32_t target = pc + 4 + ((first & 0x400) != 0 ? offset - 0x400000 : offset);
  cpu.lr() = (pc + 4) | 1U;
  jump(target);
  return true;
}

}  // namespace mv::debug::test
