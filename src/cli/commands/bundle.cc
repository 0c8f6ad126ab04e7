// mvctl bundle create|sign|verify|inspect|diff
#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

#include "bundle/bundle.h"
#include "bundle/image.h"
#include "bundle/layout.h"
#include "cli/bundle_diff.h"
#include "cli/bundle_options.h"
#include "cli/bundle_text.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/key_store.h"
#include "cli/program.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct CreateBundleOptions {
  std::string input;
  std::string output;
  BundleOptions bundle;
};

struct SignOptions {
  std::string input;
  std::string output;
  std::string key;
  bool add = false;
};

struct LayoutOptions {
  std::string before;
  std::string linked;
  std::string out;
};

struct DiffOptions {
  std::string old;
  std::string wanted;
};

struct VerifyOptions {
  std::string input;
  std::vector<std::string> trust;
  std::uint32_t signers = 1;
  std::string decryption_key;
};

struct InspectOptions {
  std::string input;
  std::string decryption_key;
};

std::string_view as_text(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

tl::expected<bundle::Bundle, Failure> open_bundle(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error))
    return fail(ExitCode::kNotFound, path + " is not there", "make it with mvctl bundle create");
  auto opened = bundle::Bundle::open(path);
  if (!opened) return fail(ExitCode::kFailed, path + ": " + opened.error().message, opened.error().hint);
  return std::move(*opened);
}

std::string signed_text(const bundle::Manifest& manifest) {
  if (!manifest.signer()) return "not signed";
  std::string text = "signed by key ";
  for (const bundle::KeySignature& each : manifest.signatures()) {
    text += (text.back() == ' ' ? "" : " and ") + bundle::describe(each.key);
  }
  return text;
}

// Opens what is encrypted with the key, and checks it against every hash; nothing to do if no key is given.
Result check_content(const bundle::Bundle& bundle, const std::string& path, const std::string& key_name) {
  if (key_name.empty()) return {};
  const auto key = find_private_key(key_name);
  if (!key) return tl::unexpected(key.error());
  const auto contents = bundle.decrypt(*key);
  if (!contents) return fail(ExitCode::kFailed, path + ": " + contents.error().message, contents.error().hint);
  return {};
}

bool is_encrypted(const bundle::Manifest& manifest) { return !manifest.body().recipients.empty(); }

void add_decryption_key(Command& command, std::string* name) {
  command
      .option("--decryption-key", "KEY", name,
              "private key that the bundle is encrypted to: opens its layers and checks what is in them")
      .complete(Completion::kKey);
}

std::string layer_count(const bundle::Manifest& manifest) {
  const std::size_t count = manifest.body().layers.size();
  return std::to_string(count) + (count == 1 ? " layer" : " layers");
}

Result create(Program& program, const CreateBundleOptions& options) {
  const fs::path out =
      options.output.empty() ? fs::path(options.input).replace_extension(".zip") : fs::path(options.output);
  const auto made = make_bundle(options.input, options.bundle);
  if (!made) return tl::unexpected(made.error());
  if (auto written = write_file(out, as_text(made->bytes)); !written) return written;
  Output& output = program.output();
  const auto& info = made->manifest.body().info;
  if (info.build_id.empty()) {
    output.note("no build id in " + options.input +
                ": link with -Wl,--build-id, so that debuggers can tell builds apart");
  }
  if (!made->manifest.signer()) {
    output.note("not signed, so no device will run it: mvctl bundle sign " + out.string() + " --key KEY");
  }
  Json document = bundle_json(made->manifest);
  document["file"] = out.string();
  document["size"] = made->bytes.size();
  output.result(document, out.string() + ": " + info.name + " " + (info.version.empty() ? "" : info.version + ", ") +
                              human_size(made->content_bytes) + " in " + layer_count(made->manifest) + ", " +
                              signed_text(made->manifest));
  return {};
}

