#include "gdbserver/session/server.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "gdbserver/rsp/packet.h"
#include "gdbserver/session/session.h"

namespace mv::gdb {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class AsioScheduler final : public Scheduler {
 public:
  explicit AsioScheduler(asio::io_context& context) : context_(context) {}

  std::unique_ptr<Timer> after(std::chrono::milliseconds delay, std::function<void()> action) override {
    struct AsioTimer final : Timer {
      explicit AsioTimer(asio::io_context& context) : timer(context) {}
      ~AsioTimer() override { *wanted = false; }
      asio::steady_timer timer;
      std::shared_ptr<bool> wanted = std::make_shared<bool>(true);
    };
    auto timer = std::make_unique<AsioTimer>(context_);
    timer->timer.expires_after(delay);
    timer->timer.async_wait([wanted = timer->wanted, action = std::move(action)](boost::system::error_code error) {
      if (!error && *wanted) action();
    });
    return timer;
  }

  void post(std::function<void()> action) override { asio::post(context_, std::move(action)); }

 private:
  asio::io_context& context_;
};

// A client that reads nothing is cut off at this many bytes; the largest answer is a sixteenth of it.
constexpr std::size_t kMaxUnsent = 1U << 18;

constexpr std::size_t kMostClients = 4;

// GDB gives up after 2 s of silence, four times (GDB 13, remote.c, putpkt_binary).
constexpr std::chrono::seconds kHoldInterval{1};

// One client's socket. Owns its session; kept alive by its own operations.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `closed` is called once, when the session is over.
  explicit Connection(tcp::socket socket) : socket_(std::move(socket)) {}
  void on_closed(std::function<void()> closed) { closed_ = std::move(closed); }

  // Until `start`: a GDB that asks already is told each second that its answer will come. Its question stays in the
  // socket. LLDB, which waits longer, does not expect to be told.
  void hold(Scheduler& scheduler) {
    hold_timer_ = scheduler.after(kHoldInterval, [this, &scheduler] {
      if (hung_up()) return end();
      if (gdb_asks()) send(rsp::encode_notification("mv-alive:0"));
      hold(scheduler);
    });
  }

  void start(Target& target, Scheduler& scheduler, Session::Role role) {
    hold_timer_.reset();
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    session_ = std::make_unique<Session>(
        target, scheduler, role, [this](std::string bytes) { send(std::move(bytes)); }, [this] { session_finished(); });
    session_->watch_backlog([this] { return unsent_; });
    read();
  }

  void end() { session_ ? session_->end() : session_finished(); }

  // Its client has gone, though that may not have been read yet, and the target is being let go.
  bool leaving() { return session_ && (session_->ending() || hung_up()); }

  void drop_session() { session_.reset(); }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](auto error, std::size_t count) {
      if (error) return self->end();
      if (self->session_) self->session_->receive({self->buffer_.data(), count});
      self->read();
    });
  }

  void send(std::string bytes) {
    unsent_ += bytes.size();
    if (unsent_ > kMaxUnsent) return abandon();
    outgoing_.push_back(std::move(bytes));
    if (outgoing_.size() == 1) write();
  }

  void write() {
    asio::async_write(socket_, asio::buffer(outgoing_.front()), [self = shared_from_this()](auto error, std::size_t) {
      if (error) return self->end();
      self->unsent_ -= self->outgoing_.front().size();
      self->outgoing_.pop_front();
      if (!self->outgoing_.empty()) return self->write();
      if (!self->session_ && !self->hold_timer_) self->shut();
    });
  }

  // Whether the client has closed its side; the read that is open will end the session.
  bool hung_up() {
    pollfd socket = {.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&socket, 1, 0) == 1;
  }

  // Its first packet has come: LLDB's is another one.
  bool gdb_asks() {
    std::array<char, 64> begin{};
    const ssize_t size = ::recv(socket_.native_handle(), begin.data(), begin.size(), MSG_PEEK | MSG_DONTWAIT);
    return size > 0 &&
           std::string_view(begin.data(), static_cast<std::size_t>(size)).find("$qSupported") != std::string_view::npos;
  }

  // The read that is open fails, and the session ends from there.
  void abandon() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  // What is queued still leaves; then the socket is closed.
  void session_finished() {
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      self->session_.reset();
      self->hold_timer_.reset();
      if (self->outgoing_.empty()) self->shut();
      if (auto closed = std::exchange(self->closed_, nullptr)) closed();
    });
  }

  void shut() {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  tcp::socket socket_;
  std::function<void()> closed_;
  std::unique_ptr<Scheduler::Timer> hold_timer_;
  std::unique_ptr<Session> session_;
  std::array<char, 8192> buffer_{};
  std::deque<std::string> outgoing_;
  std::size_t unsent_ = 0;
};

