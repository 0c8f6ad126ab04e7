// mvctl apps: the applications that the cloud holds.
#include <memory>

#include "cli/cloud_command.h"
#include "cli/command.h"
#include "cli/commands.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

Result list_apps(Program& program, CloudClient& cloud) {
  const auto apps = cloud.apps();
  if (!apps) return tl::make_unexpected(apps.error());
  Table table({"APP", "NAME", "VERSION", "SIZE", "HASH", "DEBUG KEY", "UPLOADED"});
  ordered_json documents = ordered_json::array();
  for (const App& app : *apps) {
    const bool debuggable = app.document.value("debuggable", false);
    table.row({short_sid(app.sid), printable(app.name), printable(app.version), human_size(app.size),
               short_hash(app.hash), debuggable ? "yes" : "no", how_long_ago(text_of(app.document, "date_created"))});
    documents.push_back(app.document);
  }
  program.output().result({{"apps", documents}},
                          apps->empty() ? "no application yet: mvctl deploy PROJECT" : table.text(program.output()));
  return {};
}

Result show_app(Program& program, CloudClient& cloud, const std::string& name) {
  const auto app = cloud.app(name);
  if (!app) return tl::make_unexpected(app.error());
  std::string lines;
  for (const auto& [key, value] : app->document.items()) {
    if (value.is_structured() || value.is_null() || key == "url") continue;
    const std::string shown = value.is_string() ? printable(value.get<std::string>()) : value.dump();
    lines += key + std::string(key.size() < 14 ? 14 - key.size() : 1, ' ') + shown + "\n";
  }
  program.output().result(app->document, lines);
  return {};
}

struct UploadOptions {
  std::string bundle;
  std::string name;
};

Result upload_app(Program& program, CloudClient& cloud, const UploadOptions& options) {
  std::error_code error;
  Progress progress(program.output(), "upload", std::filesystem::file_size(options.bundle, error));
  if (error) return fail(ExitCode::kFailed, "cannot read " + options.bundle + ": " + error.message());
  const auto app =
      cloud.upload_app(options.bundle, options.name, [&](std::uint64_t done, std::uint64_t) { progress.update(done); });
  if (!app) return tl::make_unexpected(app.error());
  progress.finish(app->name + " " + app->version);
  program.output().result(app->document, app->sid + " is " + printable(app->name) + " " + printable(app->version) +
                                             "; next: mvctl deploy " + options.bundle + " --device DEVICE");
  return {};
}

Result delete_app(Program& program, CloudClient& cloud, const std::string& name) {
  const auto app = cloud.app(name);
  if (!app) return tl::make_unexpected(app.error());
  if (const auto deleted = cloud.delete_app(app->sid); !deleted) return deleted;
  program.output().result({{"deleted", app->sid}}, "deleted " + app->sid);
  return {};
}

void add_upload(Command& apps, Program& program) {
  Command& upload = apps.add("upload", "send a bundle to the cloud, without giving it to a device");
  auto options = std::make_shared<UploadOptions>();
  upload.argument("BUNDLE", &options->bundle, "the bundle's file").complete(Completion::kFile);
  upload.option("--name", "NAME", &options->name, "a unique name for it");
  upload.example("mvctl apps upload app.zip", "the cloud verifies it before it keeps it");
  upload.example("mvctl apps upload app.zip --name weather-1.4", "to be found by that name");
  upload.run([options, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return upload_app(program, cloud, *options); });
  });
}

using NameHandler = Result (*)(Program&, CloudClient&, const std::string&);

Command& add_named(Command& apps, Program& program, const char* verb, const char* summary, NameHandler handler) {
  Command& command = apps.add(verb, summary);
  auto name = std::make_shared<std::string>();
  command.argument("APP", name.get(), "id or unique name").complete(Completion::kApp);
  command.run([name, handler, &program] {
    return with_cloud(program, [&](CloudClient& cloud) { return handler(program, cloud, *name); });
  });
  return command;
}

}  // namespace

void add_apps(Command& root, Program& program) {
  Command& apps = root.add("apps", "applications that the cloud holds");
  apps.example("mvctl apps", "a table of all of them");
  apps.example("mvctl apps upload app.zip", "send another one");
  add_list(apps, program, list_apps, "all applications")
      .example("mvctl apps list", "a table of all of them")
      .example("mvctl apps list --output json", "the same for a program");
  add_named(apps, program, "show", "one application", show_app)
      .example("mvctl apps show weather-1.4", "hash, build id, signer")
      .example("mvctl apps show KA12 --output json", "everything the cloud knows");
  add_upload(apps, program);
  add_named(apps, program, "delete", "remove an application from the cloud", delete_app)
      .example("mvctl apps delete weather-1.3", "refused while a device is to run it")
      .example("mvctl apps list", "see what there is");
}

}  // namespace mv::cli
