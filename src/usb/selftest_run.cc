#include "usb/selftest_run.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

namespace mv::usb {
namespace {

constexpr std::size_t kLongestGlob = 63;

std::string seconds(milliseconds time) { return std::to_string(time.count() / 1000) + " s"; }

}  // namespace

bool is_selftest_glob(std::string_view glob) {
  return glob.size() <= kLongestGlob && std::ranges::all_of(glob, [](char c) { return c >= ' ' && c <= '~'; });
}

SelftestRun::SelftestRun(boost::asio::io_context& context, std::unique_ptr<SerialLine> line, std::string glob,
                         SelftestReport::Events events, Finished finished, SelftestTimes times)
    : context_(context),
      line_(std::move(line)),
      // The first line feed ends what the board may have heard before.
      order_("\nrun" + (glob.empty() ? "" : " " + glob) + "\n"),
      report_(std::move(events)),
      finished_(std::move(finished)),
      times_(times),
      timer_(context) {}

void SelftestRun::start() {
  began_ = std::chrono::steady_clock::now();
  line_->start({[this](std::span<const std::uint8_t> bytes) { received(bytes); }, [] {},
                [this](const Error& error) {
                  finish(failed(error.problem, error.problem == Problem::kGone
                                                   ? "the board was unplugged " + report_.place()
                                                   : error.text));
                }});
  order();
}

void SelftestRun::order() {
  if (std::chrono::steady_clock::now() - began_ >= times_.answer) {
    return finish(failed(Problem::kTimeout,
                         heard_ ? "something speaks on the line, but no run began within " + seconds(times_.answer)
                                : "nothing answers within " + seconds(times_.answer)));
  }
  line_->send(order_);
  timer_.expires_after(times_.repeat);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && finished_ && !report_.has_started()) order();
  });
}

void SelftestRun::watch_silence() {
  timer_.expires_after(times_.silence);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !finished_) return;
    finish(failed(Problem::kTimeout, "the board fell silent for " + seconds(times_.silence) + " " + report_.place()));
  });
}

void SelftestRun::received(std::span<const std::uint8_t> bytes) {
  if (!finished_) return;
  heard_ = heard_ || !bytes.empty();
  const auto over = report_.take(bytes);
  if (!over) return finish(tl::make_unexpected(over.error()));
  if (*over) return finish(report_.counts());
  if (report_.has_started()) watch_silence();
}

// The line is in the middle of an event: it goes afterwards.
void SelftestRun::finish(const Expected<SelftestCounts>& outcome) {
  if (!finished_) return;
  timer_.cancel();
  boost::asio::post(context_, [finished = std::exchange(finished_, nullptr), outcome] { finished(outcome); });
}

}  // namespace mv::usb
