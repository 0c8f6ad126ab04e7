// A key change from anywhere: as a message, and as the body of one that a key holder signed. Carried out or refused,
// never a crash; and what is left can still sign.
#include <cstddef>
#include <cstdint>

#include "core/update/signer_keys_fixture.h"

namespace {

using namespace mv;
using namespace mv::update;

void check(const SignerKeys& keys) {
  if (keys.count() == 0 || keys.count() > SignerKeys::kMaxKeys) __builtin_trap();
  if (keys.threshold() == 0 || keys.threshold() > keys.count()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = (rig::set_up_crypto(), true);
  static const rig::Signer one, two;
  static const mv_wire_Identity identity = fixture::identity_with({&one, &two});
  static mv::host::FakeFlash flash(fixture::kKeysFlash);
  (void)ready;
  if (size > SignerKeys::kMaxMessage) return 0;
  for (std::uint32_t page = 0; page < mv::flash_map::kSignerKeys.size; page += mv::Flash::kPage) {
    flash.erase_page(mv::flash_map::kSignerKeys.offset + page);
  }
  SignerKeys keys(flash, identity);
  keys.mount();
  const bool forged = keys.apply({data, size}, {}) == mv_wire_KeyChangeError_KEYS_OK;
  if (forged) __builtin_trap();
  // Signing takes long: only for what is a change at all.
  if (!wire::KeyChange().ParseFromArray(data, static_cast<int>(size))) return 0;
  const std::string body(reinterpret_cast<const char*>(data), size);
  const std::array<std::uint64_t, 1> in_use = {one.id()};
  const bool changed = keys.apply(fixture::signed_by(body, {&one}), in_use) == mv_wire_KeyChangeError_KEYS_OK;
  check(keys);
  if (!keys.contains(one.id())) __builtin_trap();
  SignerKeys again(flash, identity);
  again.mount();
  check(again);
  if (changed && again.sequence() != keys.sequence()) __builtin_trap();
  return 0;
}
