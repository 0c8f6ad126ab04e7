#include "cloud/api/upload.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cloud/api/answers.h"
#include "cloud/bundle_check.h"

namespace mv::cloud {
namespace {

constexpr std::size_t kNameLimit = 256;

std::string limit_sentence(std::uint64_t limit) {
  return "the file is larger than the " + std::to_string(limit >> 20) + " MiB that this cloud takes";
}

// One bundle on its way into the store. One thread has it at a time: ours, a worker's, ours again.
struct Job {
  Services& services;
  BlobStore blobs;
  std::string account;
  std::string unique_name;
  std::vector<Signer> signers;
  TemporaryFile zip;

  // What the worker found out.
  App app;
  std::vector<Blob> layers;
  Sentence refusal;  // of the bundle; empty: it is good
  Sentence failure;  // of this machine; empty: all of it is on disk
};

// Puts manifest, layers and zip in their places; what `app` and `layers` name is on disk afterwards.
Result<void> store_blobs(Job& job, const CheckedBundle& bundle) {
  for (const std::string& content : bundle.layers) {
    auto hash = job.blobs.put(content);
    if (!hash) return fail(hash.error());
    job.layers.push_back({std::move(*hash), content.size()});
  }
  auto manifest = job.blobs.put(bundle.manifest);
  if (!manifest) return fail(manifest.error());
  job.app.manifest = {std::move(*manifest), bundle.manifest.size()};
  auto content = read_file(job.zip.path(), job.zip.size());
  if (!content) return fail(content.error());
  job.app.bundle = {sha256(*content), job.zip.size()};
  return job.blobs.adopt(job.zip, job.app.bundle.hash);
}

// The worker's part: signatures, hashes, and syncs to disk.
void check_and_store(Job& job) {
  auto bundle = check_bundle(job.zip.path(), job.signers);
  if (!bundle) {
    job.refusal = bundle.error();
    return;
  }
  job.app = std::move(bundle->app);
  if (const auto stored = store_blobs(job, *bundle); !stored) job.failure = stored.error();
}

std::vector<Blob> blobs_of(const Job& job) {
  std::vector<Blob> blobs = job.layers;
  blobs.push_back(job.app.manifest);
  blobs.push_back(job.app.bundle);
  return blobs;
}

void remove_unused(const Job& job) {
  for (const Blob& blob : blobs_of(job)) {
    const auto used = job.services.store.blob_is_used(blob.hash);
    if (used && !*used) job.blobs.remove(blob.hash);
  }
}

// An app that was removed while the worker ran may have taken blobs with it that the worker found in place.
bool all_there(const Job& job) {
  const auto blobs = blobs_of(job);
  return std::all_of(blobs.begin(), blobs.end(), [&](const Blob& blob) { return job.blobs.contains(blob.hash); });
}

HttpReply add_app(Job& job) {
  Services& services = job.services;
  App& app = job.app;
  app.sid = new_sid("KA");
  app.account_sid = job.account;
  app.unique_name = job.unique_name;
  app.created = app.updated = services.now();
  if (const auto added = services.store.add_app(app, job.layers); !added) {
    remove_unused(job);
    return error_reply(added.error());
  }
  services.metrics.add("mvcloud_uploads_total");
  spdlog::info("app {} ({} {}), {} bytes, signed by {}", app.sid, app.name, app.version, app.bundle.size,
               app.signer_id);
  return json_reply(201, app_json(app));
}

// The rest, with the blobs on disk. From here to the row in the database nobody else runs.
HttpReply conclude(Job& job) {
  if (!job.refusal.empty()) return error_reply(422, job.refusal);
  if (!job.failure.empty()) {
    spdlog::error("a bundle cannot be stored: {}", job.failure);
    return error_reply(503, "the cloud cannot store the bundle now: try again later");
  }
  if (const auto known = job.services.store.app(job.account, job.app.manifest.hash)) {
    remove_unused(job);
    return json_reply(200, app_json(*known));  // uploading the same again is no mistake
  }
  if (!all_there(job)) {
    return error_reply(503, "an app that shares parts with this bundle was removed just now: send the bundle again");
  }
  return add_app(job);
}

}  // namespace

Upload::Upload(Services& services, std::string account, const HttpRequest& request, Keep keep)
    : services_(services), account_(std::move(account)), keep_(keep) {
  auto boundary = MultipartParser::boundary_of(request.header("content-type"));
  if (!boundary) {
    refuse(415, "send the file as multipart/form-data with the field File, as `curl -F File=@app.zip` does");
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
    refuse(503, "the cloud cannot store the file now: try again later");
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
    refuse(503, "the cloud cannot store the file now: try again later");
    return fail("");
  }
  return {};
}

HttpReply Upload::finish() {
  if (refusal_) return std::move(*refusal_);
  if (!parser_->complete()) return error_reply(400, "the body ends before its last boundary: send it again");
  if (!file_) return error_reply(400, "the body has no field File with the file in it");
  if (!unique_name_.empty()) {
    if (const auto good = check_unique_name(unique_name_); !good) return error_reply(400, good.error());
  }
  return keep_(services_, account_, std::move(*file_), unique_name_);
}

HttpReply keep_bundle(Services& services, const std::string& account, TemporaryFile file,
                      const std::string& unique_name) {
  PageRequest all;
  all.size = 1000;
  auto signers = services.store.signers(account, all);
  if (!signers) return error_reply(signers.error());
  const auto job = std::make_shared<Job>(
      Job{services, services.blobs, account, unique_name, std::move(signers->items), std::move(file), {}, {}, {}, {}});
  HttpReply reply;
  reply.later = [job](std::function<void(HttpReply)> put) {
    job->services.run_aside([job] { check_and_store(*job); },
                            [job, put = std::move(put)] {
                              auto concluded = conclude(*job);
                              job->zip.remove();  // before anybody hears of the end
                              put(std::move(concluded));
                            });
  };
  return reply;
}

}  // namespace mv::cloud
