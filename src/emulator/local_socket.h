// Sockets in a device's folder on which the supervisor listens.
#pragma once

#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <tl/expected.hpp>

namespace mv::emulator {

// An acceptor at a path, which is gone with it.
class LocalListener {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  explicit LocalListener(boost::asio::io_context& context) : acceptor_(context) {}
  ~LocalListener();
  LocalListener(const LocalListener&) = delete;
  LocalListener& operator=(const LocalListener&) = delete;

  // Once; a socket that was left there is replaced. A path has at most 107 bytes. Error: a sentence.
  tl::expected<void, std::string> listen(const std::string& path);

  // Waits for the next connection. `handler(error, socket)`.
  template <typename Handler>
  void accept(Handler handler) {
    acceptor_.async_accept(std::move(handler));
  }

 private:
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::string path_;
};

}  // namespace mv::emulator
