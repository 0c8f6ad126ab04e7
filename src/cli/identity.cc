#include "cli/identity.h"

#include "cli/key_store.h"
#include "wire/proto/identity.pb.h"
#include "wire/sealed_layer.h"

namespace mv::cli {

tl::expected<std::vector<std::uint8_t>, Failure> with_decryption_keys(std::vector<std::uint8_t> identity,
                                                                      const std::vector<std::string>& keys) {
  if (keys.empty()) return identity;
  if (keys.size() > sealed::kMostRecipients) {
    return fail(ExitCode::kUsage, "a device holds at most 4 decryption keys", "leave out those of old bundles");
  }
  wire::Identity message;
  if (!message.ParseFromArray(identity.data(), static_cast<int>(identity.size()))) {
    return fail(ExitCode::kFailed, "the cloud gave no identity that could be read");
  }
  for (const std::string& name : keys) {
    const auto key = find_private_key(name);
    if (!key) return tl::unexpected(key.error());
    const auto scalar = key->scalar();
    message.add_decryption_keys(scalar.data(), scalar.size());
  }
  identity.resize(message.ByteSizeLong());
  message.SerializeToArray(identity.data(), static_cast<int>(identity.size()));
  return identity;
}

}  // namespace mv::cli
