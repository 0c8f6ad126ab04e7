// Contexts: which cloud mvctl talks to, and as whom. Kept in $XDG_CONFIG_HOME/mvctl/config.json (mode 0600):
//
//   {"schema": 1, "current": "local", "contexts": {"local": {"cloud": "https://127.0.0.1:8443", "account_sid": "AC...",
//    "token": "...", "ca_certificate": "/path/ca.pem"}}}
//
// MVCTL_CLOUD, MVCTL_ACCOUNT, MVCTL_TOKEN and MVCTL_CA override the fields one by one, for CI. A token is never an
// option: command lines are seen by everybody on the machine.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "cli/failure.h"
#include "cli/file.h"

namespace mv::cli {

struct Context {
  std::string name;
  std::string cloud;        // "https://host:8443", without a slash behind it
  std::string account_sid;  // "AC" + 32 hex digits; may be empty: then the token is a bearer token
  std::string token;
  std::string ca_certificate;  // PEM file; empty: the system's authorities
};

struct ContextStore {
  std::string current;
  std::map<std::string, Context> contexts;
};

// $XDG_CONFIG_HOME/mvctl, else $HOME/.config/mvctl. The folder may not exist yet.
std::filesystem::path config_folder();
// $XDG_STATE_HOME/mvctl, else $HOME/.local/state/mvctl.
std::filesystem::path state_folder();
// $XDG_CACHE_HOME/mvctl, else $HOME/.cache/mvctl.
std::filesystem::path cache_folder();

// No file: an empty store. A file that is not what we write: kFailed, with its name.
tl::expected<ContextStore, Failure> load_contexts();

// Replaces the file in one step (written beside it, then renamed), mode 0600 in a folder of mode 0700.
Result save_contexts(const ContextStore& store);

// The context named `wanted`, or the current one if it is empty, with the environment's values in place.
// kNotFound: there is no such context. kUsage: none at all is configured.
tl::expected<Context, Failure> choose_context(const std::string& wanted);

}  // namespace mv::cli
