#include "cli/debug_line.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

namespace mv::cli {
namespace {

constexpr std::chrono::seconds kFirstRing{1};  // until the second; doubles, for a device that is slow to answer
constexpr std::string_view kProtocol = "mv-debug/1 ";
constexpr std::size_t kMaxGreeting = 256;
constexpr std::size_t kMaxBuildId = 32;
constexpr std::size_t kMostCommands = 4096;

bool is_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

// Takes the word before the next space.
std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

std::optional<std::vector<std::uint8_t>> bytes_of(std::string_view digits) {
  if (!is_hex(digits) || digits.size() % 2 != 0 || digits.size() > 2 * kMaxBuildId) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  for (; !digits.empty(); digits.remove_prefix(2))
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(digits.substr(0, 2)), nullptr, 16)));
  return bytes;
}

// A device that was slow to answer has heard us ring twice, and takes the second ring for another call: it greets
// again, before it reads what we said upon its first greeting. No record of TLS begins so.
std::span<const std::uint8_t> without_greeting(std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kProtocol)) return bytes;
  return bytes.subspan(std::min(bytes.size(), text.find('\n') + 1));
}

}  // namespace

std::optional<Greeting> parse_greeting(std::string_view line) {
  constexpr std::size_t kDeviceId = 34, kKeyId = 16;
  const bool printable = std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7F; });
  if (!printable || !line.starts_with(kProtocol)) return std::nullopt;
  line.remove_prefix(kProtocol.size());
  Greeting greeting;
  greeting.device_id = take_word(line);
  if (greeting.device_id.size() != kDeviceId || !greeting.device_id.starts_with("UV") ||
      !is_hex(std::string_view(greeting.device_id).substr(2)))
    return std::nullopt;
  const std::string_view verdict = take_word(line);
  if (verdict == "refused" && !line.empty()) {
    greeting.refusal = line;
    return greeting;
  }
  if (verdict != "open") return std::nullopt;
  greeting.key_id = take_word(line);
  auto build_id = bytes_of(line);
  if (greeting.key_id.size() != kKeyId || !is_hex(greeting.key_id) || !build_id) return std::nullopt;
  greeting.build_id = *std::move(build_id);
  return greeting;
}

DebugLine::DebugLine(boost::asio::io_context& context, std::unique_ptr<usb::SerialLine> line,
                     std::function<void(const usb::Error&)> on_lost, std::chrono::milliseconds answer_limit)
    : context_(context),
      line_(std::move(line)),
      on_lost_(std::move(on_lost)),
      answer_limit_(answer_limit),
      ring_timer_(context) {
  line_->start({[this](std::span<const std::uint8_t> bytes) { received(bytes); }, [this] { check_done(); },
                [this](const usb::Error& error) { lost(error); }});
  // The device's modem has power from here on: a connection of before is gone.
  modem_.power_on();
}

DebugLine::~DebugLine() { *alive_ = false; }

void DebugLine::later(std::function<void()> action) {
  boost::asio::post(context_, [alive = alive_, action = std::move(action)] {
    if (*alive) action();
  });
}

void DebugLine::call(Called called) {
  called_ = std::move(called);
  heard_.clear();
  commands_.clear();
  if (pipe_) drop_pipe();
  if (!line_) return fail(gdb::ErrorCode::kOffline, "the board was unplugged", false);
  give_up_at_ = std::chrono::steady_clock::now() + answer_limit_;
  ring_wait_ = kFirstRing;
  ring();
}

// Again and again: a device that boots, or is busy with what its modem was before, does not hear the first time.
void DebugLine::ring() {
  if (std::chrono::steady_clock::now() >= give_up_at_) return give_up();
  modem_.call();
  ring_timer_.expires_at(std::min(std::chrono::steady_clock::now() + ring_wait_, give_up_at_));
  ring_wait_ *= 2;
  ring_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && called_) ring();
  });
}

void DebugLine::give_up() {
  modem_.closed_by_peer();
  if (speaks_esp()) {
    return fail(
        gdb::ErrorCode::kUnsupported,
        "the device drives a Wi-Fi module (ESP-AT), whose transparent mode has one connection: it takes no calls",
        false);
  }
  fail(gdb::ErrorCode::kTimeout,
       commands_.empty() ? "the device says nothing on its serial line"
                         : "the device speaks to its modem, but takes no calls",
       true);
}

