#include "cli/rollout.h"

#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "cli/interrupt.h"

namespace mv::cli {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kRetry = milliseconds(500);

// What is shown while the device works on it: one line for each state, a bar while it downloads.
class Story {
 public:
  explicit Story(Output& output) : output_(output) {}

  void tell(const Device& device) {
    if (device.state == "downloading" && device.bytes_total > 0) return download(device);
    finish_download();
    const std::string now = !device.online ? "offline" : device.state;
    if (now == told_) return;
    told_ = now;
    if (now == "offline") return output_.step("waiting", device.label() + " is offline: it goes on when it is back");
    if (now == "staged") return output_.step("waiting", "staged; the application is asked, --force installs now");
    if (now == "installing") return output_.step("install", "copying into the application's flash");
  }

  void download(const Device& device) {
    told_ = device.state;
    total_ = device.bytes_total;
    if (!bar_) bar_ = std::make_unique<Progress>(output_, "staging", device.bytes_total);
    bar_->update(device.bytes_done, human_size(device.bytes_done) + " of " + human_size(device.bytes_total));
  }

  void done() { finish_download(); }

 private:
  void finish_download() {
    if (bar_) bar_->finish(human_size(total_));
    bar_.reset();
  }

  Output& output_;
  std::uint64_t total_ = 0;
  std::string told_;
  std::unique_ptr<Progress> bar_;
};

bool is_running(const Device& device, const RolloutOptions& options) {
  return device.online && device.reported_hash == options.hash && device.update_status == "up-to-date" &&
         (device.state == "running" || device.state == "halted" || device.state == "crashed");
}

// Nothing: not decided yet.
std::optional<Failure> verdict(const Device& device, const RolloutOptions& options) {
  if (device.target_hash != options.hash) {
    return Failure{ExitCode::kFailed, device.label() + " was given another application meanwhile",
                   "see mvctl devices show " + device.label()};
  }
  if (device.update_status != "error") return std::nullopt;
  return Failure{ExitCode::kRefusedByDevice,
                 device.label() + " refuses " + options.label + ": " +
                     (device.detail.empty() ? "it gives no reason" : printable(device.detail)),
                 "it keeps running what it ran before"};
}

Failure time_is_up(const std::optional<Device>& last, const RolloutOptions& options) {
  const std::string name = last ? last->label() : options.device_sid;
  std::string why = "the cloud could not be asked";
  if (last && !last->online) why = "it is offline";
  if (last && last->online) why = "it is " + (last->state.empty() ? std::string("silent") : last->state);
  return {ExitCode::kDeviceOffline,
          name + " does not run " + options.label + " after " + std::to_string(options.timeout.count() / 1000) +
              " s: " + why,
          "the order stands: it goes on by itself; see mvctl devices show " + name};
}

}  // namespace

bool may_pass(const Failure& failure) { return failure.code == ExitCode::kCloudUnreachable; }

bool pause_unless_interrupted() {
  std::this_thread::sleep_for(kRetry);
  return !interrupted();
}

Answer<Device> wait_until_running(CloudClient& cloud, Output& output, const RolloutOptions& options) {
  const auto deadline = Clock::now() + options.timeout;
  const auto wanted = [&] { return !options.go_on || options.go_on(); };
  Story story(output);
  std::optional<Device> last;
  std::optional<Answer<Device>> outcome;
  bool away = false;
  const auto lost = [&](const std::string& why) {
    if (!std::exchange(away, true)) output.step("waiting", why);
  };
  const auto look = [&] {
    auto device = cloud.device(options.device_sid);
    if (!device && may_pass(device.error())) return lost(device.error().message), true;
    away = false;
    if (!device || is_running(*device, options)) {
      outcome = std::move(device);
    } else if (auto failure = verdict(*device, options)) {
      outcome = tl::make_unexpected(*std::move(failure));
    } else {
      story.tell(*device);
      last = *std::move(device);
    }
    return !outcome.has_value();
  };
  const auto watched = cloud.watch(
      options.device_sid, look, [&] { return Clock::now() < deadline && wanted(); }, lost);
  if (outcome && *outcome) story.done();
  if (outcome) return *std::move(outcome);
  if (!watched) return tl::make_unexpected(watched.error());
  if (!wanted()) return fail(ExitCode::kFailed, "nobody waits any more");
  if (!interrupted()) return tl::make_unexpected(time_is_up(last, options));
  return fail(ExitCode::kFailed, "interrupted; the order stands, and the device goes on",
              "see mvctl devices show " + (last ? last->label() : options.device_sid));
}

}  // namespace mv::cli
