#include "cloud/server.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <set>

#include "cloud/connection.h"
#include "cloud/http/http_session.h"
#include "cloud/link/link_session.h"

namespace mv::cloud {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr Microseconds kHandshakeTimeout = 20'000'000;  // a device needs 0.65 s of CPU for it, and a slow modem
constexpr Microseconds kLingerTimeout = 2'000'000;
constexpr Microseconds kDrainTimeout = 10'000'000;
constexpr std::size_t kMaxQueue = 8U << 20;  // bytes for one peer: who does not read them is cut off
constexpr std::size_t kMaxConnections = 60'000;
constexpr std::size_t kWorkers = 2;      // threads for uploads: each may hold a bundle in memory
constexpr int kNotSentLowWater = 8'192;  // so that little waits in the kernel before what is more urgent

class TlsServer;

// One TLS connection. The SSL object reads and writes the non-blocking socket itself; Asio only says when to try again.
// Kept alive by the server's set and by its own pending waits.
class TlsConnection final : public Connection, public std::enable_shared_from_this<TlsConnection> {
 public:
  TlsConnection(TlsServer& server, tcp::socket socket, Ssl ssl, std::string peer, Microseconds now)
      : server_(server), socket_(std::move(socket)), ssl_(std::move(ssl)), peer_(std::move(peer)), began_(now) {}

  void start() { advance(); }
  void tick(Microseconds now);
  void shut_down();

  void write(std::string_view bytes) override;
  std::size_t unsent() const override { return output_.size() - sent_; }
  void pause_reading(bool paused) override;
  void close() override;
  const std::string& peer() const override { return peer_; }

 private:
  enum class State { kHandshake, kOpen, kFlushing, kLingering, kDone };

  void advance();
  bool handshake();
  void read_all();
  void write_all();
  void linger();
  void finish();
  void wait(tcp::socket::wait_type direction, bool& waiting);
  void post_advance();
  // What SSL_get_error says of a call that did not succeed: true if it is to be tried again later.
  bool again(int result);

  TlsServer& server_;
  tcp::socket socket_;
  Ssl ssl_;
  std::string peer_;
  std::unique_ptr<ConnectionUser> user_;
  State state_ = State::kHandshake;
  std::string output_;
  std::size_t sent_ = 0;
  bool paused_ = false;
  bool waits_read_ = false;
  bool waits_write_ = false;
  bool wants_write_ = false;
  bool posted_ = false;
  Microseconds began_;
};

class TlsServer final : public Server {
 public:
  TlsServer(Services& services, HttpHandler& api, SslContext tls)
      : services_(services),
        api_(api),
        tls_(std::move(tls)),
        acceptor_(context_),
        timer_(context_),
        signals_(context_) {}

  Result<void> open(const std::string& address);
  std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }
  void run() override;

  std::unique_ptr<ConnectionUser> user_for(Connection& connection, const SSL* ssl);
  void forget(const std::shared_ptr<TlsConnection>& connection);
  Services& services() { return services_; }
  asio::io_context& context() { return context_; }

 private:
  void run_aside(std::function<void()> job, std::function<void()> done);
  void accept();
  void take(tcp::socket socket);
  void tick();
  void drain();

  Services& services_;
  HttpHandler& api_;
  SslContext tls_;
  asio::io_context context_{1};
  asio::thread_pool workers_{kWorkers};  // joined before the context goes
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  asio::signal_set signals_;
  std::set<std::shared_ptr<TlsConnection>> connections_;
  std::optional<Microseconds> drain_began_;
};

// --- one connection

bool TlsConnection::again(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return true;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return true;
    default:
      return false;
  }
}

// Does what can be done now, then waits for the socket. Never called from within the user.
void TlsConnection::advance() {
  const auto self = shared_from_this();
  posted_ = false;
  wants_write_ = false;
  if (state_ == State::kHandshake && !handshake()) return;
  if (state_ == State::kOpen && !paused_) read_all();
  if (state_ == State::kOpen || state_ == State::kFlushing) write_all();
  if (state_ == State::kLingering) linger();
  if (state_ == State::kDone) return;
  if (!paused_ || state_ == State::kLingering) wait(tcp::socket::wait_read, waits_read_);
  if (wants_write_) wait(tcp::socket::wait_write, waits_write_);
}

