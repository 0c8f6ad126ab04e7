// The cloud's data folder: made by `mvcloud init`, opened by everything else.
//
//   config.json   where to listen and under which names       ca.pem, ca.key   the authority
//   mvcloud.db    the database (SQLite)                        blobs/           manifests, layers, bundles
//   deltas/       records of updates, made again if they are lost
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cloud/pki.h"
#include "cloud/text.h"

namespace mv::cloud {

struct Config {
  std::string listen = "127.0.0.1:8443";
  std::vector<std::string> names;  // of the server; devices dial and check the first
  std::string account_sid;
};

class DataFolder {
 public:
  explicit DataFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path database() const { return path_ / "mvcloud.db"; }
  std::filesystem::path blobs() const { return path_ / "blobs"; }
  std::filesystem::path deltas() const { return path_ / "deltas"; }
  std::filesystem::path authority_certificate() const { return path_ / "ca.pem"; }

  bool initialised() const;

  // Writes the authority first and config.json last: a folder with a config.json is whole.
  Result<void> write_authority(const KeyAndCertificate& authority) const;
  Result<void> write_config(const Config& config) const;
  Result<KeyAndCertificate> read_authority() const;
  Result<Config> read_config() const;

  // $XDG_DATA_HOME/mvcloud, or ~/.local/share/mvcloud.
  static std::filesystem::path standard();

 private:
  std::filesystem::path path_;
};

}  // namespace mv::cloud
