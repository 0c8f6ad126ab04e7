// mvctl keys create|show|list; change|sign|inspect stand in key_changes.cc
#include <filesystem>
#include <fstream>
#include <memory>

#include <nlohmann/json.hpp>

#include "bundle/keys.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/key_store.h"
#include "cli/program.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct CreateKeyOptions {
  std::string name;
  std::string private_file;
  std::string public_file;
  bool force = false;
};

Json describe_key(const std::string& name, const bundle::PublicKey& key, const KeyFiles& files) {
  std::error_code error;
  const bool has_private = fs::exists(files.private_file, error);
  return {{"name", name},
          {"key_id", bundle::describe(key.id())},
          {"private_key_file", has_private ? files.private_file.string() : ""},
          {"public_key_file", files.public_file.string()}};
}

Result check_free(const KeyFiles& files, bool force) {
  std::error_code error;
  for (const fs::path& file : {files.private_file, files.public_file}) {
    if (!force && fs::exists(file, error)) {
      return fail(ExitCode::kFailed, file.string() + " is there already, and a lost key cannot be made again",
                  "choose another name, or --force to replace it");
    }
  }
  return {};
}

// The private half is never readable by others, not even for a moment.
Result write_pair(const bundle::PrivateKey& key, const KeyFiles& files) {
  if (auto written = write_private_file(files.private_file, key.pem()); !written) return written;
  if (auto written = write_private_file(files.public_file, key.public_key().pem()); !written) return written;
  std::error_code error;
  fs::permissions(files.public_file,
                  fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::others_read,
                  error);
  return {};
}

Result create_key(Program& program, const CreateKeyOptions& options) {
  if (!is_key_name(options.name)) {
    return fail(ExitCode::kUsage, "'" + printable(options.name) + "' cannot be the name of a key",
                "use letters, digits, '-', '_' and '.'");
  }
  KeyFiles files = key_files(options.name);
  if (!options.private_file.empty()) files.private_file = options.private_file;
  if (!options.public_file.empty()) files.public_file = options.public_file;
  if (auto is_free = check_free(files, options.force); !is_free) return is_free;
  const auto key = bundle::PrivateKey::generate();
  if (!key) return tl::unexpected(to_failure(key.error()));
  if (auto written = write_pair(*key, files); !written) return written;
  Output& output = program.output();
  output.result(describe_key(options.name, key->public_key(), files),
                "key " + bundle::describe(key->public_key().id()) + "\n  private  " + files.private_file.string() +
                    "  (keep it to yourself, and keep a copy)\n  public   " + files.public_file.string());
  return {};
}

Result show_key(Program& program, const std::string& name_or_file) {
  auto key = find_public_key(name_or_file);
  if (!key) {
    // The private half will do, too.
    const auto private_key = find_private_key(name_or_file);
    if (!private_key) return tl::unexpected(key.error());
    key = private_key->public_key();
  }
  const Json document = {
      {"key_id", bundle::describe(key->id())}, {"public_key", key->pem()}, {"point", bundle::hex(key->point())}};
  program.output().result(document, "key " + bundle::describe(key->id()) + "\n" + key->pem());
  return {};
}

Result list_keys(Program& program) {
  Json keys = Json::array();
  Table table({"NAME", "KEY ID", "HALVES"});
  for (const auto& name : key_names()) {
    const KeyFiles files = key_files(name);
    const auto key = bundle::read_public_key(files.public_file);
    if (!key) {
      program.output().warning(key.error().message);
      continue;
    }
    keys.push_back(describe_key(name, *key, files));
    std::error_code error;
    table.row(
        {name, bundle::describe(key->id()), fs::exists(files.private_file, error) ? "private and public" : "public"});
  }
  const std::string text =
      keys.empty() ? "no keys yet: make one with mvctl keys create NAME" : table.text(program.output());
  program.output().result({{"keys", keys}}, text);
  return {};
}

void add_create(Command& keys, Program& program) {
  Command& create = keys.add("create", "make a P-256 key pair");
  create.describe(
      "The pair signs bundles, or opens debug sessions: the same kind of key serves both, but use two. It is kept in "
      "$XDG_CONFIG_HOME/mvctl/keys, the private half with mode 0600, unless files are named.");
  auto options = std::make_shared<CreateKeyOptions>();
  create.argument("NAME", &options->name, "what to call it");
  create.option("--private-key,--debug-auth-privkey", "FILE", &options->private_file, "write the private half here")
      .complete(Completion::kFile);
  create.option("--public-key,--debug-auth-pubkey", "FILE", &options->public_file, "write the public half here")
      .complete(Completion::kFile);
  create.flag("--force", options->force, "replace a pair that is there");
  create.example("mvctl keys create release", "a pair for signing releases");
  create.example("mvctl keys create debug --private-key build/debug.pem --public-key build/debug.pub.pem",
                 "a pair for debugging, in the build folder");
  create.run([options, &program] { return create_key(program, *options); });
}

}  // namespace

void add_keys(Command& root, Program& program) {
  Command& keys = root.add("keys", "keys that sign bundles and open debug sessions");
  keys.example("mvctl keys create release", "make a key pair");
  keys.example("mvctl keys list", "the keys that are there");
  add_create(keys, program);

  Command& show = keys.add("show", "show a public key and its id");
  auto name = std::make_shared<std::string>();
  show.argument("KEY", name.get(), "name of a key, or a PEM file").complete(Completion::kKey);
  show.example("mvctl keys show release", "id and public half of the key called release");
  show.example("mvctl keys show build/debug.pub.pem --output json", "the same of a file, for a program");
  show.run([name, &program] { return show_key(program, *name); });

  Command& list = keys.add("list", "list the keys of this user");
  list.example("mvctl keys list", "names and ids");
  list.example("mvctl keys list --output json", "the same for a program");
  list.run([&program] { return list_keys(program); });
  add_key_changes(keys, program);
}

}  // namespace mv::cli
