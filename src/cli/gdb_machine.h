// A GDB without a person: commands in, answers out, in its machine interface.
//
// Source: GDB manual, "The GDB/MI Interface".
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "cli/failure.h"

namespace mv::cli {

struct MiAnswer {
  bool done = false;
  std::string results;  // what stands behind ^done
  std::string console;  // what the command printed
  std::string error;    // GDB's sentence if it is not done
};

class GdbMachine {
 public:
  // Starts GDB with `elf`, reading no settings of the person, out of reach of this terminal's Ctrl-C. The context
  // outlives it.
  //
  // kFailed: no GDB is installed.
  static tl::expected<std::unique_ptr<GdbMachine>, Failure> start(boost::asio::io_context& io, const std::string& elf);

  // Ends the process.
  ~GdbMachine();
  GdbMachine(const GdbMachine&) = delete;
  GdbMachine& operator=(const GdbMachine&) = delete;

  // Runs one command to its end, serving the context meanwhile; so it must not be called from within a handler. A GDB
  // that says nothing for kPatience, or has ended, gives an answer that is not done, from then on.
  MiAnswer ask(const std::string& command);
  static constexpr std::chrono::seconds kPatience{30};

  bool works() const { return works_; }

 private:
  GdbMachine(boost::asio::io_context& io, pid_t process, int in, int out);
  void read();
  void take_line(std::string_view line);

  boost::asio::io_context& io_;
  pid_t process_;
  boost::asio::posix::stream_descriptor in_;
  boost::asio::posix::stream_descriptor out_;
  std::string incoming_;
  std::string buffer_;
  std::optional<MiAnswer> answer_;
  std::string console_;
  bool works_ = true;
};

// A string of C as MI writes it, with its quotes.
std::string mi_quoted(std::string_view text);

// What the quotes around the front of `text` hold; nothing if there are none.
std::optional<std::string> mi_string(std::string_view text);

// Every value of `name="..."` in an answer's results, however deep.
std::vector<std::string> mi_fields(std::string_view results, std::string_view name);

}  // namespace mv::cli
