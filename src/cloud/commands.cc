#include "cloud/commands.h"

#include <fmt/core.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cloud/access.h"
#include "cloud/api/answers.h"
#include "cloud/api/api.h"
#include "cloud/data_folder.h"
#include "cloud/delta/deltas.h"
#include "cloud/provision.h"
#include "cloud/server.h"
#include "cloud/store/sqlite_store.h"

namespace mv::cloud {
namespace fs = std::filesystem;
namespace {

// A cloud that was given no name is on this machine: devices dial the very address it listens on, for "localhost" may
// stand for another.
std::string dial_host(const Config& config, const std::string& listen) {
  const auto address = split_address(listen);
  const bool local =
      config.names.front() == "localhost" && address && address->host != "0.0.0.0" && address->host != "[::]";
  return local ? address->host : config.names.front();
}

Result<std::unique_ptr<Store>> open_store(const DataFolder& folder) {
  auto store = open_sqlite_store(folder.database().string());
  if (!store) return fail(store.error().sentence);
  return std::move(*store);
}

Result<void> make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) fs::permissions(path, fs::perms::owner_all, error);
  if (error) return fail("cannot make the folder " + path.string() + ": " + error.message());
  return {};
}

Result<void> write_context(const fs::path& path, const DataFolder& folder, const Config& config, std::uint16_t port,
                           const std::string& secret) {
  const nlohmann::ordered_json json = {{"cloud", "https://" + config.names.front() + ":" + std::to_string(port)},
                                       {"account_sid", config.account_sid},
                                       {"token", secret},
                                       {"ca_certificate", fs::absolute(folder.authority_certificate()).string()}};
  return write_file_durably(path, json.dump(2) + "\n");
}

// The folder for captures, made if it is not there. Found out at the start, not at the first debug session.
Result<void> prepare_capture(const fs::path& folder) {
  if (folder.empty()) return {};
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    if (auto made = make_folder(folder); !made) return made;
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail("cannot write into " + folder.string() + ": " + std::strerror(errno) + ": choose another folder");
  }
  spdlog::warn("every byte of each debug stream is copied into {}", folder.string());
  return {};
}

// As many descriptors as there may be: each link needs one.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<void> run_init(const InitOptions& options) {
  const DataFolder folder(options.data);
  if (folder.initialised()) {
    return fail(folder.path().string() + " is a data folder already: start it with `mvcloud serve --data " +
                folder.path().string() + "`");
  }
  const auto address = split_address(options.listen);
  if (!address) return fail(address.error());
  Config config{options.listen, options.names, new_sid("AC")};
  if (config.names.empty()) config.names = {"localhost", "127.0.0.1"};
  if (auto made = make_folder(folder.path()); !made) return made;
  const auto authority = create_authority();
  if (!authority) return fail(authority.error());
  if (const auto server = issue_server_certificate(*authority, config.names); !server) return fail(server.error());
  if (auto done = folder.write_authority(*authority); !done) return done;
  const auto store = open_store(folder);
  if (!store) return fail(store.error());
  const NewToken token = make_token(config.account_sid, "first", wall_clock(), std::nullopt);
  if (const auto added = (*store)->add_token(token.token); !added) return fail(added.error().sentence);
  if (!options.context_out.empty()) {
    if (auto done = write_context(options.context_out, folder, config, address->port, token.secret); !done) return done;
  }
  if (auto done = folder.write_config(config); !done) return done;
  fmt::print("cloud     https://{}:{}, data in {}\naccount   {}\n", config.names.front(), address->port,
             folder.path().string(), config.account_sid);
  if (options.context_out.empty()) {
    fmt::print("token     {}\n          shown this once: keep it\n", token.secret);
  } else {
    fmt::print("context   {} (with the token: keep it)\n", options.context_out.string());
  }
  fmt::print("next      mvcloud serve --data {}\n", folder.path().string());
  return {};
}

Result<void> run_provision(const ProvisionOptions& options) {
  if (auto good = check_unique_name(options.name); !good) return good;
  const DataFolder folder(options.data);
  const auto config = folder.read_config();
  if (!config) return fail(config.error());
  const auto authority = folder.read_authority();
  if (!authority) return fail(authority.error());
  const auto address = split_address(options.address.empty() ? config->listen : options.address);
  if (!address) return fail(address.error());
  const auto store = open_store(folder);
  if (!store) return fail(store.error());
  Settings settings;
  settings.names = config->names;
  settings.port = address->port;
  settings.dial_host = dial_host(*config, config->listen);
  const std::string host = options.address.empty() ? std::string() : address->host;
  const ProvisionRequest request{config->account_sid, options.name, options.board, host, address->port};
  const auto made = provision(settings, *authority, **store, request, wall_clock());
  if (!made) return fail(made.error().sentence);
  const fs::path out = options.out.empty() ? fs::path(options.name + ".identity") : options.out;
  if (auto done = write_file_durably(out, made->identity); !done) return done;
  fmt::print(
      "device    {} \"{}\"\nidentity  {} (holds the device's private key: put it onto the device, then delete it)\n",
      made->device.sid, options.name, out.string());
  return {};
}

Result<void> run_serve(const ServeOptions& options) {
  spdlog::set_default_logger(spdlog::stderr_logger_st("mvcloud"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  raise_descriptor_limit();
  const DataFolder folder(options.data);
  const auto config = folder.read_config();
  if (!config) return fail(config.error());
  auto authority = folder.read_authority();
  if (!authority) return fail(authority.error());
  const auto store = open_store(folder);
  if (!store) return fail(store.error());
  auto blobs = BlobStore::open(folder.blobs());
  if (!blobs) return fail(blobs.error());
  // A fresh certificate with each start: it is never near its end, and no key of it lies on a disk.
  const auto certificate = issue_server_certificate(*authority, config->names);
  if (!certificate) return fail(certificate.error());
  auto tls = make_ssl_context(*certificate, authority->certificate_pem);
  if (!tls) return fail(tls.error());
  const auto bus = make_in_process_bus();
  if (auto ready = prepare_capture(options.capture_debug); !ready) return ready;
  LinkTable links;
  Metrics metrics;
  const std::string address = options.listen.empty() ? config->listen : options.listen;
  Services services{Settings{config->names, dial_host(*config, address)},
                    **store,
                    *blobs,
                    *bus,
                    links,
                    metrics,
                    std::move(*authority)};
  services.settings.capture_debug = options.capture_debug;
  auto cache = DeltaCache::open(folder.deltas(), options.delta_cache_mib << 20);
  if (!cache) return fail(cache.error());
  Deltas deltas(std::move(*cache), *blobs, metrics, [&](std::function<void()> job, std::function<void()> done) {
    services.run_aside(std::move(job), std::move(done));
  });
  services.deltas = &deltas;
  Api api(services);
  const auto server = Server::listen(address, services, api, std::move(*tls));
  if (!server) return fail(server.error());
  services.settings.port = (*server)->port();
  fmt::print("listening on port {} for https://{}:{}\n", (*server)->port(), config->names.front(), (*server)->port());
  std::fflush(stdout);
  (*server)->run();
  spdlog::info("ended");
  return {};
}

}  // namespace mv::cloud
