#include "cloud/provision.h"

#include "cloud/logging.h"
#include "wire/proto/identity.pb.h"

namespace mv::cloud {
namespace {

constexpr std::size_t kMaxSignerKeys = 8;  // what a device has room for (wire/proto/identity.options)

tl::unexpected<StoreError> failed(Sentence sentence) {
  return tl::make_unexpected(StoreError{StoreError::Kind::kFailed, std::move(sentence)});
}

Stored<void> add_signer_keys(Store& store, const std::string& account, wire::Identity& identity) {
  PageRequest page;
  page.size = kMaxSignerKeys + 1;
  const auto signers = store.signers(account, page);
  if (!signers) return tl::make_unexpected(signers.error());
  if (signers->items.size() > kMaxSignerKeys) {
    return tl::make_unexpected(StoreError{
        StoreError::Kind::kConflict,
        "the account has more than the 8 signer keys that a device can hold: remove some with `mvctl signers remove`"});
  }
  for (const Signer& signer : signers->items) identity.add_signer_keys(signer.point);
  return {};
}

}  // namespace

Stored<Provisioned> provision(const Settings& settings, const KeyAndCertificate& authority, Store& store,
                              const ProvisionRequest& request, Microseconds now) {
  Provisioned made;
  made.device.sid = new_sid("UV");
  made.device.account_sid = request.account;
  made.device.unique_name = request.unique_name;
  made.device.facts.board = request.board;
  switch_logging(made.device.desired, true, now);
  made.device.created = now;
  made.device.updated = now;
  const auto credentials = issue_device_certificate(authority, made.device.sid);
  if (!credentials) return failed(credentials.error());
  const auto ca = pem_to_der(authority.certificate_pem);
  if (!ca) return failed(ca.error());
  wire::Identity identity;
  identity.set_device_id(made.device.sid);
  identity.set_certificate(credentials->certificate);
  identity.set_private_key(credentials->private_key);
  identity.set_ca_certificate(*ca);
  identity.set_host(request.host.empty() ? settings.dial_host : request.host);
  identity.set_port(request.port == 0 ? settings.port : request.port);
  identity.set_server_name(settings.names.front());
  if (auto added = add_signer_keys(store, request.account, identity); !added) return tl::make_unexpected(added.error());
  if (auto added = store.add_device(made.device); !added) return tl::make_unexpected(added.error());
  auto stored = store.device(made.device.sid);
  if (!stored) return tl::make_unexpected(stored.error());
  made.device = std::move(*stored);
  made.identity = identity.SerializeAsString();
  return made;
}

}  // namespace mv::cloud
