#include "cli/context.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

namespace mv::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLongestConfig = 1 << 20;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// The XDG base directory specification ignores values that are not absolute.
fs::path base_folder(const char* variable, const char* below_home) {
  const fs::path given = environment(variable);
  if (given.is_absolute()) return given / "mvctl";
  return fs::path(environment("HOME")) / below_home / "mvctl";
}

fs::path config_file() { return config_folder() / "config.json"; }

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Context context_of(const std::string& name, const nlohmann::json& json) {
  return {name, text_of(json, "cloud"), text_of(json, "account_sid"), text_of(json, "token"),
          text_of(json, "ca_certificate")};
}

tl::unexpected<Failure> unreadable(const std::string& why) {
  return fail(ExitCode::kFailed, config_file().string() + " cannot be used: " + why,
              "correct it, or move it away and run mvctl context create");
}

void override_from_environment(Context& context) {
  const auto take = [](const char* name, std::string& field) {
    if (auto value = environment(name); !value.empty()) field = std::move(value);
  };
  take("MVCTL_CLOUD", context.cloud);
  take("MVCTL_ACCOUNT", context.account_sid);
  take("MVCTL_TOKEN", context.token);
  take("MVCTL_CA", context.ca_certificate);
  while (!context.cloud.empty() && context.cloud.back() == '/') context.cloud.pop_back();
}

}  // namespace

fs::path config_folder() { return base_folder("XDG_CONFIG_HOME", ".config"); }
fs::path state_folder() { return base_folder("XDG_STATE_HOME", ".local/state"); }
fs::path cache_folder() { return base_folder("XDG_CACHE_HOME", ".cache"); }

tl::expected<ContextStore, Failure> load_contexts() {
  std::error_code error;
  if (!fs::exists(config_file(), error)) return ContextStore{};
  if (fs::file_size(config_file(), error) > kLongestConfig || error) return unreadable("it is not a small file");
  std::ifstream file(config_file());
  if (!file) return unreadable(std::strerror(errno));
  const auto json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object()) return unreadable("it is not JSON as mvctl writes it");
  ContextStore store;
  store.current = text_of(json, "current");
  const auto contexts = json.find("contexts");
  if (contexts != json.end() && contexts->is_object()) {
    for (const auto& [name, context] : contexts->items()) store.contexts[name] = context_of(name, context);
  }
  return store;
}

Result save_contexts(const ContextStore& store) {
  nlohmann::ordered_json json = {
      {"schema", 1}, {"current", store.current}, {"contexts", nlohmann::ordered_json::object()}};
  for (const auto& [name, context] : store.contexts) {
    json["contexts"][name] = {{"cloud", context.cloud},
                              {"account_sid", context.account_sid},
                              {"token", context.token},
                              {"ca_certificate", context.ca_certificate}};
  }
  const auto text = json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return write_private_file(config_file(), text);
}

tl::expected<Context, Failure> choose_context(const std::string& wanted) {
  auto store = load_contexts();
  if (!store) return tl::unexpected(store.error());
  Context context;
  const std::string& name = wanted.empty() ? store->current : wanted;
  if (const auto found = store->contexts.find(name); found != store->contexts.end()) {
    context = found->second;
  } else if (!wanted.empty()) {
    return fail(ExitCode::kNotFound, "no context is called " + wanted, "see mvctl context list");
  }
  override_from_environment(context);
  if (context.cloud.empty()) {
    return fail(ExitCode::kUsage, "no cloud is chosen",
                "mvctl context create NAME --cloud https://HOST:8443, or set MVCTL_CLOUD and MVCTL_TOKEN");
  }
  return context;
}

}  // namespace mv::cli
