#include "cli/bundle_options.h"

#include <charconv>
#include <string_view>

#include "cli/git.h"
#include "cli/key_store.h"

namespace mv::cli {
namespace {

constexpr std::uint64_t kBiggestInput = 256 << 20;  // an ELF with debug information
constexpr std::uint32_t kSyscallAbi = 1;            // docs/system-calls.md
constexpr std::size_t kLongestText = 64;            // wire/proto/manifest.options

void add_policy_options(Command& command, BundleOptions& o) {
  command
      .option("--debug-auth-pubkey,--debug-key", "KEY", &o.debug_auth_pubkey,
              "public key whose owner may debug the application; without it nobody can")
      .complete(Completion::kKey);
  command.option("--halt-limit", "S", &o.halt_limit,
                 "seconds after which a halted application runs on when its debugger lost the link; 0: 600");
  command.option("--connection-grace-time", "S", &o.connection_grace_time,
                 "seconds for which a connection is held after the application let go of it");
  command.option("--minimum-check-in-time", "S", &o.minimum_check_in_time,
                 "seconds after which the device connects by itself to look for updates; 0: stays connected");
  command.option("--maximum-politeness-time", "S", &o.maximum_politeness_time,
                 "seconds for which the application may put off an update; 0: applied at once");
  command.option("--minimum-kernel-version", "N", &o.minimum_kernel_version, "refuse to run on an older microvisor");
  command.option("--minimum-restart-interval", "MS", &o.minimum_restart_interval,
                 "milliseconds before the first restart after a crash");
  command.option("--maximum-restart-interval", "MS", &o.maximum_restart_interval,
                 "milliseconds that the wait between restarts grows to");
  command.option("--include-stack-bytes", "N", &o.include_stack_bytes, "bytes of stack in a crash report");
  command.option("--crash-region", "REGION", &o.crash_regions,
                 "RAM in a crash report, a variable or ADDRESS:LENGTH; up to 4 of them, 768 bytes in all");
  command
      .option("--faults", "WHAT", &o.faults,
              "who gets a fault of the application: capture ends it and records a crash, reflect gives it to its own "
              "HardFault handler")
      .choices({"capture", "reflect"})
      .shows_default(o.faults);
  command.option(
      "--confirm-timeout", "S", &o.confirm_timeout,
      "seconds that the application has, from its first start, to prove that it works; else the bundle before "
      "is put back; 0: need not");
  command
      .option("--confirm-by", "WHAT", &o.confirm_by,
              "what proves it: contact (it ran for 10 s and the cloud was reached), or application (it called "
              "mvConfirmUpdate)")
      .choices({"contact", "application"})
      .shows_default(o.confirm_by);
  command.option("--security-counter", "N", &o.security_counter,
                 "a device that confirmed a higher one refuses this bundle");
}

// Decimal, or hexadecimal after 0x.
std::optional<std::uint32_t> number_in(std::string_view text) {
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  if (is_hex) text.remove_prefix(2);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, is_hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

tl::expected<std::uint32_t, Failure> base_address(const BundleOptions& options) {
  if (options.base.empty()) {
    const bundle::Board* board = bundle::find_board(options.board);
    return board == nullptr ? 0 : board->internal_flash().start;
  }
  if (const auto address = number_in(options.base)) return *address;
  return fail(ExitCode::kUsage, "--base: '" + options.base + "' is not an address", "write it as 0x08000000");
}

tl::expected<bundle::CrashRegion, Failure> region_of_variable(const std::string& name, bundle::Bytes program) {
  if (!bundle::is_elf(program))
    return fail(ExitCode::kUsage, "--crash-region: '" + name + "' is no ADDRESS:LENGTH",
                "write it as 0x20000400:64; a variable's name is only found in an ELF file");
  const auto object = bundle::find_object(program, name);
  if (!object) return fail(ExitCode::kFailed, "--crash-region: " + object.error().message, object.error().hint);
  return bundle::CrashRegion{object->address, object->size};
}

tl::expected<bundle::CrashRegion, Failure> crash_region_of(const std::string& text, bundle::Bytes program) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return region_of_variable(text, program);
  const auto address = number_in(std::string_view(text).substr(0, colon));
  const auto length = number_in(std::string_view(text).substr(colon + 1));
  if (address && length) return bundle::CrashRegion{*address, *length};
  return fail(ExitCode::kUsage, "--crash-region: '" + text + "' is no variable and no ADDRESS:LENGTH",
              "write it as 0x20000400:64");
}

tl::expected<bundle::Policies, Failure> policies_of(const BundleOptions& o, bundle::Bytes program) {
  bundle::Policies policies;
  if (!o.debug_auth_pubkey.empty()) {
    const auto key = find_public_key(o.debug_auth_pubkey);
    if (!key) return tl::unexpected(key.error());
    policies.debuggable = true;
    policies.debug_auth_pubkey.assign(key->point().begin(), key->point().end());
  }
  policies.halt_limit_sec = o.halt_limit.value_or(0);
  policies.connection_grace_time_sec = o.connection_grace_time.value_or(0);
  policies.minimum_check_in_time_sec = o.minimum_check_in_time.value_or(0);
  policies.maximum_politeness_time_sec = o.maximum_politeness_time.value_or(0);
  policies.minimum_kernel_version = o.minimum_kernel_version.value_or(0);
  policies.minimum_restart_ms = o.minimum_restart_interval.value_or(0);
  policies.maximum_restart_ms = o.maximum_restart_interval.value_or(0);
  policies.include_stack_bytes = o.include_stack_bytes.value_or(0);
  policies.reflect_faults = o.faults == "reflect";
  for (const std::string& text : o.crash_regions) {
    const auto region = crash_region_of(text, program);
    if (!region) return tl::unexpected(region.error());
    policies.crash_regions.push_back(*region);
  }
  policies.confirm_timeout_sec = o.confirm_timeout.value_or(0);
  policies.confirm_by = o.confirm_by == "application" ? bundle::ConfirmBy::kApplication : bundle::ConfirmBy::kContact;
  if (policies.confirm_timeout_sec == 0 && policies.confirm_by == bundle::ConfirmBy::kApplication) {
    return fail(ExitCode::kUsage, "--confirm-by application needs a time in which it confirms",
                "add --confirm-timeout SECONDS");
  }
  if (policies.maximum_restart_ms != 0 && policies.minimum_restart_ms > policies.maximum_restart_ms) {
    return fail(ExitCode::kUsage, "--minimum-restart-interval is longer than --maximum-restart-interval");
  }
  return policies;
}

// What git says may be longer than a manifest holds; the end ("-dirty") matters most.
std::string shortened(std::string text) {
  return text.size() <= kLongestText ? text : text.substr(text.size() - kLongestText);
}

bundle::AppInfo info_of(const std::filesystem::path& input, const BundleOptions& o) {
  bundle::AppInfo info;
  info.name = o.name.empty() ? input.stem().string().substr(0, kLongestText) : o.name;
  if (o.version.empty() || o.git_revision.empty()) take_source_state(info, input.parent_path());
  if (!o.version.empty()) info.version = o.version;
  if (!o.git_revision.empty()) info.git_revision = o.git_revision;
  info.board = o.board;
  info.syscall_abi = kSyscallAbi;
  info.security_counter = o.security_counter.value_or(0);
  return info;
}

tl::expected<std::vector<std::uint8_t>, Failure> read_program(const std::filesystem::path& input) {
  std::error_code error;
  if (!std::filesystem::exists(input, error)) {
    return fail(ExitCode::kNotFound, input.string() + " is not there", "build the application first");
  }
  auto content = bundle::read_file(input, kBiggestInput);
  if (!content) return tl::unexpected(to_failure(content.error()));
  return std::move(*content);
}

tl::expected<bundle::Image, Failure> image_of(const std::filesystem::path& input, bundle::Bytes content,
                                              const BundleOptions& options) {
  const auto base = base_address(options);
  if (!base) return tl::unexpected(base.error());
  auto image = bundle::read_image(content, *base);
  if (!image) return fail(ExitCode::kFailed, input.string() + ": " + image.error().message, image.error().hint);
  return *image;
}

}  // namespace

void add_bundle_options(Command& command, BundleOptions& o) {
  command.option("--board", "BOARD", &o.board, "the board that it is for (mps2-an505, stm32u585)")
      .env("MVCTL_BOARD")
      .shows_default(o.board);
  command.option("--key,-k", "KEY", &o.key, "private key that signs: a name of mvctl keys, or a PEM file")
      .complete(Completion::kKey);
  command
      .option("--encrypt-to", "KEY", &o.encrypt_to,
              "encrypt it: only devices with the private half of this key can read it; a name of mvctl keys, or a PEM "
              "file; up to 4 of them")
      .complete(Completion::kKey);
  command.option("--name", "NAME", &o.name, "name of the application [default: the file's name]");
  command.option("--version", "TEXT", &o.version, "version of the application [default: git describe]");
  command.option("--git-revision", "TEXT", &o.git_revision, "revision of the sources [default: asked of git]");
  command.option("--base", "ADDRESS", &o.base, "where a raw binary begins [default: start of flash]");
  add_policy_options(command, o);
}

void take_source_state(bundle::AppInfo& info, const std::filesystem::path& folder) {
  const SourceState source = source_state(folder);
  if (source.revision.empty()) return;
  info.version = shortened(source.description);
  info.git_revision = shortened(source.revision);
}

tl::expected<MadeBundle, Failure> make_bundle(const std::filesystem::path& input, const BundleOptions& options) {
  const auto program = read_program(input);
  if (!program) return tl::unexpected(program.error());
  const auto image = image_of(input, *program, options);
  if (!image) return tl::unexpected(image.error());
  const auto policies = policies_of(options, *program);
  if (!policies) return tl::unexpected(policies.error());
  bundle::CreateOptions create{*policies, info_of(input, options), nullptr};
  for (const std::string& name : options.encrypt_to) {
    auto reader = find_public_key(name);
    if (!reader) return tl::unexpected(reader.error());
    create.encrypt_to.push_back(std::move(*reader));
  }
  std::optional<bundle::PrivateKey> signer;
  if (!options.key.empty()) {
    auto key = find_private_key(options.key);
    if (!key) return tl::unexpected(key.error());
    signer = std::move(*key);
    create.signer = &*signer;
  }
  auto bytes = bundle::create_bundle(*image, create);
  if (!bytes) return fail(ExitCode::kFailed, input.string() + ": " + bytes.error().message, bytes.error().hint);
  const auto made = bundle::Bundle::parse(*bytes);
  if (!made) return tl::unexpected(to_failure(made.error()));
  MadeBundle result{{}, made->manifest(), 0};
  for (const auto& layer : result.manifest.body().layers) result.content_bytes += layer.content_size;
  result.bytes = std::move(*bytes);
  return result;
}

}  // namespace mv::cli
