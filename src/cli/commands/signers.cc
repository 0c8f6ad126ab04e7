// mvctl signers: whose bundles the cloud takes, and new devices run.
#include <memory>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/key_store.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

Result list_signers(Program& program, CloudClient& cloud) {
  const auto signers = cloud.signers();
  if (!signers) return tl::make_unexpected(signers.error());
  Table table({"KEY ID", "NAME", "ADDED"});
  for (const ordered_json& signer : *signers) {
    table.row(
        {text_of(signer, "key_id"), printable(text_of(signer, "name")), how_long_ago(text_of(signer, "date_created"))});
  }
  program.output().result({{"signers", *signers}},
                          signers->empty() ? "no signer yet: mvctl signers add KEY" : table.text(program.output()));
  return {};
}

struct AddOptions {
  std::string key;
  std::string name;
};

Result add_signer(Program& program, CloudClient& cloud, const AddOptions& options) {
  const auto key = find_public_key(options.key);
  if (!key) return tl::make_unexpected(key.error());
  const std::string name = options.name.empty() ? std::filesystem::path(options.key).stem().string() : options.name;
  const auto added = cloud.add_signer(name, key->pem());
  if (!added) return tl::make_unexpected(added.error());
  program.output().result(*added, "bundles signed by key " + bundle::describe(key->id()) + " (" + printable(name) +
                                      ") are taken; devices provisioned from now on run them");
  return {};
}

Result delete_signer(Program& program, CloudClient& cloud, const std::string& key_id) {
  if (const auto deleted = cloud.delete_signer(key_id); !deleted) return deleted;
  program.output().result({{"deleted", key_id}}, "bundles signed by key " + key_id + " are no longer taken");
  return {};
}

}  // namespace

void add_signers(Command& root, Program& program) {
  Command& signers = root.add("signers", "whose bundles the cloud takes");
  signers.example("mvctl signers add dev", "take what the key dev has signed");
  signers.example("mvctl signers", "all of them");
  add_list(signers, program, list_signers, "all signers")
      .example("mvctl signers list", "a table of all of them")
      .example("mvctl signers list --output json", "with their public keys");
  Command& add = signers.add("add", "take bundles that a key has signed");
  auto options = std::make_shared<AddOptions>();
  add.argument("KEY", &options->key, "a name of mvctl keys, or a PEM file with the public key")
      .complete(Completion::kKey);
  add.option("--name", "NAME", &options->name, "how to call it [default: the key's name]");
  add.example("mvctl signers add dev", "the key that mvctl keys create dev has made");
  add.example("mvctl signers add release.pub.pem --name release", "a key from elsewhere");
  add.run([options, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return add_signer(program, cloud, *options); });
  });
  Command& remove = signers.add("delete", "no longer take what a key has signed");
  auto key_id = std::make_shared<std::string>();
  remove.argument("KEYID", key_id.get(), "the key's id, as the list shows it");
  remove.example("mvctl signers delete 5be1a2b3c4d5e6f7", "devices that trust it already go on doing so");
  remove.example("mvctl signers list", "see the ids");
  remove.run([key_id, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return delete_signer(program, cloud, *key_id); });
  });
}

}  // namespace mv::cli
