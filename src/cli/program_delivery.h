// What GDB's `load` becomes: a bundle like the one that runs, with another program in it, deployed through the cloud.
//
// Name, policies and debug key are those of the running bundle. It is signed by the key that was named, or by the one
// of ours that signed the running bundle. Only layers that differ are sent; if none does, nothing is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/cloud_client.h"
#include "cli/output.h"
#include "gdbserver/target/agent_target.h"

namespace boost::asio {
class io_context;
}

namespace mv::cli {

struct DeliveryPlan {
  Context context;
  std::string device_id;
  std::optional<std::string> sign_key;  // name or file; nothing: the one of ours that signed what runs
  std::string elf_path;                 // where the program's ELF probably lies; may be empty
};

// One delivery, from beginning to end. Ends soon with a failure when `go_on` becomes false. When it fails after the
// device was told, the device is told again to run what it ran before.
//
// Failures: kNotAuthorised (no key signs), kFailed (not a program for this board; given up), kDeviceOffline,
// kRefusedByDevice, and those of the cloud.
Answer<gdb::AgentTarget::Delivered> deliver_program(CloudClient& cloud, Output& output, const DeliveryPlan& plan,
                                                    const gdb::FlashContent& content,
                                                    const std::function<bool()>& go_on);

// Deliveries beside the event loop, one at a time, each on a thread of its own.
class ProgramDelivery {
 public:
  // Both outlive it.
  ProgramDelivery(boost::asio::io_context& context, Output& output);
  // Gives up what is under way and waits for its end.
  ~ProgramDelivery();

  // The handler is called from the event loop. Errors: the sentence and the hint of the failure; one is under way.
  void start(DeliveryPlan plan, gdb::FlashContent content, gdb::Handler<gdb::AgentTarget::Delivered> handler);

  // Nobody waits for it any more.
  void give_up();

  // How the last one ended, one line for a person; empty if there was none.
  const std::string& last() const { return last_; }

 private:
  struct Job;

  boost::asio::io_context& context_;
  Output& output_;
  std::unique_ptr<Job> job_;
  std::string last_;
};

}  // namespace mv::cli
