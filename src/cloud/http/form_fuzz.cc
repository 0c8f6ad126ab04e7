// Feeds arbitrary bytes to the readers of forms and of JSON bodies: what comes out is UTF-8 without NUL.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cloud/http/form.h"

namespace {

void check(const mv::cloud::Fields& fields) {
  for (const auto& [name, value] : fields) {
    if (!mv::cloud::is_utf8(name) || !mv::cloud::is_utf8(value)) __builtin_trap();
    if (value.find('\0') != std::string::npos) __builtin_trap();
  }
  if (fields.size() > 64) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto form = mv::cloud::parse_form(bytes)) check(*form);
  if (const auto json = mv::cloud::parse_json_fields(bytes)) check(*json);
  if (mv::cloud::is_utf8(bytes) && bytes.find('\0') == std::string_view::npos &&
      mv::cloud::decode_percent(mv::cloud::encode_percent(bytes), true) != bytes) {
    __builtin_trap();
  }
  return 0;
}
