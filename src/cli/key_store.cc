#include "cli/key_store.h"

#include <algorithm>

#include "cli/context.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPublicEnding = ".pub.pem";

tl::unexpected<Failure> no_such_key(const std::string& wanted) {
  return fail(ExitCode::kNotFound, "no key is called " + wanted + ", and there is no such file",
              "see mvctl keys list, or make it with mvctl keys create " + (is_key_name(wanted) ? wanted : "NAME"));
}

// The file that is meant: a path that exists, else the named key's file.
tl::expected<fs::path, Failure> locate(const std::string& wanted, fs::path KeyFiles::*which) {
  std::error_code error;
  if (fs::is_regular_file(wanted, error) || fs::is_fifo(wanted, error)) return fs::path(wanted);
  if (is_key_name(wanted)) {
    const fs::path file = key_files(wanted).*which;
    if (fs::exists(file, error)) return file;
  }
  return no_such_key(wanted);
}

}  // namespace

Failure to_failure(const bundle::Error& error) { return {ExitCode::kFailed, error.message, error.hint}; }

fs::path keys_folder() { return config_folder() / "keys"; }

bool is_key_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), allowed);
}

KeyFiles key_files(const std::string& name) {
  return {keys_folder() / (name + ".pem"), keys_folder() / (name + std::string(kPublicEnding))};
}

std::vector<std::string> key_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(keys_folder(), error)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(kPublicEnding)) continue;
    const std::string name = file.substr(0, file.size() - kPublicEnding.size());
    if (is_key_name(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

tl::expected<bundle::PrivateKey, Failure> find_private_key(const std::string& name_or_file) {
  const auto file = locate(name_or_file, &KeyFiles::private_file);
  if (!file) return tl::unexpected(file.error());
  return bundle::read_private_key(*file).map_error(to_failure);
}

tl::expected<bundle::PublicKey, Failure> find_public_key(const std::string& name_or_file) {
  const auto file = locate(name_or_file, &KeyFiles::public_file);
  if (!file) return tl::unexpected(file.error());
  return bundle::read_public_key(*file).map_error(to_failure);
}

tl::expected<std::vector<bundle::PublicKey>, Failure> all_public_keys() {
  std::vector<bundle::PublicKey> keys;
  for (const auto& name : key_names()) {
    auto key = find_public_key(name);
    if (!key) return tl::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace mv::cli
