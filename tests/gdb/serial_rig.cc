// The product's GDB server in front of a device whose agent listens on a serial port, without cloud and TLS:
//
//   gdb_serial_rig FD ELF
//
// FD is the connected socket that is the serial port. Prints "Listening on port N"; SIGTERM ends.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/write.hpp>

#include "gdbserver/session/server.h"
#include "gdbserver/target/agent_target.h"

namespace mv::test {
namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

class SerialLink final : public gdb::AgentLink {
 public:
  SerialLink(asio::io_context& context, int descriptor)
      : socket_(context, asio::local::stream_protocol(), descriptor) {}

  void open(Events events) override {
    events_ = std::move(events);
    asio::post(socket_.get_executor(), [this] {
      events_.on_open();
      read();
    });
  }

  void send(std::span<const std::uint8_t> bytes) override {
    boost::system::error_code ignored;
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
  }

  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(buffer_), [this](auto error, std::size_t count) {
      if (error == asio::error::operation_aborted) return;
      if (error) return events_.on_lost({{gdb::ErrorCode::kUnreachable, "the device is gone"}, false});
      events_.on_data(std::span(buffer_).first(count));
      read();
    });
  }

  Socket socket_;
  Events events_;
  std::array<std::uint8_t, 4096> buffer_{};
};

gdb::SessionId random_session() {
  std::random_device random;
  gdb::SessionId id;
  for (auto& byte : id) byte = static_cast<std::uint8_t>(random());
  return id;
}

int run(int descriptor, const char* elf) {
  asio::io_context context;
  const auto scheduler = gdb::make_scheduler(context);
  SerialLink link(context, descriptor);
  gdb::AgentClient client(link, *scheduler, random_session, {});
  gdb::AgentTarget target(client);
  auto server = gdb::Server::open(context, *scheduler, target, 0);
  auto image = gdb::load_elf_image(elf);
  if (!server || !image) return std::fprintf(stderr, "gdb_serial_rig: no port, or no ELF\n"), 1;
  target.probe(std::move(*image), [&](gdb::Result<gdb::DeviceFacts> facts) {
    if (!facts) {
      std::fprintf(stderr, "gdb_serial_rig: %s\n", facts.error().text.c_str());
      return context.stop();
    }
    std::printf("Listening on port %u\n", (*server)->port());
    std::fflush(stdout);
    (*server)->serve();
  });
  asio::signal_set ends(context, SIGTERM, SIGINT);
  ends.async_wait([&](auto error, int) {
    if (!error) (*server)->stop([&] { context.stop(); });
  });
  context.run();
  client.close();
  return 0;
}

}  // namespace
}  // namespace mv::test

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: gdb_serial_rig FD ELF\n"), 2;
  return mv::test::run(std::atoi(argv[1]), argv[2]);
}
