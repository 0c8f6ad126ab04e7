#include "cloud/api/upload.h"

#include <spdlog/spdlog.h>

#include "cloud/api/answers.h"
#include "cloud/bundle_check.h"

namespace mv::cloud {
namespace {

constexpr std::size_t kNameLimit = 256;

std::string limit_sentence(std::uint64_t limit) {
  return "the bundle is larger than the " + std::to_string(limit >> 20) + " MiB that this cloud takes";
}

// Puts manifest, layers and zip in their places; what `app` names is on disk afterwards.
Result<std::vector<Blob>> store_blobs(const BlobStore& blobs, const CheckedBundle& bundle, TemporaryFile& zip,
                                      App& app) {
  std::vector<Blob> layers;
  for (const std::string& content : bundle.layers) {
    auto hash = blobs.put(content);
    if (!hash) return fail(hash.error());
    layers.push_back({std::move(*hash), content.size()});
  }
  auto manifest = blobs.put(bundle.manifest);
  if (!manifest) return fail(manifest.error());
  app.manifest = {std::move(*manifest), bundle.manifest.size()};
  auto content = read_file(zip.path(), zip.size());
  if (!content) return fail(content.error());
  app.bundle = {sha256(*content), zip.size()};
  if (auto adopted = blobs.adopt(zip, app.bundle.hash); !adopted) return fail(adopted.error());
  return layers;
}

}  // namespace

Upload::Upload(Services& services, std::string account, const HttpRequest& request)
    : services_(services), account_(std::move(account)) {
  auto boundary = MultipartParser::boundary_of(request.header("content-type"));
  if (!boundary) {
    refuse(415, "send the bundle as multipart/form-data with the field File, as `curl -F File=@app.zip` does");
    return;
  }
  const auto length = parse_number(request.header("content-length"));
  if (length && *length > services.settings.upload_limit + 16 * 1024) {
    refuse(413, limit_sentence(services.settings.upload_limit));
    return;
  }
  parser_.emplace(
      std::move(*boundary), [this](const std::string& name) { return begin_part(name); },
      [this](std::string_view piece) { return take_data(piece); });
}

std::optional<HttpReply> Upload::early_reply() { return std::exchange(refusal_, std::nullopt); }

void Upload::refuse(int status, Sentence sentence) { refusal_ = error_reply(status, sentence); }

bool Upload::take(std::string_view body) {
  const auto taken = parser_->push(body);
  if (!taken && !refusal_) refuse(400, taken.error());
  return !refusal_;
}

Result<void> Upload::begin_part(const std::string& name) {
  part_ = name;
  if (name == "UniqueName" && unique_name_.empty()) return {};
  if (name != "File") return fail("the body has a field that is not wanted, or twice: send File and UniqueName only");
  if (file_) return fail("the body has the field File twice");
  auto file = services_.blobs.new_upload();
  if (!file) {
    spdlog::error("an upload cannot be stored: {}", file.error());
    refuse(503, "the cloud cannot store the bundle now: try again later");
    return fail("");
  }
  file_.emplace(std::move(*file));
  return {};
}

Result<void> Upload::take_data(std::string_view piece) {
  if (part_ == "UniqueName") {
    unique_name_ += piece;
    if (unique_name_.size() > kNameLimit) return fail("UniqueName is too long");
    return {};
  }
  if (file_->size() + piece.size() > services_.settings.upload_limit) {
    refuse(413, limit_sentence(services_.settings.upload_limit));
    return fail("");
  }
  if (auto written = file_->write(piece); !written) {
    spdlog::error("an upload cannot be stored: {}", written.error());
    refuse(503, "the cloud cannot store the bundle now: try again later");
    return fail("");
  }
  return {};
}

HttpReply Upload::finish() {
  if (refusal_) return std::move(*refusal_);
  if (!parser_->complete()) return error_reply(400, "the body ends before its last boundary: send it again");
  if (!file_) return error_reply(400, "the body has no field File with the bundle in it");
  if (!unique_name_.empty()) {
    if (const auto good = check_unique_name(unique_name_); !good) return error_reply(400, good.error());
  }
  return store_bundle();
}

HttpReply Upload::store_bundle() {
  PageRequest all;
  all.size = 1000;
  const auto signers = services_.store.signers(account_, all);
  if (!signers) return error_reply(signers.error());
  auto bundle = check_bundle(file_->path(), signers->items);
  if (!bundle) return error_reply(422, bundle.error());
  if (const auto known = services_.store.app(account_, sha256(bundle->manifest))) {
    return json_reply(200, app_json(*known));  // uploading the same again is no mistake
  }
  App app = std::move(bundle->app);
  const auto layers = store_blobs(services_.blobs, *bundle, *file_, app);
  if (!layers) {
    spdlog::error("a bundle cannot be stored: {}", layers.error());
    return error_reply(503, "the cloud cannot store the bundle now: try again later");
  }
  app.sid = new_sid("KA");
  app.account_sid = account_;
  app.unique_name = unique_name_;
  app.created = app.updated = services_.now();
  if (const auto added = services_.store.add_app(app, *layers); !added) return error_reply(added.error());
  services_.metrics.add("mvcloud_uploads_total");
  spdlog::info("app {} ({} {}), {} bytes, signed by {}", app.sid, app.name, app.version, app.bundle.size,
               app.signer_id);
  return json_reply(201, app_json(app));
}

}  // namespace mv::cloud
