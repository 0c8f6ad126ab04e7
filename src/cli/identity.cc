#include "cli/identity.h"

#include "cli/key_store.h"
#include "wire/proto/identity.pb.h"
#include "wire/sealed_layer.h"

namespace mv::cli {
namespace {

constexpr std::uint32_t kMostSigners = 5;  // signatures that a bundle has room for

tl::expected<std::vector<bundle::PrivateKey>, Failure> decryption_keys(const IdentityOptions& options) {
  if (options.decryption_keys.size() > sealed::kMostRecipients) {
    return fail(ExitCode::kUsage, "a device holds at most 4 decryption keys", "leave out those of old bundles");
  }
  std::vector<bundle::PrivateKey> keys;
  for (const std::string& name : options.decryption_keys) {
    auto key = find_private_key(name);
    if (!key) return tl::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace

void add_identity_options(Command& command, IdentityOptions& options) {
  command
      .option(
          "--decryption-key", "KEY", &options.decryption_keys,
          "private key of a group whose encrypted bundles a new device reads, added here: the cloud never sees it; a "
          "name of mvctl keys, or a PEM file; up to 4 of them")
      .complete(Completion::kKey);
  command
      .option("--signers", "N", &options.signers,
              "so many of a new device's signer keys must sign a bundle (mvctl bundle sign --add)")
      .shows_default("1");
  add_modem_options(command, options.modem);
}

tl::expected<IdentityAdditions, Failure> read_identity_options(const IdentityOptions& options) {
  if (options.signers == 0 || options.signers > kMostSigners) {
    return fail(ExitCode::kUsage, "--signers is a number from 1 to 5: a bundle has room for 5 signatures");
  }
  auto keys = decryption_keys(options);
  if (!keys) return tl::unexpected(keys.error());
  auto wifi = read_modem_choice(options.modem);
  if (!wifi) return tl::unexpected(wifi.error());
  return IdentityAdditions{std::move(*keys), options.signers, std::move(*wifi)};
}

tl::expected<std::vector<std::uint8_t>, Failure> complete_identity(std::vector<std::uint8_t> identity,
                                                                   const IdentityAdditions& additions) {
  wire::Identity message;
  if (!message.ParseFromArray(identity.data(), static_cast<int>(identity.size()))) {
    return fail(ExitCode::kFailed, "the cloud gave no identity that could be read");
  }
  const bool several = additions.signers > 1;
  if (several && static_cast<std::uint32_t>(message.signer_keys_size()) < additions.signers) {
    return fail(ExitCode::kFailed,
                "the account has " + std::to_string(message.signer_keys_size()) + " signers, and --signers wants " +
                    std::to_string(additions.signers),
                "add them first, with mvctl signers add, and provision a device of another name");
  }
  if (several) message.set_signer_threshold(additions.signers);
  for (const bundle::PrivateKey& key : additions.decryption_keys) {
    const auto scalar = key.scalar();
    message.add_decryption_keys(scalar.data(), scalar.size());
  }
  if (additions.wifi) {
    message.set_modem(wire::MODEM_ESP_AT);
    message.set_wifi_ssid(additions.wifi->ssid);
    message.set_wifi_passphrase(additions.wifi->passphrase);
  }
  identity.resize(message.ByteSizeLong());
  message.SerializeToArray(identity.data(), static_cast<int>(identity.size()));
  return identity;
}

Result check_identity(const std::vector<std::uint8_t>& identity) {
  wire::Identity message;
  const bool parsed = message.ParseFromArray(identity.data(), static_cast<int>(identity.size()));
  if (parsed && !message.device_id().empty() && message.private_key().size() == 32 && !message.certificate().empty() &&
      !message.host().empty()) {
    return {};
  }
  return fail(ExitCode::kFailed, "the file is no identity of a device",
              "make one: mvctl devices provision NAME --out FILE");
}

}  // namespace mv::cli
