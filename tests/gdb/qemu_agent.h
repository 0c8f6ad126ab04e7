// The agent of a simulated device: answers the agent protocol by driving QEMU's own GDB stub.
//
// Keeps to the rules of src/wire/proto/agent.proto: the last reply is kept and repeated for the same number, a session
// outlives its connection, a halt persists, detach removes every breakpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "qemu_stub.h"
#include "wire/proto/agent.pb.h"

namespace mv::test {

class QemuAgent {
 public:
  explicit QemuAgent(QemuStub& stub);

  // Called while the application runs, up to `milliseconds`: a request that came meanwhile (an interrupt), if any.
  // Nothing with `gone` set means that the connection broke.
  struct Poll {
    std::optional<wire::AgentRequest> request;
    bool gone = false;
  };
  using PollRequests = std::function<Poll(int milliseconds)>;

  // The reply to a request; nothing if none is owed (interrupt) or the connection broke meanwhile.
  std::optional<wire::AgentReply> handle(const wire::AgentRequest& request, const PollRequests& poll);

 private:
  wire::AgentReply attach(const wire::AttachRequest& request);
  wire::AgentReply dispatch(const wire::AgentRequest& request);
  std::optional<wire::Stopped> resume(const wire::ResumeRequest& request, const PollRequests& poll);
  std::optional<wire::Stopped> run(const PollRequests& poll);
  wire::Stopped step_range(const wire::ResumeRequest& request, const PollRequests& poll);
  wire::Stopped stopped(wire::StopReason reason, const wire::ResumeRequest& request);
  void change_breakpoints(const wire::ResumeRequest& request);
  void step_instruction();
  void start();
  void halt();
  void read(const wire::ReadRequest& request, wire::AgentReply& reply);
  void write_registers(const wire::WriteRegistersRequest& request);
  void reset();
  std::string memory(std::uint32_t address, std::uint32_t length);
  std::uint32_t pc();

  QemuStub& stub_;
  std::string session_;
  bool running_ = false;
  std::set<std::uint32_t> breakpoints_;
  std::uint32_t last_sequence_ = 0;
  wire::AgentReply last_reply_;
  bool resume_open_ = false;
  wire::ResumeRequest open_resume_;
};

}  // namespace mv::test
