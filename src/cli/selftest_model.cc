#include "cli/selftest_model.h"

#include <stdlib.h>

#include <chrono>
#include <thread>

#include "cli/emulated_device.h"
#include "cli/logged_child.h"
#include "emulator/flash_image.h"
#include "usb/tty_line.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBoard = "stm32u585";
constexpr const char* kProgram = "selftest.bin";
constexpr std::chrono::seconds kPatience{10};  // until QEMU listens at the socket of the line
constexpr std::chrono::milliseconds kLook{20};
constexpr std::size_t kShownLines = 5;

}  // namespace

SelftestModel::~SelftestModel() {
  qemu_.kill();
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

std::string SelftestModel::end() const {
  if (ended_.empty()) return {};
  std::string text = ended_;
  for (const std::string& line : last_lines(folder_ / "qemu.log", kShownLines)) text += "\n| " + line;
  return text;
}

tl::unexpected<Failure> SelftestModel::failure(const std::string& what) const {
  return fail(ExitCode::kFailed, "the model could not be started: " + what, end());
}

tl::expected<std::unique_ptr<usb::SerialLine>, Failure> SelftestModel::start(const std::string& firmware) {
  const emulator::EmulatedBoard& board = *emulator::find_emulated_board(kBoard);
  const auto images = find_firmware(board, firmware);
  if (!images) return tl::make_unexpected(images.error());
  std::error_code error;
  std::string folder = (fs::temp_directory_path(error) / "mvctl-selftest-XXXXXX").string();
  if (error || ::mkdtemp(folder.data()) == nullptr) return failure("no folder can be made in $TMPDIR");
  folder_ = folder;
  if (const auto made = emulator::make_bare_flash(board, folder_ / "flash.bin", *images / kProgram); !made) {
    return fail(ExitCode::kFailed, made.error(), "build it with scripts/build firmware, or give --firmware DIR");
  }
  emulator::Machine machine;
  machine.board = &board;
  machine.program = find_qemu(board);
  machine.flash = folder_ / "flash.bin";
  machine.nor = folder_ / "nor.bin";
  machine.console_socket = folder_ / "uart";
  machine.qemu_log = folder_ / "qemu.log";
  const auto started = qemu_.start(machine, [this](int status) { ended_ = emulator::describe_exit(status); });
  if (!started) return fail(ExitCode::kFailed, started.error());
  for (const auto deadline = std::chrono::steady_clock::now() + kPatience;;) {
    auto line = usb::open_socket(context_, machine.console_socket);
    if (line) return *std::move(line);
    context_.poll();
    context_.restart();
    if (!qemu_.running() || std::chrono::steady_clock::now() > deadline)
      return failure(machine.console_socket.string() + ": " + line.error().text);
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace mv::cli
