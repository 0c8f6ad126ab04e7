#include "cloud/http/form.h"

#include <nlohmann/json.hpp>

namespace mv::cloud {
namespace {

constexpr std::size_t kMaxFields = 64;

// "unique_name" -> "UniqueName"; a name that has capitals already stays.
std::string to_parameter_name(std::string_view name) {
  std::string result;
  bool capital = true;
  for (const char c : name) {
    if (c == '_') {
      capital = true;
      continue;
    }
    result += capital && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    capital = false;
  }
  return result;
}

std::optional<std::string> to_value(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_integer()) return value.dump();
  return std::nullopt;
}

}  // namespace

std::optional<std::string> decode_percent(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte) return std::nullopt;
      decoded += *byte;
      i += 2;
    } else {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  if (!is_utf8(decoded) || decoded.find('\0') != std::string::npos) return std::nullopt;
  return decoded;
}

std::string encode_percent(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%' + to_hex(std::string_view(&c, 1));
    }
  }
  return encoded;
}

std::optional<Fields> parse_form(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    const auto name = decode_percent(part.substr(0, equals), true);
    const auto value = equals == std::string_view::npos ? std::string() : decode_percent(part.substr(equals + 1), true);
    if (!name || !value || fields.size() >= kMaxFields || !fields.emplace(*name, *value).second) return std::nullopt;
  }
  return fields;
}

Result<Fields> parse_json_fields(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || json.size() > kMaxFields) return fail("the body is not a JSON object of at most 64 members");
  Fields fields;
  for (const auto& [name, value] : json.items()) {
    if (value.is_null()) continue;
    const auto as_text = to_value(value);
    if (!as_text || as_text->find('\0') != std::string::npos) {
      return fail("the member '" + name + "' of the body is not a string, a whole number or a boolean");
    }
    fields[to_parameter_name(name)] = *as_text;
  }
  return fields;
}

}  // namespace mv::cloud
