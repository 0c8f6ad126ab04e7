#include "cli/update_plan.h"

#include <array>
#include <cstdio>
#include <map>

#include "cli/output.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

std::uint64_t number_of(const ordered_json& document, const char* key) {
  if (!document.is_object() || !document.contains(key)) return 0;
  const ordered_json& value = document[key];
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

const ordered_json& list_of(const ordered_json& document, const char* key) {
  static const ordered_json kNothing = ordered_json::array();
  return document.is_object() && document.contains(key) && document[key].is_array() ? document[key] : kNothing;
}

// "1 same, 2 delta"
std::string kinds_of(const ordered_json& segments) {
  std::map<std::string, int> kinds;
  for (const ordered_json& segment : segments) ++kinds[printable(text_of(segment, "kind"))];
  std::string text;
  for (const auto& [kind, count] : kinds) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + kind;
  return text.empty() ? "whole" : text;
}

std::string layer_line(const ordered_json& layer) {
  std::array<char, 32> start{};
  std::snprintf(start.data(), start.size(), "0x%08llx", static_cast<unsigned long long>(number_of(layer, "start")));
  const std::string what = printable(text_of(layer, "area")) + " " + start.data() + "  " +
                           grouped(number_of(layer, "content_size")) + " bytes: ";
  if (layer.is_object() && layer.value("installed", ordered_json()) == ordered_json(true)) return what + "installed";
  return what + kinds_of(list_of(layer, "segments")) + ", " + grouped(number_of(layer, "bytes")) + " over the air";
}

}  // namespace

UpdatePlan update_plan_of(const ordered_json& document) {
  UpdatePlan plan{number_of(document, "content_size"), number_of(document, "bytes"), {}};
  for (const ordered_json& layer : list_of(document, "layers")) plan.layers.push_back(layer_line(layer));
  return plan;
}

Answer<UpdatePlan> update_plan(CloudClient& cloud, const std::string& app_sid, const std::string& runs) {
  const auto document = cloud.get("/Apps/" + app_sid + "/Delta", {{"From", runs}});
  if (!document) return tl::make_unexpected(document.error());
  return update_plan_of(*document);
}

std::string summary(const UpdatePlan& plan) {
  return grouped(plan.bytes) + " of " + grouped(plan.content_bytes) + " bytes over the air (" +
         percent(plan.bytes, plan.content_bytes) + ")";
}

}  // namespace mv::cli
