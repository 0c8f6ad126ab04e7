// /healthz and /metrics: for those who run the cloud. No authentication, nothing about devices but numbers.
#include "cloud/api/answers.h"
#include "cloud/api/api.h"

namespace mv::cloud {
namespace {

HttpReply text_reply(int status, std::string type, std::string text) {
  HttpReply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", std::move(type)}};
  reply.body = std::move(text);
  return reply;
}

HttpReply health(Call& call) {
  const auto used = call.services.store.blob_is_used("");
  if (!used) return text_reply(503, "text/plain", "the database does not answer: " + used.error().sentence + "\n");
  return text_reply(200, "text/plain", "ok\n");
}

HttpReply metrics(Call& call) { return text_reply(200, "text/plain; version=0.0.4", call.services.metrics.print()); }

}  // namespace

void add_operation_routes(std::vector<Api::Entry>& entries) {
  entries.push_back({"GET", "/healthz", health, true});
  entries.push_back({"GET", "/metrics", metrics, true});
}

}  // namespace mv::cloud
