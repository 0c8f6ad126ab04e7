// How `mvctl emulator ...` talks to the supervisor of a device: one line of JSON each way on a unix socket.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json_fwd.hpp>
#include <tl/expected.hpp>

#include "emulator/local_socket.h"

namespace mv::emulator {

class ControlServer {
 public:
  // Answers one request.
  using Handler = std::function<nlohmann::json(const nlohmann::json&)>;

  ControlServer(boost::asio::io_context& context, Handler handler);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  tl::expected<void, std::string> listen(const std::string& path);

 private:
  void accept();

  LocalListener listener_;
  Handler handler_;
};

// Asks the supervisor that listens at `socket` and waits for its answer, at most five seconds; with `until_gone` also
// until it has hung up, which after a stop means that it has ended. Error: a sentence, its own or ours.
tl::expected<nlohmann::json, std::string> ask_supervisor(const std::filesystem::path& socket,
                                                         const nlohmann::json& request, bool until_gone = false);

}  // namespace mv::emulator
