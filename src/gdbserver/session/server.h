// The listening socket, on the loopback interface only. The first client drives; others beside it read (Live Watch).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "gdbserver/target/scheduler.h"
#include "gdbserver/target/target.h"

namespace boost::asio {
class io_context;
}

namespace mv::gdb {

// Time from an io_context. The context outlives it.
std::unique_ptr<Scheduler> make_scheduler(boost::asio::io_context& context);

class Server {
 public:
  // Opens the port at once; 0 takes any free one. Everything given outlives the server.
  //
  // Errors: kBadRequest (the port is in use or not allowed), with a sentence.
  static Result<std::unique_ptr<Server>> open(boost::asio::io_context& context, Scheduler& scheduler, Target& target,
                                              std::uint16_t port);

  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;

  // Clients are served from here on; those that connected before were kept waiting, and patient, as long as the context
  // ran. With `read_only` nobody drives, and
  // the application runs on.
  virtual void serve(bool read_only = false) = 0;

  // Lets the application run, ends the session and calls `done`; no client is taken any more.
  virtual void stop(std::function<void()> done) = 0;

  // The client that drives came or went.
  std::function<void(bool connected)> on_client;
};

}  // namespace mv::gdb
