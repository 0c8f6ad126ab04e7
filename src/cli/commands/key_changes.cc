// mvctl keys change|sign|inspect: changes of the keys whose bundles devices run, made and signed without a cloud.
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "bundle/image.h"
#include "bundle/key_change.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/key_change_file.h"
#include "cli/key_store.h"
#include "cli/program.h"

namespace mv::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ChangeOptions {
  std::string output;
  std::string device;
  std::string ca;
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::vector<std::string> keys;
  std::uint32_t threshold = 0;
  std::optional<std::uint32_t> sequence;
};

// Of a key to be removed: its id, or the key itself.
tl::expected<bundle::KeyId, Failure> key_id_of(const std::string& text) {
  if (const auto id = parse_key_id(text)) return *id;
  const auto key = find_public_key(text);
  if (!key) {
    return fail(ExitCode::kNotFound, "'" + printable(text) + "' is neither a key nor the id of one",
                "give 16 hexadecimal digits, as mvctl devices keys DEVICE shows them");
  }
  return key->id();
}

// Whom it is for: one device, or every device of the cloud's CA.
Result name_recipient(Program& program, const ChangeOptions& options, bundle::KeyChange& change) {
  if (!options.device.empty() && !options.ca.empty())
    return fail(ExitCode::kUsage, "--device and --ca exclude each other");
  change.device_id = options.device;
  if (!options.device.empty()) return {};
  std::string file = options.ca;
  if (file.empty()) {
    const auto context = program.context();
    if (!context) return tl::unexpected(context.error());
    file = context->ca_certificate;
  }
  if (file.empty()) {
    return fail(ExitCode::kUsage, "the context has no CA certificate, so nothing says whose devices are meant",
                "give --ca FILE, or --device ID");
  }
  const auto hash = bundle::certificate_hash(file);
  if (!hash) return tl::unexpected(to_failure(hash.error()));
  change.ca_hash.assign(hash->bytes.begin(), hash->bytes.end());
  return {};
}

std::string signers_text(const bundle::SignedKeyChange& change) {
  std::string text;
  for (const bundle::KeySignature& each : change.signatures()) {
    text += (text.empty() ? "by " : " and ") + bundle::describe(each.key);
  }
  return text.empty() ? "no" : text;
}

std::string change_text(const bundle::SignedKeyChange& change) {
  const bundle::KeyChange& what = change.change();
  std::string text =
      "for       " +
      (what.device_id.empty() ? "every device of the CA " + bundle::hex(what.ca_hash) : "device " + what.device_id) +
      "\n";
  text += "sequence  " + std::to_string(what.sequence) + "\n";
  for (const bundle::PublicKey& key : what.add) text += "adds      " + bundle::describe(key.id()) + "\n";
  for (const bundle::KeyId key : what.remove) text += "removes   " + bundle::describe(key) + "\n";
  if (what.threshold != 0) text += "signers   " + std::to_string(what.threshold) + " must sign from then on\n";
  return text + "signed    " + signers_text(change) + " (not checked here)";
}

Result write_change(Program& program, const bundle::SignedKeyChange& change, const std::string& file) {
  const auto& bytes = change.encoded();
  const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (auto written = write_file(file, content); !written) return written;
  Json document = key_change_json(change);
  document["file"] = file;
  program.output().result(document, file + "\n" + change_text(change));
  return {};
}

tl::expected<bundle::SignedKeyChange, Failure> sign_all(bundle::SignedKeyChange change,
                                                        const std::vector<std::string>& keys) {
  for (const std::string& name : keys) {
    const auto key = find_private_key(name);
    if (!key) return tl::unexpected(key.error());
    auto signed_one = change.signed_with(*key);
    if (!signed_one) return tl::unexpected(to_failure(signed_one.error()));
    change = std::move(*signed_one);
  }
  return change;
}

// The clock's seconds rise, and are the same for whoever makes the next change.
std::uint64_t sequence_by_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

