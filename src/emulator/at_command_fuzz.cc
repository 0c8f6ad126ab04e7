// Fuzz target: any line either parses to a bounded command or is refused.
#include <cstdint>
#include <cstdlib>

#include "emulator/at_command.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto command = mv::emulator::AtCommand::parse({reinterpret_cast<const char*>(data), size});
  if (command && (command->arguments.size() > 16 || command->name.size() > size)) std::abort();
  return 0;
}
