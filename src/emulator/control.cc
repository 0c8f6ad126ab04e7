#include "emulator/control.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

namespace mv::emulator {
namespace {

using boost::system::error_code;
using Socket = boost::asio::local::stream_protocol::socket;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr std::size_t kMaxLine = 16 * 1024;
constexpr std::chrono::seconds kPatience{5};

// One request and its answer. Stays open until the other side hangs up.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(Socket socket, ControlServer::Handler handler)
      : socket_(std::move(socket)), handler_(std::move(handler)) {}

  void start() {
    boost::asio::async_read_until(socket_, boost::asio::dynamic_buffer(text_, kMaxLine), '\n',
                                  [self = shared_from_this()](error_code error, std::size_t length) {
                                    if (!error) self->answer(length);
                                  });
  }

 private:
  void answer(std::size_t length) {
    const json request = json::parse(text_.substr(0, length), nullptr, false);
    const json reply =
        request.is_object() ? handler_(request) : json{{"ok", false}, {"error", "the request is not a JSON object"}};
    text_ = reply.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    boost::asio::async_write(socket_, boost::asio::buffer(text_),
                             [self = shared_from_this()](error_code error, std::size_t) {
                               if (!error) self->linger();
                             });
  }

  void linger() {
    socket_.async_read_some(boost::asio::buffer(&ignored_, 1), [self = shared_from_this()](error_code, std::size_t) {});
  }

  Socket socket_;
  ControlServer::Handler handler_;
  std::string text_;
  char ignored_ = 0;
};

// A blocking connection with a deadline.
class Call {
 public:
  Call() : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Call() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // The address holds 107 bytes, a path may be longer: the folder is named by its descriptor instead.
  bool connect(const std::filesystem::path& path) const {
    const int folder = ::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "/proc/self/fd/" + std::to_string(folder) + "/" + path.filename().string();
    std::strncpy(address.sun_path, name.c_str(), sizeof address.sun_path - 1);
    const bool connected =
        folder >= 0 && ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const int error = errno;
    if (folder >= 0) ::close(folder);
    errno = error;
    return connected;
  }

  bool send(const std::string& text) const {
    return ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  // Appends what comes. False: the end, an error or the deadline.
  bool receive(std::string& text) const {
    pollfd state{descriptor_, POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0 || ::poll(&state, 1, static_cast<int>(left)) <= 0) return false;
    char buffer[4096];
    const ssize_t length = ::recv(descriptor_, buffer, sizeof buffer, 0);
    if (length <= 0 || text.size() > kMaxLine) return false;
    text.append(buffer, static_cast<std::size_t>(length));
    return true;
  }

 private:
  int descriptor_;
  Clock::time_point deadline_ = Clock::now() + kPatience;
};

}  // namespace

ControlServer::ControlServer(boost::asio::io_context& context, Handler handler)
    : listener_(context), handler_(std::move(handler)) {}

tl::expected<void, std::string> ControlServer::listen(const std::string& path) {
  auto listening = listener_.listen(path);
  if (listening) accept();
  return listening;
}

void ControlServer::accept() {
  listener_.accept([this](error_code error, Socket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (!error) std::make_shared<Conversation>(std::move(socket), handler_)->start();
    accept();
  });
}

tl::expected<json, std::string> ask_supervisor(const std::filesystem::path& socket, const json& request,
                                               bool until_gone) {
  const Call call;
  const std::string name = socket.parent_path().filename().string();
  if (!call.connect(socket)) return tl::make_unexpected("the emulated device " + name + " is not running");
  if (!call.send(request.dump() + "\n")) return tl::make_unexpected("the supervisor of " + name + " hung up");
  std::string text;
  while (text.find('\n') == std::string::npos) {
    if (!call.receive(text)) return tl::make_unexpected("the supervisor of " + name + " does not answer");
  }
  json reply = json::parse(text, nullptr, false);
  if (!reply.is_object()) return tl::make_unexpected("the supervisor of " + name + " answers nonsense");
  if (!reply.value("ok", false)) return tl::make_unexpected(reply.value("error", std::string("it failed")));
  while (until_gone && call.receive(text)) {
  }
  return reply;
}

}  // namespace mv::emulator
