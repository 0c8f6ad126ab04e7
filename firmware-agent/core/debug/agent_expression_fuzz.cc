// Arbitrary bytecode and registers: an evaluation ends, and leaves the application's memory as it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "core/debug/agent_expression.h"
#include "core/debug/fake_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::debug;
  static test::FakeMemory memory;
  static ConsoleText console;
  Context context;
  const std::size_t registers = std::min(size, sizeof(context.core));
  std::memcpy(context.core.data(), data, registers);
  context.has_fp = size % 2 == 0;
  memory.put_word(test::kRam, 0x00636261);  // a string to print
  memory.reads = 0;
  console.begin();
  const ExpressionResult result = evaluate({data + registers, size - registers}, context, memory, console);
  if (result.error == ExpressionError::kNone) console.end();
  if (result.error != ExpressionError::kNone && result.has_value) std::abort();
  if (describe(result.error)[0] == '\0') std::abort();
  if (memory.reads > kExpressionSteps * kExpressionStack * 129) std::abort();
  while (!console.front().empty()) console.take(console.front().size());
  console.forget();
  return 0;
}
