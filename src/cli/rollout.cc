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
  explicit Story(Output& output, std::string label) : output_(output), label_(std::move(label)) {}

  void tell(const Device& device) {
    const Update& update = device.update;
    if (device.online && update.state == "downloading" && update.bytes_total > 0) return download(update);
    finish_download();
    const std::string now = device.online ? update.state : "offline";
    if (now == told_) return;
    told_ = now;
    if (now == "offline") return output_.step("waiting", device.label() + " is offline: it goes on when it is back");
    if (now == "installing") return output_.step("install", "copying into the application's flash");
    if (now == "waiting") return output_.step(now, describe(update, label_) + "; --force installs now");
    if (now == "staged" || now == "trial" || now == "undoing") output_.step(now, describe(update, label_));
  }

  void download(const Update& update) {
    told_ = update.state;
    total_ = update.bytes_total;
    if (!bar_) bar_ = std::make_unique<Progress>(output_, "staging", update.bytes_total);
    bar_->update(update.bytes_done, download_detail(update));
  }

  void done() { finish_download(); }

 private:
  static std::string download_detail(const Update& update) {
    std::string detail = human_size(update.bytes_done) + " of " + human_size(update.bytes_total);
    if (update.bytes_received > 0) detail += ", " + grouped(update.bytes_received) + " bytes sent";
    if (const auto left = update.seconds_left()) detail += ", " + human_time(*left) + " left";
    return detail;
  }

  void finish_download() {
    if (bar_) bar_->finish(human_size(total_));
    bar_.reset();
  }

  Output& output_;
  std::string label_;
  std::uint64_t total_ = 0;
  std::string told_;
  std::unique_ptr<Progress> bar_;
};

bool is_running(const Device& device, const RolloutOptions& options) {
  const bool runs = device.state == "running" || device.state == "halted" || device.state == "crashed";
  const bool settled = device.update.state == "up-to-date" || (options.trial_will_do && device.update.state == "trial");
  return device.online && device.reported_hash == options.hash && runs && settled;
}

std::string reason_of(const Update& update) {
  return update.reason.empty() ? "it gives no reason" : printable(update.reason);
}

// Nothing: not decided yet.
std::optional<Failure> verdict(const Device& device, const RolloutOptions& options) {
  if (device.target_hash != options.hash) {
    return Failure{ExitCode::kFailed, device.label() + " was given another application meanwhile",
                   "see mvctl devices show " + device.label()};
  }
  if (device.update.state == "rolled-back") {
    return Failure{
        ExitCode::kRolledBack,
        device.label() + " ran " + options.label + " on trial and rolled it back: " + reason_of(device.update),
        "it runs what it ran before; deploying the same again is another try"};
  }
  if (device.update.state != "refused") return std::nullopt;
  return Failure{ExitCode::kRefusedByDevice,
                 device.label() + " refuses " + options.label + ": " + reason_of(device.update),
                 "it keeps running what it ran before"};
}

std::string time_left(const Update& update) {
  return update.wait_left_sec ? human_time(*update.wait_left_sec) : std::string();
}

Failure time_is_up(const std::optional<Device>& last, const RolloutOptions& options) {
  const std::string name = last ? last->label() : options.device_sid;
  std::string why = "the cloud could not be asked";
  if (last && !last->online) why = "it is offline";
  if (last && last->online)
    why = "its update is " + (last->update.state.empty() ? std::string("unknown") : last->update.state);
  return {ExitCode::kDeviceOffline,
          name + " does not run " + options.label + " after " + std::to_string(options.timeout.count() / 1000) +
              " s: " + why,
          "the order stands: it goes on by itself; see mvctl devices show " + name};
}

}  // namespace

std::string describe(const Update& update, const std::string& label) {
  const std::string& state = update.state;
  const std::string left = time_left(update);
  if (state == "pending") return label + ": the device has not begun with it";
  if (state == "downloading") {
    std::string text =
        label + ": " + grouped(update.bytes_done) + " of " + grouped(update.bytes_total) + " bytes are there";
    if (update.bytes_to_receive && *update.bytes_to_receive >= update.bytes_received) {
      text += ", " + grouped(*update.bytes_to_receive - update.bytes_received) + " to go over the air";
    }
    if (const auto seconds = update.seconds_left()) text += ", " + human_time(*seconds) + " left";
    return text;
  }
  if (state == "staged") return label + " is staged: all there and verified";
  if (state == "waiting") {
    return label + " is staged, and the application was told" + (left.empty() ? "" : ": installed in " + left);
  }
  if (state == "installing") return label + " is copied into the application's flash";
  if (state == "trial") return label + " runs on trial" + (left.empty() ? "" : ", " + left + " left to be confirmed");
  if (state == "undoing") return label + " is taken back: " + reason_of(update);
  if (state == "rolled-back") return label + " ran on trial and was rolled back: " + reason_of(update);
  if (state == "refused") return label + " is refused: " + reason_of(update);
  return "";
}

bool may_pass(const Failure& failure) { return failure.code == ExitCode::kCloudUnreachable; }

bool pause_unless_interrupted() {
  std::this_thread::sleep_for(kRetry);
  return !interrupted();
}

Answer<Device> wait_until_running(CloudClient& cloud, Output& output, const RolloutOptions& options) {
  const auto deadline = Clock::now() + options.timeout;
  const auto wanted = [&] { return !options.go_on || options.go_on(); };
  Story story(output, options.label);
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
