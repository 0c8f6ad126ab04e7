// The options that say what a bundle carries beside the program: shared by `mvctl bundle create` and `mvctl deploy`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "bundle/bundle.h"
#include "cli/command.h"
#include "cli/failure.h"

namespace mv::cli {

// Names and meanings of the policies are the original platform's.
struct BundleOptions {
  std::string board = "mps2-an505";
  std::string key;                // name or file; empty: unsigned
  std::string name;               // empty: the input file's, without its ending
  std::string version;            // empty: from git
  std::string git_revision;       // empty: from git
  std::string base;               // address of a binary; empty: start of flash
  std::string debug_auth_pubkey;  // name or file
  std::optional<std::uint32_t> connection_grace_time;
  std::optional<std::uint32_t> minimum_check_in_time;
  std::optional<std::uint32_t> maximum_politeness_time;
  std::optional<std::uint32_t> minimum_kernel_version;
  std::optional<std::uint32_t> minimum_restart_interval;
  std::optional<std::uint32_t> maximum_restart_interval;
  std::optional<std::uint32_t> include_stack_bytes;
  std::vector<std::string> crash_regions;  // SYMBOL or ADDRESS:LENGTH
  std::string faults = "capture";          // or "reflect"
  std::optional<std::uint32_t> confirm_timeout;
  std::string confirm_by = "contact";  // or "application"
  std::optional<std::uint32_t> halt_limit;
  std::optional<std::uint32_t> security_counter;
  std::vector<std::string> encrypt_to;  // names or files of public keys
};

// Adds them to a command. `options` must outlive the tree.
void add_bundle_options(Command& command, BundleOptions& options);

struct MadeBundle {
  std::vector<std::uint8_t> bytes;
  bundle::Manifest manifest;
  std::uint64_t content_bytes = 0;  // of all layers
};

// Version and revision as git says of the work tree that `folder` is in; nothing changes if it is in none.
void take_source_state(bundle::AppInfo& info, const std::filesystem::path& folder);

// Reads `input` (ELF, HEX or binary) and makes its bundle, in memory.
// Failures: kNotFound (file, key), kFailed (refused, with the file's name in the sentence).
tl::expected<MadeBundle, Failure> make_bundle(const std::filesystem::path& input, const BundleOptions& options);

}  // namespace mv::cli