bool TlsConnection::handshake() {
  ERR_clear_error();
  const int result = SSL_accept(ssl_.get());
  if (result == 1) {
    user_ = server_.user_for(*this, ssl_.get());
    state_ = State::kOpen;
    if (!user_) finish();
    return user_ != nullptr;
  }
  if (!again(result)) {
    const unsigned long code = ERR_get_error();
    spdlog::info("TLS with {} failed: {}", peer_, code == 0 ? "the peer went away" : ERR_reason_error_string(code));
    server_.services().metrics.add("mvcloud_tls_failures_total");
    finish();
    return false;
  }
  wait(wants_write_ ? tcp::socket::wait_write : tcp::socket::wait_read, wants_write_ ? waits_write_ : waits_read_);
  return false;
}

void TlsConnection::read_all() {
  std::array<std::uint8_t, 16 * 1024> buffer;
  // A bound on what one peer gets at a time, so that a fast one does not starve the others.
  for (int turn = 0; turn < 16 && state_ == State::kOpen && !paused_; ++turn) {
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) {
      if (!again(count)) finish();
      return;
    }
    user_->on_bytes(std::span(buffer).first(static_cast<std::size_t>(count)));
  }
  if (state_ == State::kOpen && !paused_) post_advance();
}

void TlsConnection::write_all() {
  while (sent_ < output_.size()) {
    const std::size_t size = std::min<std::size_t>(output_.size() - sent_, 16 * 1024);
    ERR_clear_error();
    const int count = SSL_write(ssl_.get(), output_.data() + sent_, static_cast<int>(size));
    if (count <= 0) {
      if (!again(count)) finish();
      return;
    }
    sent_ += static_cast<std::size_t>(count);
    if (sent_ < output_.size()) continue;
    output_.clear();
    sent_ = 0;
    if (state_ != State::kOpen) break;
    user_->on_drained();
  }
  if (state_ == State::kFlushing) {
    SSL_shutdown(ssl_.get());
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    state_ = State::kLingering;
    began_ = server_.services().now();
  }
}

// Reads and throws away until the peer closes: closing with unread bytes would send a reset, which overtakes our
// answer.
void TlsConnection::linger() {
  std::array<char, 16 * 1024> buffer;
  error_code error;
  for (int turn = 0; turn < 64 && !error; ++turn) socket_.read_some(asio::buffer(buffer), error);
  if (error && error != asio::error::would_block) finish();
}

void TlsConnection::wait(tcp::socket::wait_type direction, bool& waiting) {
  if (std::exchange(waiting, true)) return;
  socket_.async_wait(direction, [self = shared_from_this(), &waiting](const error_code& error) {
    waiting = false;
    if (!error && self->state_ != State::kDone) self->advance();
  });
}

void TlsConnection::post_advance() {
  if (std::exchange(posted_, true)) return;
  asio::post(server_.context(), [self = shared_from_this()] {
    if (self->state_ != State::kDone) self->advance();
  });
}

void TlsConnection::write(std::string_view bytes) {
  if (state_ != State::kOpen) return;
  if (unsent() + bytes.size() > kMaxQueue) {
    spdlog::warn("{} does not read what it asked for: cut off", peer_);
    state_ = State::kFlushing;
    output_.clear();
    sent_ = 0;
  } else {
    output_ += bytes;
  }
  post_advance();
}

void TlsConnection::pause_reading(bool paused) {
  if (std::exchange(paused_, paused) && !paused) post_advance();
}

void TlsConnection::close() {
  if (state_ != State::kOpen) return;
  state_ = State::kFlushing;
  post_advance();
}

void TlsConnection::tick(Microseconds now) {
  if (state_ == State::kHandshake && now - began_ > kHandshakeTimeout) return finish();
  if (state_ == State::kLingering && now - began_ > kLingerTimeout) return finish();
  if (state_ == State::kOpen && user_) user_->on_tick(now);
}

void TlsConnection::shut_down() {
  if (state_ == State::kHandshake) return finish();
  if (state_ == State::kOpen && user_) user_->on_shutdown();
}

void TlsConnection::finish() {
  if (state_ == State::kDone) return;
  const auto self = shared_from_this();
  state_ = State::kDone;
  error_code ignored;
  socket_.close(ignored);
  if (user_) user_->on_closed();
  // Not now: the caller may be the user.
  asio::post(server_.context(), [self] {
    self->user_.reset();
    self->ssl_.reset();
    self->server_.forget(self);
  });
}

