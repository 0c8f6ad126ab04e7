// Who may use the API: tokens, stored as salted hashes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/store/store.h"

namespace mv::cloud {

struct NewToken {
  Token token;
  std::string secret;  // shown once: "TK<32 hex>_<64 hex>", the id and 256 random bits
};

NewToken make_token(std::string_view account, std::string_view name, Microseconds now,
                    std::optional<Microseconds> expires);

// The account that an Authorization header (Basic AC...:TOKEN, or Bearer TOKEN) gives access to. The sentence of a
// refusal tells an expired token from a wrong one only to who knows its secret.
Result<std::string> authenticate(Store& store, std::string_view authorization, Microseconds now);

}  // namespace mv::cloud
