// The conformance program on the model of a board, for one run: a machine with an empty flash and an empty NOR, whose
// serial line comes out here.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "cli/failure.h"
#include "emulator/qemu.h"
#include "usb/serial_line.h"

namespace mv::cli {

class SelftestModel {
 public:
  explicit SelftestModel(boost::asio::io_context& context) : context_(context), qemu_(context) {}
  ~SelftestModel();
  SelftestModel(const SelftestModel&) = delete;
  SelftestModel& operator=(const SelftestModel&) = delete;

  // Switches it on, with selftest.bin of the folder `firmware` (empty: the usual place), and opens its line.
  //
  // Errors: kFailed: no such program, no model, or the machine ended at once.
  tl::expected<std::unique_ptr<usb::SerialLine>, Failure> start(const std::string& firmware);

  // How the machine ended, if it did: a sentence and the end of its log. Empty while it runs.
  std::string end() const;

 private:
  tl::unexpected<Failure> failure(const std::string& what) const;

  boost::asio::io_context& context_;
  emulator::Qemu qemu_;
  std::filesystem::path folder_;  // goes with this object
  std::string ended_;
};

}  // namespace mv::cli
