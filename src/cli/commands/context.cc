// mvctl context: which clouds there are, and which one is meant.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "transport/url.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::uintmax_t kLongestFile = 1 << 20;

struct CreateOptions {
  std::string name;
  std::string from;
  std::string cloud;
  std::string account;
  std::string token_file;
  std::string ca;
};

tl::expected<std::string, Failure> read_text(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  if (error || !in || size > kLongestFile) return fail(ExitCode::kFailed, "cannot read " + path);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

// The file that `mvcloud init --context-out` writes.
Result read_context_file(const std::string& path, Context& context) {
  const auto text = read_text(path);
  if (!text) return tl::make_unexpected(text.error());
  const ordered_json json = ordered_json::parse(*text, nullptr, false);
  const auto take = [&](const char* key, std::string& field) {
    if (json.is_object() && json.contains(key) && json[key].is_string()) field = json[key].get<std::string>();
  };
  take("cloud", context.cloud);
  take("account_sid", context.account_sid);
  take("token", context.token);
  take("ca_certificate", context.ca_certificate);
  if (context.cloud.empty()) {
    return fail(ExitCode::kUsage, path + " is not a context: it has no \"cloud\"",
                "mvcloud init --context-out FILE writes one");
  }
  return {};
}

Result apply_options(const CreateOptions& options, Context& context) {
  if (!options.cloud.empty()) context.cloud = options.cloud;
  if (!options.account.empty()) context.account_sid = options.account;
  if (!options.ca.empty()) context.ca_certificate = options.ca;
  if (!options.token_file.empty()) {
    const auto token = read_text(options.token_file);
    if (!token) return tl::make_unexpected(token.error());
    context.token = token->substr(0, token->find_last_not_of(" \r\n\t") + 1);
  }
  while (context.cloud.ends_with('/')) context.cloud.pop_back();
  if (const auto url = transport::parse_cloud_url(context.cloud); !url) {
    return fail(ExitCode::kUsage, url.error(), "give --cloud https://HOST:PORT, or --from FILE");
  }
  return {};
}

// The CA certificate's path is kept absolute: the command may run anywhere.
Result check_ca(Context& context) {
  if (context.ca_certificate.empty()) return {};
  std::error_code error;
  const auto path = std::filesystem::absolute(context.ca_certificate, error);
  if (error || !std::filesystem::is_regular_file(path, error)) {
    return fail(ExitCode::kUsage, "there is no CA certificate at " + context.ca_certificate);
  }
  context.ca_certificate = path.string();
  return {};
}

Result create_context(Program& program, const CreateOptions& options) {
  Context context;
  context.name = options.name;
  if (!options.from.empty()) {
    if (auto read = read_context_file(options.from, context); !read) return read;
  }
  if (auto applied = apply_options(options, context); !applied) return applied;
  if (auto checked = check_ca(context); !checked) return checked;
  auto store = load_contexts();
  if (!store) return tl::make_unexpected(store.error());
  store->contexts[context.name] = context;
  store->current = context.name;
  if (auto saved = save_contexts(*store); !saved) return saved;
  program.output().result({{"context", context.name}, {"cloud", context.cloud}},
                          "context " + context.name + " is " + context.cloud + ", and is used from now on");
  return {};
}

Result use_context(Program& program, const std::string& name) {
  auto store = load_contexts();
  if (!store) return tl::make_unexpected(store.error());
  if (!store->contexts.contains(name)) {
    return fail(ExitCode::kNotFound, "there is no context " + name, "see mvctl context list");
  }
  store->current = name;
  if (auto saved = save_contexts(*store); !saved) return saved;
  program.output().result({{"context", name}}, "using " + name + ", " + store->contexts[name].cloud);
  return {};
}

Result list_contexts(Program& program) {
  const auto store = load_contexts();
  if (!store) return tl::make_unexpected(store.error());
  Table table({"", "NAME", "CLOUD", "ACCOUNT"});
  ordered_json contexts = ordered_json::array();
  for (const auto& [name, context] : store->contexts) {
    const bool current = name == store->current;
    table.row({current ? "*" : "", name, context.cloud, context.account_sid});
    contexts.push_back(
        {{"name", name}, {"cloud", context.cloud}, {"account_sid", context.account_sid}, {"current", current}});
  }
  program.output().result({{"contexts", contexts}}, store->contexts.empty() ? "no context yet: mvctl context create"
                                                                            : table.text(program.output()));
  return {};
}

Result show_context(Program& program, const std::string& name) {
  const auto context = name.empty() ? program.context() : choose_context(name);
  if (!context) return tl::make_unexpected(context.error());
  const std::string token = context->token.empty() ? "none" : "set (not shown)";
  const std::string ca = context->ca_certificate.empty() ? "the system's authorities" : context->ca_certificate;
  program.output().result({{"name", context->name},
                           {"cloud", context->cloud},
                           {"account_sid", context->account_sid},
                           {"token_set", !context->token.empty()},
                           {"ca_certificate", context->ca_certificate}},
                          "name      " + context->name + "\ncloud     " + context->cloud + "\naccount   " +
                              context->account_sid + "\ntoken     " + token + "\ntrusts    " + ca);
  return {};
}

Result delete_context(Program& program, const std::string& name) {
  auto store = load_contexts();
  if (!store) return tl::make_unexpected(store.error());
  if (store->contexts.erase(name) == 0) {
    return fail(ExitCode::kNotFound, "there is no context " + name, "see mvctl context list");
  }
  if (store->current == name) store->current.clear();
  if (auto saved = save_contexts(*store); !saved) return saved;
  program.output().result({{"deleted", name}}, "deleted context " + name);
  return {};
}

void add_create(Command& context, Program& program) {
  Command& create = context.add("create", "tell mvctl of a cloud, and use it");
  auto options = std::make_shared<CreateOptions>();
  create.argument("NAME", &options->name, "how to call the context");
  create.option("--from", "FILE", &options->from, "what mvcloud init --context-out wrote").complete(Completion::kFile);
  create.option("--cloud", "URL", &options->cloud, "address of the cloud: https://HOST:PORT");
  create.option("--account", "SID", &options->account, "account id (AC...); without one the token is a bearer token");
  create.option("--token-file", "FILE", &options->token_file, "file that holds the token").complete(Completion::kFile);
  create.option("--ca", "FILE", &options->ca, "PEM file with the authority to trust").complete(Completion::kFile);
  create.example("mvctl context create local --from context.json", "the cloud that mvcloud init has just made");
  create.example("mvctl context create ci --cloud https://mv.example:8443 --token-file token.txt --ca ca.pem",
                 "a cloud elsewhere");
  create.run([options, &program] { return create_context(program, *options); });
}

using NameHandler = Result (*)(Program&, const std::string&);

Command& add_named(Command& parent, Program& program, const char* verb, const char* summary, bool required,
                   NameHandler handler) {
  Command& command = parent.add(verb, summary);
  auto name = std::make_shared<std::string>();
  command.argument("NAME", name.get(), "the context").required(required).complete(Completion::kContext);
  command.run([name, handler, &program] { return handler(program, *name); });
  return command;
}

}  // namespace

void add_context(Command& root, Program& program) {
  Command& context = root.add("context", "which cloud mvctl talks to");
  context.example("mvctl context", "the clouds that mvctl knows");
  context.example("mvctl context use lab", "talk to another one");
  context.run([&program] { return list_contexts(program); });
  add_create(context, program);
  add_named(context, program, "use", "talk to this cloud from now on", true, use_context)
      .example("mvctl context use lab", "talk to the cloud of context lab")
      .example("mvctl devices --context lab", "or just for one command");
  Command& list = context.add("list", "the clouds that mvctl knows");
  list.example("mvctl context list", "a table; * marks the one in use");
  list.example("mvctl context list --output json", "the same for a program");
  list.run([&program] { return list_contexts(program); });
  add_named(context, program, "show", "one context, the token left out", false, show_context)
      .example("mvctl context show", "the one in use, with what the environment overrides")
      .example("mvctl context show lab", "another one");
  add_named(context, program, "delete", "forget a context", true, delete_context)
      .example("mvctl context delete lab", "the cloud itself is left alone")
      .example("mvctl context delete lab --quiet", "without a word");
}

}  // namespace mv::cli
