// The shape of answers: JSON, errors, lists with paging, and the resources' own forms.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cloud/api/api.h"

namespace mv::cloud {

using Json = nlohmann::ordered_json;

HttpReply json_reply(int status, const Json& body);
// {"code": 20404, "message": ..., "more_info": "", "status": 404}
HttpReply error_reply(int status, const Sentence& sentence);
HttpReply error_reply(const StoreError& error);

// PageSize (1 to 1000), PageToken ("PA<order>" older than it, "PB<order>" newer). Errors: a sentence for a 400.
Result<PageRequest> page_request(const Fields& query);

// {"meta": {...}, KEY: [...]}
template <typename T, typename ToJson>
HttpReply list_reply(const Call& call, const std::string& key, const Stored<Page<T>>& page, const ToJson& to_json);

Json list_meta(const Call& call, const std::string& key, bool more_older, bool more_newer, std::int64_t first,
               std::int64_t last);

Json app_json(const App& app);
Json device_json(Services& services, const Device& device);
Json crash_json(const Device& device, const Crash& crash);
Json event_json(const Event& event);
Json log_json(const LogRecord& record);

// A time, or null.
Json time_or_null(const std::optional<Microseconds>& time);
Json text_or_null(const std::string& text);

// True, false, or a sentence that names the parameter.
Result<bool> parse_flag(const std::string& name, const std::string& value);
// A unique name: 1 to 64 characters of letters, digits, ".", "_", "-" and space; no sid, which would be ambiguous.
Result<void> check_unique_name(const std::string& name);

template <typename T, typename ToJson>
HttpReply list_reply(const Call& call, const std::string& key, const Stored<Page<T>>& page, const ToJson& to_json) {
  if (!page) return error_reply(page.error());
  Json body;
  body["meta"] = list_meta(call, key, page->more_older, page->more_newer, page->first_order, page->last_order);
  body[key] = Json::array();
  for (const T& item : page->items) body[key].push_back(to_json(item));
  return json_reply(200, body);
}

}  // namespace mv::cloud