Result make_change(Program& program, const ChangeOptions& options) {
  bundle::KeyChange change;
  if (auto named = name_recipient(program, options, change); !named) return named;
  for (const std::string& name : options.add) {
    const auto key = find_public_key(name);
    if (!key) return tl::unexpected(key.error());
    change.add.push_back(*key);
  }
  for (const std::string& text : options.remove) {
    const auto id = key_id_of(text);
    if (!id) return tl::unexpected(id.error());
    change.remove.push_back(*id);
  }
  change.threshold = options.threshold;
  change.sequence = options.sequence ? *options.sequence : sequence_by_clock();
  auto made = bundle::SignedKeyChange::make(change);
  if (!made) return tl::unexpected(to_failure(made.error()));
  const auto signed_one = sign_all(std::move(*made), options.keys);
  if (!signed_one) return tl::unexpected(signed_one.error());
  return write_change(program, *signed_one, options.output);
}

struct SignChangeOptions {
  std::string file;
  std::vector<std::string> keys;
};

Result sign_change(Program& program, const SignChangeOptions& options) {
  auto change = read_key_change(options.file);
  if (!change) return tl::unexpected(change.error());
  const auto signed_one = sign_all(std::move(*change), options.keys);
  if (!signed_one) return tl::unexpected(signed_one.error());
  return write_change(program, *signed_one, options.file);
}

Result inspect_change(Program& program, const std::string& file) {
  const auto change = read_key_change(file);
  if (!change) return tl::unexpected(change.error());
  program.output().result(key_change_json(*change), change_text(*change));
  return {};
}

}  // namespace

void add_key_changes(Command& keys, Program& program) {
  Command& change = keys.add("change", "make a change of the keys whose bundles devices run");
  change.describe(
      "Writes a file that adds and removes signer keys of devices, or says how many must sign from then on. It must be "
      "signed by as many of a device's present keys as it wants of a bundle: sign it with --key, or later, and "
      "elsewhere, with mvctl keys sign. mvctl devices keys DEVICE --change FILE brings it to a device. A device "
      "carries "
      "out a change once, and none that is older than the last; it keeps the keys that its running bundle needs.");
  auto options = std::make_shared<ChangeOptions>();
  change.option("--out,-o", "FILE", &options->output, "where to write it").required().complete(Completion::kFile);
  change.option("--add", "KEY", &options->add, "a public key to add: name or PEM file; up to 4 times")
      .complete(Completion::kKey);
  change.option("--remove", "ID", &options->remove, "a key to remove: its id, name or PEM file; up to 8 times")
      .complete(Completion::kKey);
  change.option("--threshold", "N", &options->threshold, "so many keys must sign a bundle, and a change")
      .shows_default("as before");
  change.option("--key,-k", "KEY", &options->keys, "private key that signs: name or PEM file; up to 4 times")
      .complete(Completion::kKey);
  change.option("--device", "ID", &options->device, "only for this device");
  change.option("--ca", "FILE", &options->ca, "for every device of this CA: its certificate in PEM form")
      .shows_default("that of the context")
      .complete(Completion::kFile);
  change.option("--sequence", "N", &options->sequence, "its number, above that of every change before")
      .shows_default("the time in seconds");
  change.example("mvctl keys change --add release-2 --key release -o rotate.keys", "one more key for all devices");
  change.example("mvctl keys change --remove release --key release-2 -o retire.keys",
                 "and, once all bundles are signed by the new one, away with the old");
  change.example("mvctl keys change --threshold 2 --key release --key quality -o two.keys", "two must sign");
  change.run([options, &program] { return make_change(program, *options); });

  Command& sign = keys.add("sign", "sign a change of keys, beside those who signed it before");
  auto signing = std::make_shared<SignChangeOptions>();
  sign.argument("FILE", &signing->file, "what mvctl keys change wrote").complete(Completion::kFile);
  sign.option("--key,-k", "KEY", &signing->keys, "private key that signs: name or PEM file")
      .required()
      .complete(Completion::kKey);
  sign.example("mvctl keys sign rotate.keys --key quality", "a second signer, on another machine");
  sign.example("mvctl keys sign rotate.keys --key \"$SIGNING_KEY_FILE\"", "with a key file");
  sign.run([signing, &program] { return sign_change(program, *signing); });

  Command& inspect = keys.add("inspect", "show what a change of keys does, and who has signed it");
  auto file = std::make_shared<std::string>();
  inspect.argument("FILE", file.get(), "what mvctl keys change wrote").complete(Completion::kFile);
  inspect.example("mvctl keys inspect rotate.keys", "before you sign it");
  inspect.example("mvctl keys inspect rotate.keys --output json", "the same for a program");
  inspect.run([file, &program] { return inspect_change(program, *file); });
}

}  // namespace mv::cli
