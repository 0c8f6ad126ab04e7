#include "emulator/local_socket.h"

#include <unistd.h>

namespace mv::emulator {

LocalListener::~LocalListener() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

tl::expected<void, std::string> LocalListener::listen(const std::string& path) {
  ::unlink(path.c_str());
  try {
    const boost::asio::local::stream_protocol::endpoint endpoint(path);
    acceptor_.open(endpoint.protocol());
    acceptor_.bind(endpoint);
    acceptor_.listen();
  } catch (const boost::system::system_error& error) {
    return tl::make_unexpected("cannot listen at " + path + ": " + error.code().message());
  }
  path_ = path;
  return {};
}

}  // namespace mv::emulator
