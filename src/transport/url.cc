#include "transport/url.h"

#include <cctype>
#include <charconv>

namespace mv::transport {
namespace {

constexpr std::string_view kScheme = "https://";

// Splits "host:port", "[v6]:port" or a bare host.
bool split_host(std::string_view authority, CloudUrl& url) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const std::size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
  }
  if (url.host.empty()) return false;
  if (port.empty()) return true;
  if (!port.starts_with(':')) return false;
  port.remove_prefix(1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), url.port);
  return parsed.ec == std::errc() && parsed.ptr == port.data() + port.size() && url.port != 0;
}

bool is_plain(std::string_view text) {
  for (const char byte : text) {
    const auto c = static_cast<unsigned char>(byte);
    if (c <= ' ' || c >= 0x7F || c == '@' || c == '?' || c == '#') return false;
  }
  return true;
}

}  // namespace

tl::expected<CloudUrl, std::string> parse_cloud_url(std::string_view url) {
  const auto refuse = [&] {
    return tl::make_unexpected("\"" + std::string(url) + "\" is not the address of a cloud: write https://HOST:PORT");
  };
  if (!url.starts_with(kScheme) || !is_plain(url)) return refuse();
  const std::string_view rest = url.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  CloudUrl result;
  if (!split_host(rest.substr(0, slash), result)) return refuse();
  if (slash != std::string_view::npos) result.path = rest.substr(slash);
  while (result.path.ends_with('/')) result.path.pop_back();
  return result;
}

std::string percent_encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte) != 0) || std::string_view("-._~").find(c) != std::string_view::npos) {
      encoded.push_back(c);
    } else {
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return encoded;
}

std::string encode_form(const FormFields& fields) {
  std::string encoded;
  for (const auto& [name, value] : fields) {
    if (!encoded.empty()) encoded.push_back('&');
    encoded += percent_encode(name) + "=" + percent_encode(value);
  }
  return encoded;
}

}  // namespace mv::transport
