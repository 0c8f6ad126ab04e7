// Takes a bundle in as it arrives: multipart/form-data with the field `File`, streamed to disk, limited in size.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cloud/api/api.h"
#include "cloud/files.h"
#include "cloud/http/multipart.h"

namespace mv::cloud {

class Upload final : public HttpExchange {
 public:
  Upload(Services& services, std::string account, const HttpRequest& request);

  std::optional<HttpReply> early_reply() override;
  bool take(std::string_view body) override;
  HttpReply finish() override;

 private:
  Result<void> begin_part(const std::string& name);
  Result<void> take_data(std::string_view piece);
  HttpReply store_bundle();
  void refuse(int status, Sentence sentence);

  Services& services_;
  std::string account_;
  std::optional<MultipartParser> parser_;
  std::string part_;
  std::optional<TemporaryFile> file_;
  std::string unique_name_;
  std::optional<HttpReply> refusal_;
};

}  // namespace mv::cloud
