// Any bytes as a change of keys: refused, or within what a device takes and the same when it is read again.
#include <cstddef>
#include <cstdint>

#include "bundle/key_change.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mv::bundle;
  const auto change = SignedKeyChange::parse(Bytes(data, size));
  if (!change) return 0;
  const auto made = SignedKeyChange::make(change->change());
  if (!made || made->encoded().size() > SignedKeyChange::kMaxBytes) __builtin_trap();
  if (made->change().sequence != change->change().sequence) __builtin_trap();
  return 0;
}
