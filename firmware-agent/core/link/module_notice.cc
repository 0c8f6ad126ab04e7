#include "core/link/module_notice.h"

#include <algorithm>
#include <array>

namespace mv::link {
namespace {

// `ERROR` and `busy p...` answer bytes that the module took for a command: it has left transparent mode.
constexpr std::array<std::string_view, 8> kNotices = {"CLOSED\r\n",      "WIFI DISCONNECT\r\n", "WIFI CONNECTED\r\n",
                                                      "WIFI GOT IP\r\n", "CONNECT\r\n",         "ready\r\n",
                                                      "ERROR\r\n",       "busy p...\r\n"};
constexpr std::string_view kLineEnd = "\r\n";

bool may_be_of_a_notice(std::uint8_t byte) { return (byte >= 0x20 && byte < 0x7F) || byte == '\r' || byte == '\n'; }

// Whether the whole text is notices and ends of lines, the last of them perhaps cut short.
bool parse(std::string_view text, NoticeSuffix& out) {
  out = {text.size(), {}};
  while (!text.empty() && text != "\r") {
    if (text.starts_with(kLineEnd)) {
      text.remove_prefix(kLineEnd.size());
      continue;
    }
    const auto* whole = std::find_if(kNotices.begin(), kNotices.end(),
                                     [&](std::string_view notice) { return text.starts_with(notice); });
    if (whole == kNotices.end()) {
      return std::any_of(kNotices.begin(), kNotices.end(),
                         [&](std::string_view notice) { return notice.starts_with(text); });
    }
    if (out.first.empty()) out.first = {whole->data(), whole->size() - kLineEnd.size()};
    text.remove_prefix(whole->size());
  }
  return true;
}

}  // namespace

NoticeSuffix find_notices(std::span<const std::uint8_t> window) {
  std::size_t from = window.size();
  while (from > 0 && may_be_of_a_notice(window[from - 1])) --from;
  const std::string_view text(reinterpret_cast<const char*>(window.data()), window.size());
  NoticeSuffix suffix;
  for (; from < window.size(); ++from) {
    if (parse({text.data() + from, text.size() - from}, suffix)) return suffix;
  }
  return {};
}

}  // namespace mv::link
