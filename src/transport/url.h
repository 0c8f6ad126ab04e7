// The little of URLs that the client needs: "https://host:port", and encoding of path, query and form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace mv::transport {

struct CloudUrl {
  std::string host;  // without brackets
  std::uint16_t port = 443;
  std::string path;  // "" or "/prefix", without a slash at its end
};

// "https://host[:port][/prefix]". Error: a sentence.
tl::expected<CloudUrl, std::string> parse_cloud_url(std::string_view url);

// Everything but letters, digits and "-._~" becomes %XX (RFC 3986 section 2.3): fit for one path segment or a value.
std::string percent_encode(std::string_view text);

using FormFields = std::vector<std::pair<std::string, std::string>>;

// "name=value&name=value", application/x-www-form-urlencoded and fit for a query as well.
std::string encode_form(const FormFields& fields);

}  // namespace mv::transport
