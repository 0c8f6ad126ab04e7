// Takes a file in as it arrives: multipart/form-data with the field `File`, streamed to disk, limited in size.
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
  // `keep` gets the file once it is there.
  Upload(Services& services, std::string account, const HttpRequest& request, Keep keep);

  std::optional<HttpReply> early_reply() override;
  bool take(std::string_view body) override;
  HttpReply finish() override;

 private:
  Result<void> begin_part(const std::string& name);
  Result<void> take_data(std::string_view piece);
  void refuse(int status, Sentence sentence);

  Services& services_;
  std::string account_;
  Keep keep_;
  std::optional<MultipartParser> parser_;
  std::string part_;
  std::optional<TemporaryFile> file_;
  std::string unique_name_;
  std::optional<HttpReply> refusal_;
};

// Checks a bundle and stores it as an app.
HttpReply keep_bundle(Services& services, const std::string& account, TemporaryFile file,
                      const std::string& unique_name);

}  // namespace mv::cloud
