// The whole host side of debugging in one process, with a device simulated on QEMU's stub:
//
//   gdb_rig QEMU_PORT KEY.pem [ELF [DELAY_MS [PINNED.pem]]]
//
// GDB server, caches, agent client and end-to-end TLS are the product's; the carrier is a socket pair that delays each
// way by DELAY_MS. The device takes the key of PINNED.pem, or of KEY.pem. Prints "Listening on port N", and "resumed"
// for each resume that the device gets. SIGUSR1 cuts the carrier, SIGTERM ends.
#include <sys/socket.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/write.hpp>

#include "device_tls.h"
#include "gdbserver/session/server.h"
#include "gdbserver/target/agent_target.h"
#include "gdbserver/target/debug_link.h"
#include "qemu_agent.h"

namespace mv::test {
namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

const std::string kDeviceId = "UV00112233445566778899aabbccddeeff";

// One end of a socket pair as a byte pipe, with a delay in each direction.
class SocketPipe final : public transport::BytePipe, public std::enable_shared_from_this<SocketPipe> {
 public:
  SocketPipe(Socket socket, gdb::Scheduler& scheduler, std::chrono::milliseconds delay)
      : socket_(std::move(socket)), scheduler_(scheduler), delay_(delay) {}
  ~SocketPipe() override { *alive_ = false; }

  void start(OnData on_data, OnClosed on_closed) override {
    on_data_ = std::move(on_data);
    on_closed_ = std::move(on_closed);
    read();
  }

  void send(std::span<const std::uint8_t> bytes) override {
    later([this, copy = std::vector<std::uint8_t>(bytes.begin(), bytes.end())] {
      boost::system::error_code ignored;
      asio::write(socket_, asio::buffer(copy), ignored);
    });
  }
  std::size_t unsent() const override { return 0; }

  void close() override {
    *alive_ = false;
    shut();
  }

  void cut() { shut(); }

 private:
  void shut() {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_), [this, alive = alive_](auto error, std::size_t count) {
      if (!*alive) return;
      if (error) return later([this] { on_closed_({transport::PipeEnd::Reason::kLost, 0, "the carrier was cut"}); });
      later([this, copy = std::vector<std::uint8_t>(
                       buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(count))] { on_data_(copy); });
      read();
    });
  }

  void later(std::function<void()> action) {
    auto timer = std::make_shared<std::unique_ptr<gdb::Scheduler::Timer>>();
    *timer = scheduler_.after(delay_, [timer, alive = alive_, action = std::move(action)] {
      const auto done = std::move(*timer);
      if (*alive) action();
    });
  }

  Socket socket_;
  gdb::Scheduler& scheduler_;
  std::chrono::milliseconds delay_;
  OnData on_data_;
  OnClosed on_closed_;
  std::array<std::uint8_t, 4096> buffer_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The device: serves one connection after the other on its own thread.
class Device {
 public:
  Device(QemuStub stub, std::vector<std::uint8_t> debug_point)
      : stub_(std::move(stub)), agent_(stub_), context_(authority_.issue(kDeviceId), std::move(debug_point)) {}

  const std::string& ca_pem() const { return authority_.certificate(); }

  void serve(int descriptor) {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([this, descriptor] {
      auto tls = DeviceTls::accept(descriptor, context_);
      while (tls && serve_one(*tls)) {
      }
    });
  }

  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  static std::optional<wire::AgentRequest> receive(DeviceTls& tls) {
    std::array<std::uint8_t, 2> header;
    if (!tls.read_all(header)) return std::nullopt;
    std::vector<std::uint8_t> message(static_cast<std::size_t>(header[0]) << 8 | header[1]);
    wire::AgentRequest request;
    if (!tls.read_all(message)) return std::nullopt;
    if (!request.ParseFromArray(message.data(), static_cast<int>(message.size()))) return std::nullopt;
    return request;
  }

  bool serve_one(DeviceTls& tls) {
    const auto request = receive(tls);
    if (!request) return false;
    if (request->has_resume()) {
      std::printf("resumed\n");
      std::fflush(stdout);
    }
    bool gone = false;
    const auto reply = agent_.handle(*request, [&](int milliseconds) -> QemuAgent::Poll {
      if (!tls.readable(milliseconds)) return {};
      auto found = receive(tls);
      gone = !found;
      return {std::move(found), gone};
    });
    if (reply) tls.write_all(gdb::frame_message(reply->SerializeAsString()));
    return !gone;
  }

