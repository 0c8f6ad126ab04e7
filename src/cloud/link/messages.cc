#include "cloud/link/messages.h"

#include <array>

#include "cloud/microvisor_image.h"
#include "cloud/update_state.h"

namespace mv::cloud {
namespace {

constexpr std::array<std::string_view, 9> kStates = {"none",    "downloading", "staged",  "installing", "running",
                                                     "crashed", "halted",      "refused", "undoing"};
constexpr std::array<std::string_view, 11> kWakeReasons = {
    "cold-boot",    "remote-kernel-restart", "remote-app-restart",   "debugger-restart",
    "kernel-crash", "kernel-watchdog",       "kernel-out-of-memory", "kernel-error",
    "app-crash",    "app-updated",           "kernel-updated"};

constexpr std::array<std::string_view, 5> kMicrovisorStates = {"runs", "downloading", "staged", "on-trial", "refused"};

// Wall times outside of these are a device's clock gone wrong.
constexpr std::uint64_t kEarliestTime = 1'577'836'800ULL * 1'000'000;  // 2020-01-01
constexpr Microseconds kClockSlack = 3600LL * 1'000'000;

constexpr std::uint32_t kTimeSlackSec = 3;  // reports come late

constexpr std::size_t kMaxBootDetail = 256;  // bytes

bool is_hash(const std::string& bytes) { return bytes.empty() || bytes.size() == 32; }

}  // namespace

Report to_report(const wire::AppReport& message, Microseconds now) {
  Report report;
  report.state = static_cast<int>(message.state());
  if (is_hash(message.running_hash())) report.running_hash = message.running_hash();
  if (is_hash(message.target_hash())) report.target_hash = message.target_hash();
  report.generation = message.generation();
  report.bytes_done = message.bytes_done();
  report.bytes_total = message.bytes_total();
  report.error = static_cast<int>(message.error());
  report.detail = repair_utf8(message.detail());
  report.restart_generation = message.restart_generation();
  report.restarts = message.restarts();
  report.reported = now;
  report.wait = static_cast<int>(message.wait());
  report.wait_left_sec = message.wait_left_sec();
  report.bytes_received = message.bytes_received();
  return report;
}

DeviceMicrovisor to_microvisor_report(const wire::MicrovisorReport& message) {
  DeviceMicrovisor report;
  report.state = static_cast<int>(message.state());
  report.version = message.version();
  report.seen_order = message.order();
  report.bytes_done = message.bytes_done();
  report.bytes_total = message.bytes_total();
  report.error = static_cast<int>(message.error());
  report.detail = repair_utf8(message.detail());
  return report;
}

DeviceFacts to_facts(const wire::Hello& hello) {
  DeviceFacts facts;
  facts.board = repair_utf8(hello.board());
  facts.microvisor_version = repair_utf8(hello.microvisor_version());
  facts.boot_id = hello.boot_id();
  facts.boot_count = hello.boot_count();
  facts.wake_reason = static_cast<int>(hello.wake_reason());
  facts.boot_detail = repair_utf8(hello.boot_detail().substr(0, kMaxBootDetail));
  facts.log_lost = hello.log_lost();
  facts.tls_pool_size = hello.resources().tls_pool_size();
  facts.tls_pool_high_water = hello.resources().tls_pool_high_water();
  facts.tls_stack_size = hello.resources().tls_stack_size();
  facts.tls_stack_high_water = hello.resources().tls_stack_high_water();
  return facts;
}

LogRecord to_log_record(const wire::LogRecord& message, std::uint64_t boot_id, Microseconds now) {
  LogRecord record;
  record.boot_id = boot_id;
  record.sequence = message.sequence();
  const bool plausible =
      message.time_us() >= kEarliestTime && message.time_us() <= static_cast<std::uint64_t>(now + kClockSlack);
  record.time = plausible ? static_cast<Microseconds>(message.time_us()) : now;
  record.uptime_us = message.uptime_us();
  record.source = static_cast<int>(message.source());
  record.text = message.text();
  return record;
}

bool worth_an_event(const Report& before, const Report& after) {
  if (before.state != after.state || before.error != after.error || before.running_hash != after.running_hash ||
      before.target_hash != after.target_hash || before.restart_generation != after.restart_generation ||
      before.restarts != after.restarts) {
    return true;
  }
  if (after.bytes_done == before.bytes_done) return false;
  const std::uint32_t step = after.bytes_total / 20;
  return after.bytes_done < before.bytes_done || after.bytes_done - before.bytes_done >= step ||
         after.bytes_done == after.bytes_total;
}

bool worth_storing(const Report& before, const Report& after) {
  if (worth_an_event(before, after) || before.generation != after.generation || before.detail != after.detail ||
      before.wait != after.wait) {
    return true;
  }
  const auto left = wait_left(before, after.reported.value_or(0));
  return left && (after.wait_left_sec > *left + kTimeSlackSec || *left > after.wait_left_sec + kTimeSlackSec);
}

std::string_view state_name(int app_state) {
  return app_state >= 0 && static_cast<std::size_t>(app_state) < kStates.size()
             ? kStates[static_cast<std::size_t>(app_state)]
             : "unknown";
}

std::string_view microvisor_state_name(int state) {
  return state >= 0 && static_cast<std::size_t>(state) < kMicrovisorStates.size()
             ? kMicrovisorStates[static_cast<std::size_t>(state)]
             : "unknown";
}

std::string_view wake_reason_name(int reason) {
  return reason >= 0 && static_cast<std::size_t>(reason) < kWakeReasons.size()
             ? kWakeReasons[static_cast<std::size_t>(reason)]
             : "unknown";
}

std::string describe_boot(const DeviceFacts& facts) {
  if (!facts.boot_detail.empty()) return facts.boot_detail;
  return "microvisor booted: " + std::string(wake_reason_name(facts.wake_reason));
}

std::string describe(const Report& report) {
  std::string text(state_name(report.state));
  if (report.state == wire::APP_DOWNLOADING) {
    text += " " + std::to_string(report.bytes_done) + " of " + std::to_string(report.bytes_total) + " bytes";
  }
  if (!report.detail.empty()) text += ": " + report.detail;
  return text;
}

std::string describe(const DeviceMicrovisor& report) {
  const std::string subject = "microvisor " + microvisor_version_text(report.version);
  switch (report.state) {
    case wire::MICROVISOR_RUNS:
      return subject + " runs";
    case wire::MICROVISOR_DOWNLOADING:
      return subject + " downloads its successor";
    case wire::MICROVISOR_STAGED:
      return subject + " waits until its successor may start";
    case wire::MICROVISOR_ON_TRIAL:
      return subject + " runs on trial";
    default:
      return subject + " refused its successor: " + report.detail;
  }
}

}  // namespace mv::cloud
