#include "cli/running_bundle.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/base64.h"

namespace mv::cli {
namespace {

Answer<bundle::Manifest> fetch_manifest(CloudClient& cloud, const std::string& sid) {
  const auto document = cloud.get("/Apps/" + sid + "/Manifest");
  if (!document) return tl::make_unexpected(document.error());
  const auto encoded = decode_base64(document->value("encoded_bytes", std::string()));
  auto manifest = bundle::Manifest::parse(bundle::as_bytes(encoded.value_or(std::string())));
  if (!manifest)
    return fail(ExitCode::kFailed, "the cloud sent a manifest that cannot be read: " + manifest.error().message,
                "is mvctl as new as mvcloud?");
  return *std::move(manifest);
}

}  // namespace

gdb::AgentTarget::Measured measured_flash(const bundle::Manifest& manifest) {
  const auto hash = manifest.hash();
  gdb::AgentTarget::Measured measured{{hash.bytes.begin(), hash.bytes.end()}, {}};
  const bundle::Board* board = bundle::find_board(manifest.body().info.board);
  if (board == nullptr) return measured;
  for (const auto& layer : manifest.body().layers)
    for (const bundle::Area& area : board->areas)
      if (area.kind == layer.region.area)
        measured.ranges.push_back({area.start + layer.region.start, layer.region.size});
  return measured;
}

Answer<RunningBundle> running_bundle(CloudClient& cloud, const Device& device) {
  if (device.reported_hash.empty())
    return fail(ExitCode::kRefusedByDevice, device.label() + " runs no application",
                fmt::format("deploy one:  mvctl deploy . --device {} --debug-key dev", device.label()));
  const auto apps = cloud.apps();
  if (!apps) return tl::make_unexpected(apps.error());
  const auto app =
      std::find_if(apps->begin(), apps->end(), [&](const App& a) { return a.hash == device.reported_hash; });
  if (app == apps->end())
    return fail(ExitCode::kNotFound, device.label() + " runs a bundle that this cloud does not have",
                "deploy one from here:  mvctl deploy . --device " + device.label());
  auto manifest = fetch_manifest(cloud, app->sid);
  if (!manifest) return tl::make_unexpected(manifest.error());
  return RunningBundle{app->sid, app->name + (app->version.empty() ? "" : " " + app->version), *std::move(manifest)};
}

}  // namespace mv::cli
