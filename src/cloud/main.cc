// mvcloud: the command line.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cloud/commands.h"
#include "cloud/data_folder.h"

namespace {

int report(const mv::cloud::Result<void>& result) {
  if (result) return 0;
  std::fprintf(stderr, "%s\n", result.error().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace mv::cloud;
  CLI::App app("mvcloud: the cloud side of the microvisor; one program, nothing else to install");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n  mvcloud init --data /srv/mvcloud --listen 0.0.0.0:8443 --name cloud.example.org\n"
      "  mvcloud serve --data /srv/mvcloud");
  const std::filesystem::path standard = DataFolder::standard();

  InitOptions init{standard, "127.0.0.1:8443", {}, {}};
  CLI::App* init_command = app.add_subcommand("init", "make a data folder: authority, database, account, first token");
  init_command->add_option("--data", init.data, "data folder")->capture_default_str();
  init_command->add_option("--listen", init.listen, "ADDRESS:PORT to serve on")->capture_default_str();
  init_command->add_option("--name", init.names, "host name or address of the server; devices dial the first");
  init_command->add_option("--context-out", init.context_out, "write a context file for mvctl, with the token in it");
  init_command->footer(
      "Examples:\n  mvcloud init --context-out cloud.json && mvctl context create lab --from cloud.json\n"
      "  mvcloud init --data ./data --listen 0.0.0.0:8443 --name cloud.example.org");

  ProvisionOptions provision{standard, {}, {}, {}, {}};
  CLI::App* provision_command = app.add_subcommand("provision", "make a device: its row and its identity file");
  provision_command->add_option("name", provision.name, "unique name of the device")->required();
  provision_command->add_option("--data", provision.data, "data folder")->capture_default_str();
  provision_command->add_option("--board", provision.board, "board of the device, as stm32u585");
  provision_command->add_option("--address", provision.address,
                                "HOST:PORT that the device dials, if not the server's own");
  provision_command->add_option("--out", provision.out, "identity file (default: NAME.identity)");
  provision_command->footer(
      "Examples:\n  mvcloud provision porch --board stm32u585\n"
      "  mvcloud provision lab-3 --address gateway.example.org:443 --out lab-3.identity");

  ServeOptions serve{standard, {}, {}};
  CLI::App* serve_command = app.add_subcommand("serve", "serve devices and people until SIGTERM");
  serve_command->add_option("--data", serve.data, "data folder")->capture_default_str();
  serve_command->add_option("--listen", serve.listen, "ADDRESS:PORT, instead of the one given to init; port 0: any");
  serve_command
      ->add_option("--capture-debug", serve.capture_debug, "copy every byte of each debug stream into this folder")
      ->envname("MVCLOUD_CAPTURE_DEBUG");
  serve_command
      ->add_option("--delta-cache", serve.delta_cache_mib,
                   "MiB of the data folder for what updates send over the air; the least recently used goes")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  serve_command->footer(
      "Examples:\n  mvcloud serve\n  mvcloud serve --data /srv/mvcloud --listen 0.0.0.0:443\n"
      "  mvcloud serve --capture-debug ./capture");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (init_command->parsed()) return report(run_init(init));
  if (provision_command->parsed()) return report(run_provision(provision));
  return report(run_serve(serve));
}