// --- the port

Result<void> TlsServer::open(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  const auto port =
      colon == std::string::npos ? std::nullopt : parse_number(std::string_view(address).substr(colon + 1));
  if (!port || *port > 65535) return fail("'" + address + "' is not ADDRESS:PORT, as 127.0.0.1:8443 is");
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  error_code error;
  const auto ip = asio::ip::make_address(host, error);
  if (error) return fail("'" + host + "' is not an IP address to listen on: give for example 127.0.0.1 or 0.0.0.0");
  const tcp::endpoint endpoint(ip, static_cast<std::uint16_t>(*port));
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail("cannot listen on " + address + ": " + error.message() + ": choose another with --listen");
  return {};
}

void TlsServer::run() {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an error of the write, not the end of the program
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.async_wait([this](const error_code& error, int) {
    if (!error) drain();
  });
  services_.run_aside = [this](std::function<void()> job, std::function<void()> done) {
    run_aside(std::move(job), std::move(done));
  };
  accept();
  tick();
  context_.run();
  workers_.join();
}

void TlsServer::run_aside(std::function<void()> job, std::function<void()> done) {
  asio::post(workers_, [this, job = std::move(job), done = std::move(done)]() mutable {
    job();
    asio::post(context_, std::move(done));
  });
}

void TlsServer::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (drain_began_ || error == asio::error::operation_aborted) return;
    if (error) {
      spdlog::error("cannot accept a connection: {}", error.message());  // out of descriptors, most often
    } else {
      take(std::move(socket));
    }
    accept();
  });
}

void TlsServer::take(tcp::socket socket) {
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error || connections_.size() >= kMaxConnections) return;
  socket.non_blocking(true, error);
  socket.native_non_blocking(true, error);
  socket.set_option(tcp::no_delay(true), error);
  const int low_water = kNotSentLowWater;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low_water, sizeof low_water);
  Ssl ssl(SSL_new(tls_.get()));
  if (!ssl || SSL_set_fd(ssl.get(), socket.native_handle()) != 1) return;
  const std::string peer = remote.address().to_string() + ":" + std::to_string(remote.port());
  auto connection = std::make_shared<TlsConnection>(*this, std::move(socket), std::move(ssl), peer, services_.now());
  connections_.insert(connection);
  services_.metrics.set("mvcloud_connections", static_cast<std::int64_t>(connections_.size()));
  connection->start();
}

std::unique_ptr<ConnectionUser> TlsServer::user_for(Connection& connection, const SSL* ssl) {
  if (!is_device_link(ssl)) return std::make_unique<HttpSession>(connection, api_, services_.now());
  auto device = device_id_of(ssl);
  if (!device) {
    spdlog::warn("the certificate of {} names no device", connection.peer());
    return nullptr;
  }
  services_.metrics.add("mvcloud_link_handshakes_total", 1,
                        SSL_session_reused(ssl) ? "resumed=\"true\"" : "resumed=\"false\"");
  return std::make_unique<LinkSession>(services_, connection, std::move(*device));
}

void TlsServer::forget(const std::shared_ptr<TlsConnection>& connection) {
  connections_.erase(connection);
  services_.metrics.set("mvcloud_connections", static_cast<std::int64_t>(connections_.size()));
  if (drain_began_ && connections_.empty()) context_.stop();
}

void TlsServer::tick() {
  const Microseconds now = services_.now();
  const auto current = connections_;  // a tick may end connections
  for (const auto& connection : current) connection->tick(now);
  if (drain_began_ && (current.empty() || now - *drain_began_ > kDrainTimeout)) return context_.stop();
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](const error_code& error) {
    if (!error) tick();
  });
}

void TlsServer::drain() {
  spdlog::info("ending: {} connections are let finish", connections_.size());
  drain_began_ = services_.now();
  error_code ignored;
  acceptor_.close(ignored);
  const auto current = connections_;
  for (const auto& connection : current) connection->shut_down();
  if (current.empty()) context_.stop();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(const std::string& address, Services& services, HttpHandler& api,
                                               SslContext tls) {
  auto server = std::make_unique<TlsServer>(services, api, std::move(tls));
  if (auto opened = server->open(address); !opened) return fail(opened.error());
  return server;
}

}  // namespace mv::cloud
