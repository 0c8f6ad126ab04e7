// /v1/Apps: uploaded bundles.
#include "cloud/api/answers.h"
#include "cloud/api/api.h"
#include "cloud/api/upload.h"
#include "cloud/delta/deltas.h"

namespace mv::cloud {
namespace {

HttpReply list_apps(Call& call) {
  const auto page = page_request(call.request.query);
  if (!page) return error_reply(400, page.error());
  return list_reply(call, "apps", call.services.store.apps(call.account, *page), app_json);
}

HttpReply fetch_app(Call& call) {
  const auto app = call.services.store.app(call.account, call.path[0]);
  return app ? json_reply(200, app_json(*app)) : error_reply(app.error());
}

HttpReply fetch_manifest(Call& call) {
  const auto app = call.services.store.app(call.account, call.path[0]);
  if (!app) return error_reply(app.error());
  const auto bytes = call.services.blobs.read(app->manifest.hash, 0, app->manifest.size);
  if (!bytes) return error_reply(503, bytes.error());
  Json json;
  json["app_sid"] = app->sid;
  json["hash"] = "sha256:" + to_hex(app->manifest.hash);
  json["encoded_bytes"] = to_base64(*bytes);
  json["url"] = "/v1/Apps/" + app->sid + "/Manifest";
  return json_reply(200, json);
}

// Sends a blob piece by piece: a bundle may be as large as an upload.
class BlobSource final : public StreamSource {
 public:
  BlobSource(const BlobStore& blobs, Blob blob) : blobs_(blobs), blob_(std::move(blob)) {}

  void start(StreamSink& sink) override {
    sink_ = &sink;
    on_drained();
  }

  void on_drained() override {
    while (offset_ < blob_.size && !sink_->full()) {
      const auto piece = blobs_.read(blob_.hash, offset_, kPiece);
      if (!piece || piece->empty()) return;  // the reply stays without its end: the client sees that it was cut off
      sink_->send(*piece);
      offset_ += piece->size();
    }
    if (offset_ >= blob_.size) sink_->end();
  }

 private:
  static constexpr std::size_t kPiece = 32 * 1024;

  const BlobStore& blobs_;
  Blob blob_;
  StreamSink* sink_ = nullptr;
  std::uint64_t offset_ = 0;
};

HttpReply fetch_bundle(Call& call) {
  const auto app = call.services.store.app(call.account, call.path[0]);
  if (!app) return error_reply(app.error());
  HttpReply reply;
  reply.headers = {{"Content-Type", "application/zip"}};
  reply.stream = std::make_unique<BlobSource>(call.services.blobs, app->bundle);
  return reply;
}

HttpReply remove_app(Call& call) {
  const auto app = call.services.store.app(call.account, call.path[0]);
  if (!app) return error_reply(app.error());
  const auto orphans = call.services.store.remove_app(call.account, app->sid);
  if (!orphans) return error_reply(orphans.error());
  for (const std::string& hash : *orphans) call.services.blobs.remove(hash);
  if (call.services.deltas != nullptr) call.services.deltas->forget(app->manifest.hash);
  HttpReply reply;
  reply.status = 204;
  return reply;
}

}  // namespace

void add_app_routes(std::vector<Api::Entry>& entries) {
  entries.push_back({"POST", "/v1/Apps", {}, false, keep_bundle});
  entries.push_back({"GET", "/v1/Apps", list_apps});
  entries.push_back({"GET", "/v1/Apps/{}", fetch_app});
  entries.push_back({"GET", "/v1/Apps/{}/Manifest", fetch_manifest});
  entries.push_back({"GET", "/v1/Apps/{}/Bundle", fetch_bundle});
  entries.push_back({"DELETE", "/v1/Apps/{}", remove_app});
}

}  // namespace mv::cloud