Result sign(Program& program, const SignOptions& options) {
  const auto opened = open_bundle(options.input);
  if (!opened) return tl::unexpected(opened.error());
  const auto key = find_private_key(options.key);
  if (!key) return tl::unexpected(key.error());
  const auto& unsigned_yet = opened->manifest();
  const auto manifest = options.add ? unsigned_yet.signed_also_with(*key) : unsigned_yet.signed_with(*key);
  if (!manifest) return tl::unexpected(to_failure(manifest.error()));
  const auto bytes = opened->encode_with(*manifest);
  if (!bytes) return tl::unexpected(to_failure(bytes.error()));
  const std::string out = options.output.empty() ? options.input : options.output;
  if (auto written = write_file(out, as_text(*bytes)); !written) return written;
  Json document = bundle_json(*manifest);
  document["file"] = out;
  program.output().result(document, out + ": " + signed_text(*manifest));
  return {};
}

tl::expected<std::vector<bundle::PublicKey>, Failure> trusted_keys(const VerifyOptions& options) {
  if (options.trust.empty()) return all_public_keys();
  std::vector<bundle::PublicKey> keys;
  for (const auto& name : options.trust) {
    auto key = find_public_key(name);
    if (!key) return tl::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  return keys;
}

Result verify(Program& program, const VerifyOptions& options) {
  const auto opened = open_bundle(options.input);
  if (!opened) return tl::unexpected(opened.error());
  const auto keys = trusted_keys(options);
  if (!keys) return tl::unexpected(keys.error());
  const auto signers = opened->manifest().verify(*keys);
  if (!signers) return fail(ExitCode::kFailed, options.input + ": " + signers.error().message, signers.error().hint);
  if (signers->size() < options.signers) {
    return fail(ExitCode::kFailed,
                options.input + ": signed by " + std::to_string(signers->size()) + " trusted key" +
                    (signers->size() == 1 ? "" : "s") + " of the " + std::to_string(options.signers) + " it takes",
                "add a signature: mvctl bundle sign " + options.input + " --add --key KEY");
  }
  Json document = bundle_json(opened->manifest());
  if (auto checked = check_content(*opened, options.input, options.decryption_key); !checked) return checked;
  document["verified"] = true;
  const bool opaque = is_encrypted(opened->manifest()) && options.decryption_key.empty();
  if (is_encrypted(opened->manifest())) document["decrypted"] = !opaque;
  std::string names;
  for (const bundle::PublicKey& signer : *signers) {
    document["verified_signers"].push_back(bundle::describe(signer.id()));
    names += (names.empty() ? "" : " and ") + bundle::describe(signer.id());
  }
  program.output().result(document, options.input + ": whole, and signed by trusted key " + names +
                                        (opaque ? "; what is encrypted was not looked into" : ""));
  return {};
}

Result inspect(Program& program, const InspectOptions& options) {
  const auto opened = open_bundle(options.input);
  if (!opened) return tl::unexpected(opened.error());
  if (auto checked = check_content(*opened, options.input, options.decryption_key); !checked) return checked;
  program.output().result(bundle_json(opened->manifest()), bundle_text(opened->manifest(), program.output()));
  return {};
}

tl::expected<bundle::LinkMap, Failure> read_map(const std::string& file) {
  const auto bytes = bundle::read_file(file, bundle::kLongestMap);
  if (!bytes) return tl::unexpected(to_failure(bytes.error()));
  auto map = bundle::LinkMap::parse(as_text(*bytes));
  if (!map) return fail(ExitCode::kFailed, file + ": " + map.error().message, map.error().hint);
  return *std::move(map);
}

Result lay_out(Program& program, const LayoutOptions& options) {
  const auto before = read_map(options.before);
  if (!before) return tl::unexpected(before.error());
  const auto linked = read_map(options.linked);
  if (!linked) return tl::unexpected(linked.error());
  const bundle::Layout layout = bundle::make_layout(*before, *linked);
  const fs::path folder = options.out;
  for (const auto& [name, text] :
       {std::pair("layout_flash.ld", &layout.flash), std::pair("layout_data.ld", &layout.data),
        std::pair("layout_bss.ld", &layout.bss)}) {
    if (auto written = write_file(folder / name, *text); !written) return written;
  }
  program.output().result({{"kept", layout.kept}, {"moved", layout.moved}, {"added", layout.added}},
                          "layout: " + std::to_string(layout.kept) + " functions and variables stay where they were, " +
                              std::to_string(layout.moved) + " have grown out of their place, " +
                              std::to_string(layout.added) + " are new");
  return {};
}

Result diff(Program& program, const DiffOptions& options) {
  const auto old = open_bundle(options.old);
  if (!old) return tl::unexpected(old.error());
  const auto wanted = open_bundle(options.wanted);
  if (!wanted) return tl::unexpected(wanted.error());
  const auto diff = diff_bundles(*old, *wanted);
  if (!diff) return tl::unexpected(diff.error());
  program.output().result(diff_json(*diff), diff_text(*diff, program.output()));
  return {};
}

void add_create(Command& bundle, Program& program) {
  Command& command = bundle.add("create", "make a bundle from a linked application");
  command.describe(
      "Takes an ELF, Intel HEX or raw binary file, checks that it can run on the board (areas, vector table, size) and "
      "writes a bundle. The same input, options and key give the same bytes, unless it is encrypted: then only the "
      "devices "
      "of a group can read what is in it, whoever stores or carries it (mvctl devices provision --decryption-key).");
  auto options = std::make_shared<CreateBundleOptions>();
  command.argument("FILE", &options->input, "the application: ELF, HEX or BIN").complete(Completion::kFile);
  command.option("--out,-o", "FILE", &options->output, "the bundle [default: FILE with .zip]")
      .complete(Completion::kFile);
  add_bundle_options(command, options->bundle);
  command.example("mvctl bundle create build/app.elf -o app.zip --key release", "a signed bundle");
  command.example(
      "mvctl bundle create build/app.elf --key release --debug-auth-pubkey debug --maximum-politeness-time 600",
      "one that the key called debug may debug, and that may put off updates for ten minutes");
  command.example("mvctl bundle create build/app.elf --key release --encrypt-to plant.pub.pem",
                  "one that only devices with the key of plant can read");
  command.run([options, &program] { return create(program, *options); });
}

void add_sign(Command& bundle, Program& program) {
  Command& command = bundle.add("sign", "sign a bundle");
  command.describe(
      "Replaces the signatures that there are, unless --add keeps them. Also signs bundles that the original tools "
      "made. "
      "A device runs a bundle that as many of its keys have signed as it wants: one, until a key change says otherwise "
      "(mvctl keys change).");
  auto options = std::make_shared<SignOptions>();
  command.argument("BUNDLE", &options->input, "the bundle").complete(Completion::kFile);
  command.option("--key,-k", "KEY", &options->key, "private key: a name of mvctl keys, or a PEM file")
      .required()
      .complete(Completion::kKey);
  command.flag("--add", options->add, "one more signature, beside those that there are");
  command.option("--out,-o", "FILE", &options->output, "where to write it [default: in place]")
      .complete(Completion::kFile);
  command.example("mvctl bundle sign app.zip --key release", "sign in place");
  command.example("mvctl bundle sign app.zip --add --key quality", "a second signer");
  command.example("mvctl bundle sign app.zip --key \"$SIGNING_KEY_FILE\" -o signed.zip",
                  "sign a copy, with a key file");
  command.run([options, &program] { return sign(program, *options); });
}

void add_verify(Command& bundle, Program& program) {
  Command& command = bundle.add("verify", "check that a bundle is whole and signed by a trusted key");
  auto options = std::make_shared<VerifyOptions>();
  command.argument("BUNDLE", &options->input, "the bundle").complete(Completion::kFile);
  command
      .option("--trust", "KEY", &options->trust,
              "a trusted public key, name or file; may be given more than once [default: all keys of mvctl keys]")
      .complete(Completion::kKey);
  command.option("--signers", "N", &options->signers, "so many different trusted keys must have signed it")
      .shows_default("1");
  add_decryption_key(command, &options->decryption_key);
  command.example("mvctl bundle verify app.zip", "against all of your own keys");
  command.example("mvctl bundle verify app.zip --trust keys/release.pub.pem", "against one key");
  command.run([options, &program] { return verify(program, *options); });
}

void add_layout(Command& bundle, Program& program) {
  Command& command = bundle.add("layout", "lay a program out like the build before, so that the update is small");
  command.describe(
      "Reads the linker's map of the build before and that of a first link of this one, and writes layout_flash.ld, "
      "layout_data.ld and layout_bss.ld, which the SDK's linker script includes: functions and variables stay where "
      "they "
      "were, and what has grown or is new goes into gaps or behind everything. The SDK calls it: "
      "cmake -DMV_LAYOUT_FROM=before.map.");
  auto options = std::make_shared<LayoutOptions>();
  command.option("--before", "FILE", &options->before, "map of the build that devices run (-Wl,-Map)")
      .required()
      .complete(Completion::kFile);
  command.option("--linked", "FILE", &options->linked, "map of this build, linked without a layout")
      .required()
      .complete(Completion::kFile);
  command.option("--out,-o", "FOLDER", &options->out, "where the three files go")
      .required()
      .complete(Completion::kDirectory);
  command.example("mvctl bundle layout --before release-1.4.map --linked app.map --out build/layout",
                  "for a link with -Lbuild/layout before the SDK's folder");
  command.example("cmake -B build -DMV_LAYOUT_FROM=$PWD/release-1.4.map", "the SDK does all of it");
  command.run([options, &program] { return lay_out(program, *options); });
}

void add_diff(Command& bundle, Program& program) {
  Command& command = bundle.add("diff", "show how large an update from one bundle to another is as a delta");
  command.describe(
      "Compares the applications and shows each segment of 32 KiB of the new one as the smallest of same, copy, delta, "
      "compressed and stored (docs/delta-format.md): what an update sends. A layer that a device with the old bundle "
      "has is not sent. Of an encrypted layer, segments that changed are sent as they are sealed.");
  auto options = std::make_shared<DiffOptions>();
  command.argument("OLD", &options->old, "the bundle that devices run").complete(Completion::kFile);
  command.argument("NEW", &options->wanted, "the bundle they are to run").complete(Completion::kFile);
  command.example("mvctl bundle diff app-1.4.zip app-1.5.zip", "bytes by layer and segment");
  command.example("mvctl bundle diff app-1.4.zip app-1.5.zip --output json", "the same for a program");
  command.run([options, &program] { return diff(program, *options); });
}

}  // namespace

void add_bundle(Command& root, Program& program) {
  Command& bundle = root.add("bundle", "make, sign, check and look into application bundles");
  bundle.example("mvctl bundle create build/app.elf -o app.zip --key release",
                 "turn an application into a signed bundle");
  bundle.example("mvctl bundle inspect app.zip", "what is in it");
  add_create(bundle, program);
  add_sign(bundle, program);
  add_layout(bundle, program);
  add_verify(bundle, program);
  add_diff(bundle, program);

  Command& command = bundle.add("inspect", "show what a bundle holds");
  command.describe(
      "Checks every hash, but no signature: see mvctl bundle verify. Reads bundles of the original tools, too.");
  auto options = std::make_shared<InspectOptions>();
  command.argument("BUNDLE", &options->input, "the bundle").complete(Completion::kFile);
  add_decryption_key(command, &options->decryption_key);
  command.example("mvctl bundle inspect app.zip", "name, version, policies and layers");
  command.example("mvctl bundle inspect app.zip --output json", "the same for a program");
  command.run([options, &program] { return inspect(program, *options); });
}

}  // namespace mv::cli