class AsioServer final : public Server {
 public:
  AsioServer(asio::io_context& context, Scheduler& scheduler, Target& target)
      : scheduler_(scheduler), target_(target), acceptor_(context) {}

  // The connections' own operations may keep them for a while; their sessions must not outlive the target.
  ~AsioServer() override {
    *alive_ = false;
    for (const auto& connection : connections_) connection->drop_session();
  }

  boost::system::error_code listen(std::uint16_t port) {
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    boost::system::error_code error;
    if (acceptor_.open(endpoint.protocol(), error)) return error;
    if (acceptor_.set_option(tcp::acceptor::reuse_address(true), error)) return error;
    if (acceptor_.bind(endpoint, error)) return error;
    acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (!error) accept();
    return error;
  }

  std::uint16_t port() const override {
    boost::system::error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

  void serve(bool read_only) override {
    read_only_ = read_only;
    serving_ = true;
    for (const auto& one : std::exchange(waiting_, {})) start(one);
  }

  void stop(std::function<void()> done) override {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    if (connections_.empty()) return done();
    stopped_ = std::move(done);
    for (const auto& connection : std::vector(connections_)) connection->end();
  }

 private:
  // Beyond kMostClients the next one waits in the kernel's queue until another has left.
  void accept() {
    if (accepting_ || connections_.size() >= kMostClients || !acceptor_.is_open()) return;
    accepting_ = true;
    acceptor_.async_accept([this, alive = alive_](boost::system::error_code error, tcp::socket socket) {
      if (!*alive || error == asio::error::operation_aborted) return;
      accepting_ = false;
      if (!error) take(std::move(socket));
      accept();
    });
  }

  void take(tcp::socket socket) {
    const auto connection = std::make_shared<Connection>(std::move(socket));
    connection->on_closed([this, alive = alive_, raw = connection.get()] {
      if (*alive) left(raw);
    });
    connections_.push_back(connection);
    if (serving_ && !(driver_ && driver_->leaving())) return start(connection);
    waiting_.push_back(connection);
    connection->hold(scheduler_);
  }

  void start(const std::shared_ptr<Connection>& connection) {
    const bool drives = !read_only_ && !driver_;
    if (drives) driver_ = connection.get();
    if (drives && on_client) on_client(true);
    connection->start(target_, scheduler_, drives ? Session::Role::kDriver : Session::Role::kObserver);
  }

  void left(const Connection* connection) {
    std::erase_if(connections_, [&](const auto& one) { return one.get() == connection; });
    std::erase_if(waiting_, [&](const auto& one) { return one.get() == connection; });
    if (driver_ == connection) {
      driver_ = nullptr;
      if (on_client) on_client(false);
    }
    if (stopped_) return connections_.empty() ? std::exchange(stopped_, nullptr)() : void();
    if (serving_ && driver_ == nullptr) {
      for (const auto& one : std::exchange(waiting_, {})) start(one);
    }
    accept();
  }

  Scheduler& scheduler_;
  Target& target_;
  tcp::acceptor acceptor_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>>
      waiting_;                   // those of them that came too early, or while the driver was leaving
  Connection* driver_ = nullptr;  // one of them
  bool serving_ = false;
  bool read_only_ = false;
  bool accepting_ = false;
  std::function<void()> stopped_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<Scheduler> make_scheduler(asio::io_context& context) {
  return std::make_unique<AsioScheduler>(context);
}

Result<std::unique_ptr<Server>> Server::open(asio::io_context& context, Scheduler& scheduler, Target& target,
                                             std::uint16_t port) {
  auto server = std::make_unique<AsioServer>(context, scheduler, target);
  if (const auto error = server->listen(port)) {
    return failure(ErrorCode::kBadRequest, fmt::format("port {} cannot be opened ({}): choose another with --port, "
                                                       "0 takes any that is free",
                                                       port, error.message()));
  }
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace mv::gdb
