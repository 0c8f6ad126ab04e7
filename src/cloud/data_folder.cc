#include "cloud/data_folder.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cloud/files.h"

namespace mv::cloud {
namespace fs = std::filesystem;

bool DataFolder::initialised() const {
  std::error_code ignored;
  return fs::exists(path_ / "config.json", ignored);
}

Result<void> DataFolder::write_authority(const KeyAndCertificate& authority) const {
  if (auto done = write_file_durably(path_ / "ca.key", authority.private_key_pem); !done) return done;
  return write_file_durably(authority_certificate(), authority.certificate_pem, 0644);
}

Result<void> DataFolder::write_config(const Config& config) const {
  const nlohmann::ordered_json json = {
      {"listen", config.listen}, {"names", config.names}, {"account_sid", config.account_sid}};
  return write_file_durably(path_ / "config.json", json.dump(2) + "\n");
}

Result<KeyAndCertificate> DataFolder::read_authority() const {
  auto key = read_file(path_ / "ca.key");
  if (!key) return fail(key.error());
  auto certificate = read_file(authority_certificate());
  if (!certificate) return fail(certificate.error());
  return KeyAndCertificate{std::move(*key), std::move(*certificate)};
}

Result<Config> DataFolder::read_config() const {
  if (!initialised())
    return fail(path_.string() + " is no data folder of mvcloud: run `mvcloud init --data " + path_.string() + "`");
  const auto text = read_file(path_ / "config.json");
  if (!text) return fail(text.error());
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  try {
    return Config{json.at("listen"), json.at("names"), json.at("account_sid")};
  } catch (const nlohmann::json::exception& error) {
    return fail((path_ / "config.json").string() + " is damaged (" + error.what() +
                "): restore it, or init a new folder");
  }
}

fs::path DataFolder::standard() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0')
    return fs::path(data) / "mvcloud";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "." : home) / ".local/share/mvcloud";
}

}  // namespace mv::cloud
