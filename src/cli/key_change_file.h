// Files with changes of signer keys: read, and described for programs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "bundle/key_change.h"
#include "cli/failure.h"

namespace mv::cli {

// Failures: kNotFound, kFailed (it is none).
tl::expected<bundle::SignedKeyChange, Failure> read_key_change(const std::string& file);

nlohmann::ordered_json key_change_json(const bundle::SignedKeyChange& change);

// 16 hexadecimal digits.
std::optional<bundle::KeyId> parse_key_id(std::string_view text);

}  // namespace mv::cli
