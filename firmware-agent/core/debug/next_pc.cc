#include "core/debug/next_pc.h"

#include <bit>
#include <optional>

#include "core/debug/thumb.h"

namespace mv::debug {
namespace {

constexpr std::uint32_t kIpsrMask = 0x1FF;
constexpr std::size_t kLr = 14;
constexpr std::size_t kPc = 15;
constexpr std::size_t kXpsr = 16;

// The values that are no addresses when they are branched to (ARM DDI 0553B, B3.18 and B3.19).
constexpr std::uint32_t kFncReturn = 0xFEFFFFFE;  // bit 0 aside: a function called by the Secure side returns
constexpr std::uint32_t kExcReturnSecureFrame = 1U << 6;
constexpr std::uint32_t kExcReturnThread = 1U << 3;
constexpr std::uint32_t kExcReturnPsp = 1U << 2;
constexpr std::uint32_t kFramePc = 0x18;  // of the return address in an exception frame

// Instructions looked through for the end of an exclusive sequence; GDB looks as far.
constexpr int kExclusiveReach = 16;

std::optional<std::uint32_t> read_word(ApplicationMemory& memory, std::uint32_t address) {
  std::array<std::uint8_t, 4> bytes{};
  if (!memory.read(address, bytes)) return std::nullopt;
  return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
         static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

Step run_to(std::uint32_t target) {
  Step step;
  step.kind = Step::Kind::kRun;
  step.targets[0] = target & ~1U;
  step.count = 1;
  return step;
}

Step of_kind(Step::Kind kind, std::uint32_t target) {
  Step step = run_to(target);
  step.kind = kind;
  return step;
}

Step of_kind(Step::Kind kind) {
  Step step;
  step.kind = kind;
  return step;
}

// A branch that is taken: where it goes, and what else it does.
struct Jump {
  std::uint32_t target = 0;
  bool links = false;              // lr receives the return address
  bool interworks = false;         // may be an EXC_RETURN (BX, POP, LDM, LDR; not B, MOV, ADD, TBB)
  bool changes_registers = false;  // besides pc
  std::uint32_t sp_after = 0;      // main stack pointer when the branch is made
};

class Decoder {
 public:
  Decoder(const Context& context, ApplicationMemory& memory, const thumb::Instruction& instruction)
      : context_(context), memory_(memory), instruction_(instruction) {}

  Step decode();

 private:
  std::uint32_t reg(std::size_t number) const { return number == kPc ? context_.pc() + 4 : context_.core[number]; }
  std::uint32_t next() const { return context_.pc() + instruction_.size; }

  Step jump(const Jump& to) const;
  Step load_pc(std::uint32_t address, bool writes_back, std::uint32_t sp_after) const;
  Step exception_return(std::uint32_t value, std::uint32_t sp) const;
  Step past_secure_call(const Jump& to) const;

  std::optional<Step> narrow() const;
  std::optional<Step> narrow_register() const;
  std::optional<Step> wide() const;
  std::optional<Step> wide_branch() const;
  std::optional<Step> load_multiple() const;
  std::optional<Step> load_single() const;
  std::optional<Step> table_branch() const;
  std::optional<Step> exclusive() const;

  const Context& context_;
  ApplicationMemory& memory_;
  const thumb::Instruction instruction_;
};

Step Decoder::decode() {
  const std::uint32_t xpsr = context_.core[kXpsr];
  if (is_bkpt(instruction_.first)) return of_kind(Step::Kind::kSkip, next());  // unconditional inside an IT block too
  if (!thumb::it_passes(xpsr)) return run_to(next());
  if (thumb::is_wait(instruction_)) return of_kind(Step::Kind::kSkip, next());
  const std::optional<Step> step = instruction_.size == 2 ? narrow() : wide();
  return step.value_or(run_to(next()));
}

Step Decoder::jump(const Jump& to) const {
  if (to.interworks && (to.target | 1U) == (kFncReturn | 1U)) return of_kind(Step::Kind::kLeave);
  if (to.interworks && (to.target >> 24) == 0xFF && (context_.core[kXpsr] & kIpsrMask) != 0) {
    return exception_return(to.target, to.sp_after);
  }
  const std::uint32_t target = to.target & ~1U;
  if (target == context_.pc()) return of_kind(to.changes_registers ? Step::Kind::kFree : Step::Kind::kSkip, target);
  if (!memory_.is_code(target)) return past_secure_call(to);
  return run_to(target);
}

// The target is no code of the application: a system call's veneer, which comes back to the return address, or nothing
// at all, which faults. Either way a stop at the return address is right.
Step Decoder::past_secure_call(const Jump& to) const {
  const std::uint32_t back = (to.links ? next() : context_.core[kLr]) & ~1U;
  if (!memory_.is_code(back)) return of_kind(Step::Kind::kFree);
  return run_to(back);
}

Step Decoder::exception_return(std::uint32_t value, std::uint32_t sp) const {
  if ((value & kExcReturnSecureFrame) != 0) return of_kind(Step::Kind::kLeave);
  const bool process_stack = (value & kExcReturnThread) != 0 && (value & kExcReturnPsp) != 0;
  const std::uint32_t frame = process_stack ? context_.system[1] : sp;
  const auto target = read_word(memory_, frame + kFramePc);
  if (!target || !memory_.is_code(*target & ~1U)) return of_kind(Step::Kind::kFree);
  return run_to(*target);
}

Step Decoder::load_pc(std::uint32_t address, bool writes_back, std::uint32_t sp_after) const {
  const auto target = read_word(memory_, address);
  if (!target) return of_kind(Step::Kind::kFree);  // it faults
  return jump({.target = *target, .interworks = true, .changes_registers = writes_back, .sp_after = sp_after});
}

std::optional<Step> Decoder::narrow() const {
  const std::uint16_t code = instruction_.first;
  if ((code & 0xFF00U) == 0xDF00U) return of_kind(Step::Kind::kRunOpen, next());  // SVC
  if (const auto branch = thumb::direct_branch(instruction_, context_.pc())) {
    if (branch->condition && !thumb::passes(*branch->condition, context_.core[kXpsr])) return run_to(next());
    return jump({.target = branch->target});
  }
  if ((code & 0xF500U) == 0xB100U) {  // CBZ, CBNZ
    const bool wants_nonzero = (code & 0x0800U) != 0;
    const bool taken = (reg(code & 7U) != 0) == wants_nonzero;
    return taken ? jump({.target = thumb::compare_branch_target(code, context_.pc())}) : run_to(next());
  }
  if ((code & 0xFF00U) == 0xBD00U) {  // POP {..., pc}
    const auto below = static_cast<std::uint32_t>(4 * std::popcount(static_cast<unsigned>(code & 0xFFU)));
    const std::uint32_t sp = context_.core[13];
    return load_pc(sp + below, true, sp + below + 4);
  }
  return narrow_register();
}

std::optional<Step> Decoder::narrow_register() const {
  const std::uint16_t code = instruction_.first;
  const std::size_t source = (code >> 3) & 0xFU;
  const std::size_t destination = ((code >> 4) & 8U) | (code & 7U);
  if ((code & 0xFF00U) == 0x4700U) {  // BX, BLX
    const bool links = (code & 0x80U) != 0;
    return jump({.target = reg(source),
                 .links = links,
                 .interworks = !links,
                 .changes_registers = links,
                 .sp_after = context_.core[13]});
  }
  if (destination != kPc) return std::nullopt;
  if ((code & 0xFF00U) == 0x4600U) return jump({.target = reg(source)});                      // MOV pc, Rm
  if ((code & 0xFF00U) == 0x4400U) return jump({.target = context_.pc() + 4 + reg(source)});  // ADD pc, Rm
  return std::nullopt;
}

std::optional<Step> Decoder::wide() const {
  if (const auto step = wide_branch()) return step;
  if (const auto step = load_multiple()) return step;
  if (const auto step = table_branch()) return step;
  if (const auto step = exclusive()) return step;
  return load_single();
}

std::optional<Step> Decoder::wide_branch() const {
  const auto branch = thumb::direct_branch(instruction_, context_.pc());
  if (!branch) return std::nullopt;
  if (branch->condition && !thumb::passes(*branch->condition, context_.core[kXpsr])) return run_to(next());
  return jump({.target = branch->target, .links = branch->links, .changes_registers = branch->links});
}

std::optional<Step> Decoder::load_multiple() const {
  const bool increment = (instruction_.first & 0xFFD0U) == 0xE890U;
  const bool decrement = (instruction_.first & 0xFFD0U) == 0xE910U;
  const std::uint32_t list = instruction_.second;
  if ((!increment && !decrement) || (list & 0x8000U) == 0) return std::nullopt;
  const std::size_t base_number = instruction_.first & 0xFU;
  const bool writes_back = (instruction_.first & 0x20U) != 0;
  const auto size = static_cast<std::uint32_t>(4 * std::popcount(list));
  const std::uint32_t base = reg(base_number);
  const std::uint32_t end = increment ? base + size : base - size;
  const std::uint32_t sp_after = writes_back && base_number == 13 ? end : context_.core[13];
  return load_pc((increment ? end : base) - 4, true, sp_after);  // pc has the highest address of the list
}

std::optional<Step> Decoder::table_branch() const {
  if ((instruction_.first & 0xFFF0U) != 0xE8D0U || (instruction_.second & 0xFFE0U) != 0xF000U) return std::nullopt;
  const bool halfwords = (instruction_.second & 0x10U) != 0;
  const std::uint32_t index = reg(instruction_.second & 0xFU);
  const std::uint32_t entry = reg(instruction_.first & 0xFU) + (halfwords ? 2 * index : index);
  std::array<std::uint8_t, 2> bytes{};
  if (!memory_.read(entry, std::span(bytes).first(halfwords ? 2 : 1))) return of_kind(Step::Kind::kFree);
  const std::uint32_t offset = static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8;
  return jump({.target = context_.pc() + 4 + 2 * offset});
}

std::optional<Step> Decoder::load_single() const {
  const auto load = thumb::load_to_pc(instruction_);
  if (!load) return std::nullopt;
  std::uint32_t base = reg(load->base);
  if (load->base == kPc) base &= ~3U;
  const std::uint32_t offset = load->by_register ? reg(load->index) << load->shift : load->offset;
  const std::uint32_t moved = base + offset;
  const std::uint32_t sp_after = load->writes_back && load->base == 13 ? moved : context_.core[13];
  return load_pc(load->pre_indexed ? moved : base, load->writes_back, sp_after);
}

// Between LDREX and STREX nothing may stop, because the entry into an exception clears the monitor and the store would
// fail for ever. So the whole sequence is one step: stop after the store, or where a branch leaves the sequence.
std::optional<Step> Decoder::exclusive() const {
  if (!thumb::is_load_exclusive(instruction_)) return std::nullopt;
  Step step;
  step.kind = Step::Kind::kRun;
  step.several = true;
  std::uint32_t pc = next();
  for (int i = 0; i < kExclusiveReach; ++i) {
    const auto instruction = thumb::fetch(memory_, pc);
    if (!instruction) return std::nullopt;
    const std::uint32_t after = pc + instruction->size;
    if (thumb::ends_exclusive(*instruction)) {
      step.targets[step.count++] = after;
      return step;
    }
    const auto branch = thumb::any_direct_branch(*instruction, pc);
    if (branch && (branch->target < context_.pc() || branch->target > pc)) {  // a retry inside is not a way out
      if (step.count + 1 == Step::kMaxTargets) return std::nullopt;
      step.targets[step.count++] = branch->target;
    }
    pc = after;
  }
  return std::nullopt;  // no sequence that is known: an ordinary step
}

}  // namespace

std::uint32_t advance_it(std::uint32_t xpsr) {
  const std::uint32_t it = thumb::it_state(xpsr);
  const std::uint32_t advanced = (it & 7U) == 0 ? 0 : ((it & 0xE0U) | ((it << 1) & 0x1FU));
  return thumb::with_it_state(xpsr, advanced);
}

Step next_step(const Context& context, ApplicationMemory& memory) {
  const auto instruction = thumb::fetch(memory, context.pc());
  if (!instruction) {
    // Halted right before a veneer, as a system call is that is to be made again; if there is none, it faults.
    const std::uint32_t back = context.core[kLr] & ~1U;
    const bool call = !memory.is_code(context.pc()) && memory.is_code(back);
    return call ? run_to(back) : of_kind(Step::Kind::kFree);
  }
  return Decoder(context, memory, *instruction).decode();
}

}  // namespace mv::debug
