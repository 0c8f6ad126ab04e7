// Arbitrary instructions and registers: the decoder names a step and does nothing else.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "core/debug/data_access.h"
#include "core/debug/fake_target.h"
#include "core/debug/next_pc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::debug;
  static test::FakeMemory memory;
  Context context;
  const std::size_t registers = std::min(size, sizeof(context.core));
  std::memcpy(context.core.data(), data, registers);
  const std::span<const std::uint8_t> code(data + registers, std::min<std::size_t>(size - registers, 64));
  memory.patch_code(test::kCode, code);
  context.pc() = test::kCode;
  const Step step = next_step(context, memory);
  if (step.count > Step::kMaxTargets) std::abort();
  for (const std::uint32_t target : step.stops()) {
    if ((target & 1U) != 0) std::abort();
  }
  advance_it(context.xpsr());
  const auto instruction = thumb::fetch(memory, context.pc());
  const auto access = instruction ? data_access(context, *instruction) : std::nullopt;
  if (access && (access->size == 0 || access->source_count > access->sources.size())) std::abort();
  for (std::uint32_t i = 0; access && i < access->size; ++i) access->stored(i, context);
  return 0;
}