  QemuStub stub_;
  QemuAgent agent_;
  transport::test::Authority authority_;
  transport::test::DeviceContext context_;
  std::thread thread_;
};

gdb::SessionId random_session() {
  std::random_device random;
  gdb::SessionId id;
  for (auto& byte : id) byte = static_cast<std::uint8_t>(random());
  return id;
}

int run(int argc, char** argv) {
  asio::io_context context;
  std::signal(SIGPIPE, SIG_IGN);  // a cut shows as an error of the write
  const auto scheduler = gdb::make_scheduler(context);
  auto stub = QemuStub::connect(static_cast<std::uint16_t>(std::atoi(argv[1])));
  const auto key = transport::DebugIdentity::load(argv[2]);
  if (!stub || !key) return std::fprintf(stderr, "gdb_rig: no QEMU on that port, or no key\n"), 1;
  const std::chrono::milliseconds delay(argc > 4 ? std::atoi(argv[4]) : 0);
  const auto pinned = argc > 5 ? transport::DebugIdentity::load(argv[5]) : key;
  if (!pinned) return std::fprintf(stderr, "gdb_rig: %s\n", pinned.error().c_str()), 1;
  Device device(std::move(*stub), pinned->public_point());
  std::weak_ptr<SocketPipe> current;

  const auto open_carrier = [&](gdb::DebugLink::Opened opened) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    device.serve(ends[1]);
    struct Holder final : transport::BytePipe {
      explicit Holder(std::shared_ptr<SocketPipe> p) : pipe(std::move(p)) {}
      void start(OnData d, OnClosed c) override { pipe->start(std::move(d), std::move(c)); }
      void send(std::span<const std::uint8_t> bytes) override { pipe->send(bytes); }
      std::size_t unsent() const override { return pipe->unsent(); }
      void close() override { pipe->close(); }
      std::shared_ptr<SocketPipe> pipe;
    };
    auto pipe =
        std::make_shared<SocketPipe>(Socket(context, asio::local::stream_protocol(), ends[0]), *scheduler, delay);
    current = pipe;
    scheduler->post([opened, pipe] { opened(std::make_unique<Holder>(pipe)); });
  };

  gdb::DebugLink link(open_carrier, *scheduler, *key, {device.ca_pem(), kDeviceId});
  gdb::AgentClient client(link, *scheduler, random_session, {});
  gdb::AgentTarget target(client);
  auto server = gdb::Server::open(context, *scheduler, target, 0);
  if (!server) return std::fprintf(stderr, "gdb_rig: %s\n", server.error().text.c_str()), 1;
  std::printf("Listening on port %u\n", (*server)->port());
  std::fflush(stdout);

  std::optional<gdb::ElfImage> image;
  if (argc > 3)
    if (auto loaded = gdb::load_elf_image(argv[3])) image = std::move(*loaded);
  target.probe(std::move(image), [&](gdb::Result<gdb::DeviceFacts> facts) {
    if (!facts) {
      std::fprintf(stderr, "gdb_rig: %s\n", facts.error().text.c_str());
      return context.stop();
    }
    (*server)->serve();
  });

  asio::signal_set cuts(context, SIGUSR1);
  std::function<void()> wait_for_cut = [&] {
    cuts.async_wait([&](auto error, int) {
      if (error) return;
      if (const auto pipe = current.lock()) pipe->cut();
      wait_for_cut();
    });
  };
  wait_for_cut();
  asio::signal_set ends(context, SIGTERM, SIGINT);
  ends.async_wait([&](auto error, int) {
    if (!error) (*server)->stop([&] { context.stop(); });
  });
  context.run();
  client.close();
  context.restart();
  context.poll();
  device.join();
  return 0;
}

}  // namespace
}  // namespace mv::test

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: gdb_rig QEMU_PORT KEY.pem [ELF [DELAY_MS]]\n"), 2;
  return mv::test::run(argc, argv);
}
