// The GDB behind `mvctl trace`: it compiles the person's expressions for the device, and prints their values of what
// the device recorded. It talks to a stub in this process, never to the device.
//
// The device's expressions know integers and memory. What GDB cannot compile whole (floating point, comparisons of
// enumerators, what lies in several registers) is collected in the largest parts that it can, and computed here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "cli/gdb_machine.h"
#include "gdbserver/rsp/packet.h"
#include "gdbserver/trace/stub.h"

namespace mv::cli {

struct TraceValue {
  std::string text;     // as GDB prints it
  std::string problem;  // why there is none; empty: there is
};

class TraceGdb {
 public:
  // kFailed: no GDB is installed, or it does not come up.
  static tl::expected<std::unique_ptr<TraceGdb>, Failure> start(boost::asio::io_context& io, const std::string& elf);

  // Where to trace, as for a breakpoint ("sensor.c:88", "read_sensor"), and when; an empty condition is always true.
  // Returns what GDB made of it: "sensor.c:88 in read_sensor".
  //
  // kUsage: no such place, a line without code, or a condition that does not parse.
  tl::expected<std::string, Failure> place(const std::string& location, const std::string& condition);

  // What to collect there. After `place`.
  //
  // kUsage: an expression that GDB does not understand, or that would change or call something.
  tl::expected<gdb::TraceDefinition, Failure> compile(const std::vector<std::string>& expressions);

  // The values at a hit, in the order of `expressions`.
  std::vector<TraceValue> values(const gdb::TraceHit& hit, const std::vector<std::string>& expressions);

  bool works() const { return machine_->works(); }

 private:
  explicit TraceGdb(boost::asio::io_context& io) : acceptor_(io), socket_(io) {}
  Result serve();
  void accept();
  void read();
  void take(std::string_view bytes);
  void send(const std::string& bytes);

  Result add(const std::string& expression);
  Result check(const std::string& expression);
  void add_parts(const std::string& expression);
  bool can_collect(const std::string& expression);
  bool is_value(const std::string& text);
  bool stands_alone(const std::string& text, const std::vector<struct Token>& tokens, std::size_t first);
  MiAnswer what_is(const std::string& text);

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::socket socket_;
  std::array<char, 4096> buffer_{};
  rsp::PacketDecoder decoder_;
  gdb::TraceStub stub_;
  std::unique_ptr<GdbMachine> machine_;
  std::string location_;
  std::vector<std::string> collected_;  // that GDB can compile
  bool all_registers_ = false;          // something may lie in registers that GDB does not name
};

}  // namespace mv::cli
