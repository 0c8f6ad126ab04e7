// Fuzz target: any line either parses to a bounded command or is refused, whatever its strings may hold.
#include <cstdint>
#include <cstdlib>

#include "emulator/at_command.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mv::emulator::AtCommand;
  using mv::emulator::AtQuoting;
  for (const AtQuoting quoting : {AtQuoting::kPlain, AtQuoting::kBackslash}) {
    const auto command = AtCommand::parse({reinterpret_cast<const char*>(data), size}, quoting);
    if (command && (command->arguments.size() > 16 || command->name.size() > size)) std::abort();
  }
  return 0;
}
