// The device's identity, as provisioning left it in flash: length (u32), CRC-32 (u32), then wire::Identity.
#pragma once

#include <string_view>

#include "core/platform/ports.h"
#include "wire/proto/identity.nanopb.h"

namespace mv::update {

class IdentityStore {
 public:
  // Reads it. Empty if it is good; else a sentence that says what is wrong, and `get` is an empty identity.
  std::string_view load(Flash& flash);

  const mv_wire_Identity& get() const { return identity_; }

 private:
  mv_wire_Identity identity_{};
};

}  // namespace mv::update
