#include "boards/common/stacks.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "arch/cortex-m33/registers.h"
#include "arch/cortex-m33/scheduler.h"
#include "boards/board.h"

extern "C" std::uint32_t mv_handler_stack_start[], mv_handler_stack_end[];

namespace mv::board {
namespace {

template <std::size_t kBytes>
using Stack = std::array<std::uint32_t, kBytes / 4>;

constexpr std::uint32_t kUnusedWord = 0xa5a5a5a5;

alignas(8) __attribute__((section(".stack.thread"))) Stack<kThreadStackSize> thread_stack;
alignas(8) __attribute__((section(".stack.world"))) Stack<3072> world_stack;
alignas(8) __attribute__((section(".stack.handler"), used)) Stack<4096> handler_stack;

}  // namespace

void mark_handler_stack() {
  auto* pointer = reinterpret_cast<std::uint32_t*>(arch::read_msp());
  std::fill(mv_handler_stack_start, pointer - 16, kUnusedWord);
}

void run(void (*thread)()) { arch::scheduler.run(clock(), world(), thread_stack, world_stack, thread); }

StackRoom stack_room() {
  const auto* used = std::find_if(mv_handler_stack_start, mv_handler_stack_end,
                                  [](std::uint32_t word) { return word != kUnusedWord; });
  return {arch::scheduler.thread_stack_unused(), arch::scheduler.world_stack_unused(),
          static_cast<std::size_t>(used - mv_handler_stack_start) * 4};
}

}  // namespace mv::board
