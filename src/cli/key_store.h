// Keys by name: $XDG_CONFIG_HOME/mvctl/keys/NAME.pem (private, mode 0600) and NAME.pub.pem.
//
// Wherever mvctl takes a key, a name of this folder or the path of a PEM file will do.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bundle/keys.h"
#include "cli/failure.h"

namespace mv::cli {

// An error of the bundle library as a failure of a command (kNotFound for a file that is not there, else kFailed).
Failure to_failure(const bundle::Error& error);

std::filesystem::path keys_folder();

// Letters, digits, '-', '_' and '.', not beginning with '.', at most 64.
bool is_key_name(const std::string& name);

struct KeyFiles {
  std::filesystem::path private_file;
  std::filesystem::path public_file;
};
KeyFiles key_files(const std::string& name);

// Names in the folder, sorted; the public half is enough.
std::vector<std::string> key_names();

// kNotFound: neither a file nor a name.
tl::expected<bundle::PrivateKey, Failure> find_private_key(const std::string& name_or_file);
tl::expected<bundle::PublicKey, Failure> find_public_key(const std::string& name_or_file);

// The public halves of every key in the folder: whom `mvctl bundle verify` trusts unless told otherwise.
tl::expected<std::vector<bundle::PublicKey>, Failure> all_public_keys();

}  // namespace mv::cli
