// Form encoding (application/x-www-form-urlencoded, WHATWG URL standard, section 5) and JSON bodies as Fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/http/http.h"

namespace mv::cloud {

// Nothing if an escape is cut off or the result is not UTF-8 or holds a NUL. `plus_is_space`: in forms and queries.
std::optional<std::string> decode_percent(std::string_view text, bool plus_is_space);
std::string encode_percent(std::string_view text);

// Nothing if a part is not well-formed, a name comes twice, or there are more than 64.
std::optional<Fields> parse_form(std::string_view text);

// A JSON object of strings, numbers, booleans and nulls (left out): {"unique_name": "x"} gives UniqueName=x, so that a
// route reads one kind of name.
Result<Fields> parse_json_fields(std::string_view text);

}  // namespace mv::cloud
