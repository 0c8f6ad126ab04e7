// Orders a run of the conformance program over a serial line and follows it to its end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "usb/selftest_report.h"
#include "usb/serial_line.h"

namespace mv::usb {

struct SelftestTimes {
  milliseconds answer{10'000};   // until the run begins
  milliseconds repeat{1'000};    // the order is given again: a board that starts up loses it
  milliseconds silence{30'000};  // the longest item: the board's own watchdog ends one after 16 s
};

// True for what an order may carry: printable ASCII, 63 characters at most.
bool is_selftest_glob(std::string_view glob);

// Lives on the thread of the io_context.
class SelftestRun {
 public:
  // `glob` chooses items (docs/selftest.md); empty: all. `finished` comes once, as the last event; the run may not be
  // destroyed from within.
  //
  // Errors: those of SelftestReport and of the line; kTimeout: nothing answers, or it fell silent.
  using Finished = std::function<void(const Expected<SelftestCounts>& outcome)>;

  SelftestRun(boost::asio::io_context& context, std::unique_ptr<SerialLine> line, std::string glob,
              SelftestReport::Events events, Finished finished, SelftestTimes times = {});
  SelftestRun(const SelftestRun&) = delete;
  SelftestRun& operator=(const SelftestRun&) = delete;

  void start();

 private:
  void order();
  void watch_silence();
  void received(std::span<const std::uint8_t> bytes);
  void finish(const Expected<SelftestCounts>& outcome);

  boost::asio::io_context& context_;
  std::unique_ptr<SerialLine> line_;
  std::string order_;
  SelftestReport report_;
  Finished finished_;
  SelftestTimes times_;
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point began_;
  bool heard_ = false;  // anything at all
};

}  // namespace mv::usb
