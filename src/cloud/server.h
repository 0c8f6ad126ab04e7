// The one port: accepts, does TLS, and gives each connection to the gateway or to the API. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cloud/http/http.h"
#include "cloud/services.h"
#include "cloud/tls_context.h"

namespace mv::cloud {

class Server {
 public:
  // Listens at once. `listen` is "ADDRESS:PORT"; port 0 takes any free one.
  static Result<std::unique_ptr<Server>> listen(const std::string& address, Services& services, HttpHandler& api,
                                                SslContext tls);
  virtual ~Server() = default;

  virtual std::uint16_t port() const = 0;
  // Serves until SIGTERM or SIGINT; then takes no more, lets each connection finish, and returns within ten seconds.
  virtual void run() = 0;
};

}  // namespace mv::cloud