bool DebugLine::speaks_esp() const {
  return commands_.find("AT+CW") != std::string::npos || commands_.find("AT+CIP") != std::string::npos;
}

std::string DebugLine::hint() const {
  if (speaks_esp()) return "debug it through its cloud:  mvctl debug DEVICE";
  if (!commands_.empty()) return "its microvisor may be too old for that:  mvctl microvisor --help";
  return "is the board running and provisioned, and is this the UART of its modem, at this rate (--baud)?\n"
         "a device with a Wi-Fi module takes no calls: debug it through its cloud";
}

void DebugLine::answer(tl::expected<Call, gdb::AgentLink::Lost> result) {
  ring_timer_.cancel();
  auto shared = std::make_shared<tl::expected<Call, gdb::AgentLink::Lost>>(std::move(result));
  later([called = std::exchange(called_, nullptr), shared] { called(std::move(*shared)); });
}

void DebugLine::fail(gdb::ErrorCode code, std::string text, bool retry) {
  answer(tl::make_unexpected(gdb::AgentLink::Lost{{code, std::move(text)}, retry}));
}

void DebugLine::received(std::span<const std::uint8_t> bytes) {
  const std::size_t count = std::min(bytes.size(), kMostCommands - commands_.size());
  commands_.append(reinterpret_cast<const char*>(bytes.data()), count);
  modem_.from_uart(bytes);
}

void DebugLine::lost(const usb::Error& error) {
  // A copy: it belongs to the line.
  const usb::Error why = error;
  line_.reset();
  if (called_) fail(gdb::ErrorCode::kOffline, "the board was unplugged", false);
  if (pipe_) pipe_->cut();
  pipe_.reset();
  check_done();
  on_lost_(why);
}

void DebugLine::to_uart(std::string_view bytes) {
  if (line_) line_->send(bytes);
}

// The device looks for its cloud. It may not be answered from within its own call.
void DebugLine::connect(const std::string&, std::uint16_t) {
  later([this] { modem_.connect_failed(emulator::ConnectError::kRefused); });
}

bool DebugLine::transmit(std::span<const std::uint8_t> bytes) {
  if (called_) {
    hear_greeting(bytes);
  } else if (pipe_) {
    pipe_->send(without_greeting(bytes));
  }
  return true;
}

void DebugLine::hear_greeting(std::span<const std::uint8_t> bytes) {
  const std::size_t count = std::min(bytes.size(), kMaxGreeting - heard_.size());
  heard_.append(reinterpret_cast<const char*>(bytes.data()), count);
  if (heard_.find('\n') != std::string::npos) return greeted();
  if (heard_.size() == kMaxGreeting) not_a_device();
}

void DebugLine::greeted() {
  auto greeting = parse_greeting(std::string_view(heard_).substr(0, heard_.find('\n')));
  if (!greeting) return not_a_device();
  if (!greeting->refusal.empty()) return fail(gdb::ErrorCode::kRefused, greeting->refusal, false);
  auto [ours, theirs] = transport::MemoryPipe::make(context_);
  pipe_ = std::move(ours);
  pipe_->start([this](std::span<const std::uint8_t> bytes) { modem_.from_network(bytes); },
               [this](const transport::PipeEnd&) {
                 drop_pipe();
                 check_done();
               });
  answer(Call{*std::move(greeting), std::move(theirs)});
}

// Called from within the modem, so the modem is told later.
void DebugLine::not_a_device() {
  later([this] { modem_.closed_by_peer(); });
  fail(gdb::ErrorCode::kProtocol, "what answers on the serial line is no microvisor, or does not fit this mvctl",
       false);
}

// The other end of the pipe is gone, or of no interest: the device is told.
void DebugLine::drop_pipe() {
  pipe_.reset();
  modem_.closed_by_peer();
}

// The device hung up, or began anew. While it has not answered, that was a call of before.
void DebugLine::disconnect() {
  if (!called_ && pipe_) pipe_->close();
  if (!called_) pipe_.reset();
}

void DebugLine::hang_up(std::function<void()> done) {
  done_ = std::move(done);
  later([this] { check_done(); });
}

void DebugLine::check_done() {
  if (!done_ || pipe_ || (line_ && line_->unsent() > 0)) return;
  later(std::exchange(done_, nullptr));
}

}  // namespace mv::cli
