// /v1/Apps/{}/Delta: what an update to the app sends over the air, layer by layer and segment by segment.
#include "bundle/manifest.h"
#include "cloud/api/answers.h"
#include "cloud/api/api.h"
#include "cloud/delta/deltas.h"
#include "delta/encoder.h"
#include "wire/delta_format.h"

namespace mv::cloud {
namespace {

std::string_view area_name(bundle::AreaKind kind) {
  return kind == bundle::AreaKind::kInternalFlash ? "flash" : "external";
}

Json segment_json(const DeltaRecords::Layer& layer, std::size_t index) {
  const std::string_view record = layer.records[index];
  const auto begin = static_cast<std::uint32_t>(index) * delta::kSegmentSize;
  const auto size = std::min(delta::kSegmentSize, layer.content_size - begin);
  if (layer.sealed) {
    const bool kept = layer.kept[index];
    return {{"size", size}, {"kind", kept ? "same" : "sealed"}, {"bytes", kept ? 0 : record.size()}};
  }
  const auto kind = static_cast<delta::Kind>(record.front() & 0xF);  // docs/delta-format.md
  return {{"size", size}, {"kind", delta::name(kind)}, {"bytes", record.size()}};
}

// A region that the device has costs nothing; a layer without records comes whole.
Json layer_json(const bundle::Layer& layer, const DeltaRecords::Layer& records) {
  Json segments = Json::array();
  for (std::size_t i = 0; i < records.records.size() && !records.installed; ++i) {
    segments.push_back(segment_json(records, i));
  }
  const std::uint64_t bytes = records.served ? records.record_bytes() : records.content_size;
  return {{"area", area_name(layer.region.area)},   {"start", layer.region.start},
          {"content_size", records.content_size},   {"installed", records.installed},
          {"bytes", records.installed ? 0 : bytes}, {"segments", segments}};
}

HttpReply delta_reply(const BlobStore& blobs, const App& app, const std::optional<App>& from,
                      const Deltas::Records& records) {
  const auto encoded = blobs.read(app.manifest.hash, 0, app.manifest.size);
  const auto manifest = encoded ? bundle::Manifest::parse(as_bytes(*encoded))
                                : bundle::refuse(bundle::ErrorKind::kBadManifest, encoded.error());
  if (!records || !manifest || manifest->body().layers.size() != records->layers().size()) {
    return error_reply(503, "the delta cannot be made: the cloud's log says why");
  }
  Json layers = Json::array();
  std::uint64_t content = 0;
  for (std::size_t i = 0; i < records->layers().size(); ++i) {
    layers.push_back(layer_json(manifest->body().layers[i], records->layers()[i]));
    content += records->layers()[i].content_size;
  }
  Json json;
  json["app_sid"] = app.sid;
  json["from_sid"] = from ? Json(from->sid) : Json();
  json["content_size"] = content;
  json["bytes"] = records->bytes_to_receive();
  json["layers"] = layers;
  json["url"] = "/v1/Apps/" + app.sid + "/Delta";
  return json_reply(200, json);
}

// `From` as a device reports it ("sha256:HEX") may be of a bundle that the account does not have: nothing to begin
// from.
Result<std::optional<App>> find_from(Call& call) {
  const auto given = call.request.query.find("From");
  if (given == call.request.query.end() || given->second.empty()) return std::nullopt;
  constexpr std::string_view kPrefix = "sha256:";
  std::string key = given->second;
  const bool is_hash = key.starts_with(kPrefix);
  if (is_hash) {
    const auto hash = from_hex(std::string_view(key).substr(kPrefix.size()));
    if (!hash || hash->size() != 32) return fail("From is not sha256: and 64 hex digits");
    key = *hash;
  }
  auto app = call.services.store.app(call.account, key);
  if (app) return std::move(*app);
  if (is_hash) return std::nullopt;
  return fail("From: " + app.error().sentence);
}

HttpReply fetch_delta(Call& call) {
  Services& services = call.services;
  auto app = services.store.app(call.account, call.path[0]);
  if (!app) return error_reply(app.error());
  auto from = find_from(call);
  if (!from) return error_reply(404, from.error());
  if (services.deltas == nullptr) return error_reply(503, "this cloud makes no deltas");
  const DeltaPair pair{*from ? (*from)->manifest.hash : std::string(), app->manifest.hash};
  HttpReply reply;
  reply.later = [&services, pair, app = std::move(*app), from = std::move(*from)](std::function<void(HttpReply)> put) {
    services.deltas->fetch(pair, [&services, app, from, put = std::move(put)](const Deltas::Records& records) {
      put(delta_reply(services.blobs, app, from, records));
    });
  };
  return reply;
}

}  // namespace

void add_delta_routes(std::vector<Api::Entry>& entries) {
  entries.push_back({"GET", "/v1/Apps/{}/Delta", fetch_delta});
}

}  // namespace mv::cloud
