// mvctl usb flash: the first image of a board, over the boot loader in its ROM.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bundle/image.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/identity.h"
#include "cli/interrupt.h"
#include "cli/program.h"
#include "cli/usb_boards.h"
#include "emulator/flash_image.h"
#include "usb/flasher.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;
using usb::Board;
using usb::OptionBytes;
namespace chip = usb::stm32u585;

struct FlashOptions {
  std::vector<std::string> images;
  std::string identity;
  std::vector<std::string> option_bytes;
  std::string serial;
  bool verify_only = false;
  bool yes = false;
};

constexpr milliseconds kReturnTime{5'000};  // from a reset until the boot loader is on the bus again

Failure plan_failure(const bundle::Error& error) {
  const bool unreadable = error.kind == bundle::ErrorKind::kUnreadable;
  return {unreadable ? ExitCode::kNotFound : ExitCode::kFailed, printable(error.message), printable(error.hint)};
}

void sleep(milliseconds pause) { std::this_thread::sleep_for(pause); }

// All that is to be done, known before a board is touched.

tl::expected<std::vector<usb::Region>, Failure> plan_regions(const FlashOptions& options) {
  std::vector<usb::Region> regions;
  for (const std::string& text : options.images) {
    auto loaded = usb::load_image(usb::parse_image_argument(text));
    if (!loaded) return tl::make_unexpected(plan_failure(loaded.error()));
    std::ranges::move(*loaded, std::back_inserter(regions));
  }
  if (!options.identity.empty()) {
    const auto file = bundle::read_file(options.identity, chip::kIdentity.size);
    if (!file) return tl::make_unexpected(plan_failure(file.error()));
    if (const auto checked = check_identity(*file); !checked) return tl::make_unexpected(checked.error());
    auto region = usb::region_for(chip::kIdentity, "identity", emulator::identity_record(*file));
    if (!region) return tl::make_unexpected(plan_failure(region.error()));
    regions.push_back(*std::move(region));
  }
  auto arranged = usb::arrange(std::move(regions));
  if (!arranged) return tl::make_unexpected(plan_failure(arranged.error()));
  return *std::move(arranged);
}

// One word of --option-bytes: the preset, an assignment, or a file.
Result apply_option_bytes(const std::string& word, OptionBytes& options) {
  if (word == "microvisor") {
    for (const chip::Setting& setting : chip::kMicrovisorSettings) (void)options.set(setting.name, setting.value);
    return {};
  }
  if (word.find('=') != std::string::npos) {
    if (const auto set = options.set(word); !set) return fail(ExitCode::kUsage, printable(set.error()));
    return {};
  }
  const auto file = bundle::read_file(word, chip::kOptionBytesSize);
  if (!file) return tl::make_unexpected(plan_failure(file.error()));
  const auto parsed = OptionBytes::parse(*file);
  if (!parsed) return fail(ExitCode::kFailed, printable(word) + ": " + parsed.error());
  options = *parsed;
  return {};
}

tl::expected<OptionBytes, Failure> wanted_option_bytes(const FlashOptions& options, const OptionBytes& now) {
  OptionBytes wanted = now;
  for (const std::string& word : options.option_bytes) {
    if (const auto applied = apply_option_bytes(word, wanted); !applied) return tl::make_unexpected(applied.error());
  }
  if (const auto reversible = wanted.check_reversible(now); !reversible) {
    return fail(ExitCode::kUsage, reversible.error(), "mvctl does not do that; ST's STM32_Programmer_CLI can");
  }
  return wanted;
}

std::string change_text(const usb::OptionChange& change) {
  return fmt::format("{} 0x{:X} -> 0x{:X}", change.name, change.before, change.after);
}

// What a failure in the middle means for the board, and how to go on.
Failure interrupted_failure(const usb::Error& error, const usb::FlashProgress& progress, const Board& board,
                            bool was_writing) {
  static constexpr const char* kStages[] = {"erasing", "writing", "reading back"};
  const std::string where = progress.what.empty() || progress.stage == usb::FlashProgress::Stage::kErase
                                ? std::string("the flash")
                                : progress.what;
  const std::string label = board_label(board);
  Failure failure = usb_failure(error, kStages[static_cast<std::size_t>(progress.stage)] + std::string(" ") + where);
  if (error.problem == usb::Problem::kGone) {
    failure.message = label + " was unplugged while " + kStages[static_cast<std::size_t>(progress.stage)] + " " + where;
  }
  if (error.problem == usb::Problem::kInterrupted)
    failure.message = "interrupted while " + failure.message.substr(0, failure.message.find(':'));
  if (error.problem == usb::Problem::kMismatch)
    failure.message = "the board does not hold what it should: " + printable(error.text);
  if (!was_writing) return failure;
  failure.message += "; " + grouped(progress.written) + " bytes were written";
  failure.hint =
      "nothing is bricked: the boot loader is in ROM, and stays\n"
      "plug " +
      label + " in with BOOT0 held and run the same command again: it begins anew";
  return failure;
}

// One run of the command on one board.
class Flashing {
 public:
  Flashing(Program& program, const FlashOptions& options, std::vector<usb::Region> regions)
      : output_(program.output()), options_(options), regions_(std::move(regions)) {}

  Result run();

 private:
  Result open();
  Result check();
  Result ask();
  Result carry_out();
  Result change_options();
  Result wait_for_return();
  void report();

  Output& output_;
  const FlashOptions& options_;
  std::vector<usb::Region> regions_;
  std::unique_ptr<usb::Bus> bus_;
  Board board_;
  std::unique_ptr<usb::Device> device_;
  OptionBytes now_, wanted_;
  bool options_verified_ = true;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

Result Flashing::open() {
  auto bus = open_usb();
  if (!bus) return tl::make_unexpected(bus.error());
  bus_ = *std::move(bus);
  const auto boards = list_boards(*bus_);
  if (!boards) return tl::make_unexpected(boards.error());
  auto board = choose_board(*boards, options_.serial, &Board::can_flash, "STM32 in its boot loader",
                            "hold BOOT0 while the board gets power, then see mvctl usb list");
  if (!board) return tl::make_unexpected(board.error());
  board_ = *std::move(board);
  auto device = bus_->open(board_.usb);
  if (!device) return tl::make_unexpected(usb_failure(device.error(), "cannot open " + board_label(board_)));
  device_ = *std::move(device);
  return {};
}

Result Flashing::check() {
  if (const auto fits = usb::check_chip(board_); !fits) {
    return fail(ExitCode::kFailed, board_label(board_) + " is no stm32u585: " + printable(fits.error()),
                "nothing was written; choose the board with --serial, see mvctl usb list");
  }
  const auto now = usb::read_option_bytes(*device_, board_, sleep);
  if (!now) return tl::make_unexpected(usb_failure(now.error(), "cannot read the option bytes"));
  now_ = *now;
  const auto wanted = wanted_option_bytes(options_, now_);
  if (!wanted) return tl::make_unexpected(wanted.error());
  wanted_ = *wanted;
  const auto pages = usb::pages_of(regions_);
  const auto secure =
      std::ranges::find_if(pages, [&](std::uint32_t page) { return now_.is_secure(page - chip::kFlash); });
  if (secure != pages.end()) {
    return fail(
        ExitCode::kRefusedByDevice,
        "TrustZone is on, and " + usb::secure_address_text(*secure) +
            " is Secure: the boot loader runs Non-secure and can neither write nor read it",
        "the flash must be erased with TrustZone switched off (RDP level 1, then RDP level 0 with TZEN=0: AN5347), "
        "then flash again");
  }
  return {};
}

Result Flashing::ask() {
  for (const usb::Region& region : regions_) {
    output_.step("plan", fmt::format("{} {}  {}", usb::secure_address_text(region.address), region.what,
                                     human_size(region.content.size())));
  }
  for (const usb::OptionChange& change : wanted_.changes_from(now_))
    output_.step("plan", "option byte " + change_text(change));
  if (options_.verify_only || options_.yes) return {};
  return confirm(output_.terminal(), fmt::format("erase {} pages of {} and write them?", usb::pages_of(regions_).size(),
                                                 board_label(board_)));
}

Result Flashing::carry_out() {
  if (regions_.empty()) return {};
  auto dfu = usb::DfuSe::open(*device_, board_, *usb::find_memory(board_, "Internal Flash"), sleep);
  if (!dfu) return tl::make_unexpected(usb_failure(dfu.error(), "cannot begin"));
  static constexpr const char* kLabels[] = {"erase", "write", "verify"};
  std::unique_ptr<Progress> bar;
  auto stage = usb::FlashProgress::Stage::kVerify;
  usb::Flasher flasher(*dfu, [&](const usb::FlashProgress& progress) {
    if (!bar || progress.stage != stage) {
      bar.reset();
      bar = std::make_unique<Progress>(output_, kLabels[static_cast<std::size_t>(progress.stage)], progress.total);
      stage = progress.stage;
    }
    const bool pages = progress.stage == usb::FlashProgress::Stage::kErase;
    bar->update(progress.done, pages ? std::to_string(progress.done) + " pages" : human_size(progress.done));
    return !interrupted();
  });
  const auto done = options_.verify_only ? flasher.verify(regions_) : flasher.write(regions_);
  bar.reset();
  if (!done)
    return tl::make_unexpected(interrupted_failure(done.error(), flasher.progress(), board_, !options_.verify_only));
  return {};
}

// Last of all: once TrustZone is on, the boot loader reaches the flash no more.
Result Flashing::change_options() {
  const auto changes = wanted_.changes_from(now_);
  if (options_.option_bytes.empty() || changes.empty()) return {};
  if (options_.verify_only) {
    return fail(ExitCode::kRefusedByDevice,
                "the option bytes are not what they should be: " + change_text(changes.front()),
                "run it without --verify-only to set them");
  }
  const auto written = usb::write_option_bytes(*device_, board_, wanted_, sleep);
  if (!written) {
    Failure failure = usb_failure(written.error(), "cannot write the option bytes");
    failure.hint = "the flash is written; run the same command with --option-bytes alone";
    return tl::make_unexpected(failure);
  }
  output_.step("options", "written; the board restarts to load them");
  return wait_for_return();
}

// With BOOT0 still held it comes back as a boot loader, and says what it has loaded.
Result Flashing::wait_for_return() {
  device_.reset();
  options_verified_ = false;
  const auto deadline = std::chrono::steady_clock::now() + kReturnTime;
  while (!interrupted()) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    bus_->wait_for_change(left);
    const auto boards = list_boards(*bus_);
    if (!boards) return tl::make_unexpected(boards.error());
    const auto found = std::ranges::find_if(*boards, [&](const Board& board) {
      return board.can_flash() && board.usb.serial == board_.usb.serial && board.usb.node != board_.usb.node;
    });
    if (found == boards->end()) continue;
    auto device = bus_->open(found->usb);
    if (!device) continue;
    const auto now = usb::read_option_bytes(**device, *found, sleep);
    if (!now) return tl::make_unexpected(usb_failure(now.error(), "cannot read the option bytes back"));
    if (const auto wrong = wanted_.changes_from(*now); !wrong.empty()) {
      return fail(ExitCode::kRefusedByDevice, "the board did not take the option bytes: " + change_text(wrong.front()));
    }
    options_verified_ = true;
    return {};
  }
  output_.warning("the board has not come back to its boot loader, so its option bytes were not read back");
  return {};
}

void Flashing::report() {
  const auto spent = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_);
  std::uint64_t bytes = 0;
  ordered_json parts = ordered_json::array();
  for (const usb::Region& region : regions_) {
    bytes += region.content.size();
    parts.push_back({{"what", region.what}, {"address", region.address}, {"size", region.content.size()}});
  }
  ordered_json changes = ordered_json::array();
  for (const usb::OptionChange& change : wanted_.changes_from(now_)) {
    changes.push_back({{"name", change.name}, {"before", change.before}, {"after", change.after}});
  }
  const ordered_json document = {{"serial", board_.usb.serial},
                                 {"board", chip::kBoard},
                                 {"written", !options_.verify_only},
                                 {"regions", parts},
                                 {"bytes", bytes},
                                 {"option_bytes", changes},
                                 {"option_bytes_verified", options_verified_},
                                 {"milliseconds", spent.count()}};
  const std::string what = options_.verify_only ? " holds what it should: " : " is flashed: ";
  output_.result(document, board_label(board_) + what + grouped(bytes) + " bytes, read back and compared" +
                               (changes.empty() ? "" : "; " + std::to_string(changes.size()) + " option bytes set"));
}

Result Flashing::run() {
  for (const auto step :
       {&Flashing::open, &Flashing::check, &Flashing::ask, &Flashing::carry_out, &Flashing::change_options}) {
    if (const Result done = (this->*step)(); !done) return done;
  }
  report();
  return {};
}

Result flash(Program& program, const FlashOptions& options) {
  if (options.images.empty() && options.identity.empty() && options.option_bytes.empty()) {
    return fail(ExitCode::kUsage, "there is nothing to flash", "give --image, --identity or --option-bytes");
  }
  // Option bytes are checked on the board's own; a word that can never be right is said before it is looked for.
  auto regions = plan_regions(options);
  if (!regions) return tl::make_unexpected(regions.error());
  OptionBytes probe;
  for (const std::string& word : options.option_bytes) {
    if (const auto applied = apply_option_bytes(word, probe); !applied) return applied;
  }
  const InterruptGuard guard;
  return Flashing(program, options, *std::move(regions)).run();
}

}  // namespace

void add_usb_flash(Command& usb, Program& program) {
  Command& command = usb.add("flash", "write a microvisor, an identity and option bytes, by the boot loader in ROM");
  auto options = std::make_shared<FlashOptions>();
  command
      .option("--image,-i", "FILE[@ADDRESS]", &options->images,
              "what to write: a signed microvisor, ELF, HEX, or a raw image with its address")
      .complete(Completion::kFile);
  command.option("--identity", "FILE", &options->identity, "the identity from mvctl devices provision")
      .complete(Completion::kFile);
  command
      .option("--option-bytes", "NAME=NUMBER|FILE", &options->option_bytes,
              "option bytes to set, once everything is written; microvisor stands for those that one needs")
      .complete(Completion::kFile);
  command.option("--serial", "SERIAL", &options->serial, "which board: serial number, its beginning, or path")
      .shows_default("the only one");
  command.flag("--verify-only", options->verify_only, "write nothing: compare what the board holds");
  command.flag("--yes,-y", options->yes, "do not ask");
  command.describe(
      "Talks to the boot loader that ST puts into ROM (USB DFU with ST's extension), so that a board without a debug "
      "probe "
      "gets its first image, and a board whose flash is damaged another one. Files are checked first: a signed "
      "microvisor "
      "must be whole and for stm32u585, a raw image must begin with a vector table that fits its address. The board "
      "must "
      "have an STM32U585's memories. Whole pages of 8 KiB are erased; everything is read back and compared.\n\n"
      "ADDRESS is a number (Secure or Non-secure alias) or a place: boot-stage, microvisor, identity. A signed "
      "microvisor, ELF and HEX need none.\n\n"
      "If the board is unplugged in the middle it is not lost: the boot loader in ROM stays. Begin again. Option "
      "bytes that cannot be taken back (RDP level 2, BOOT_LOCK) are refused.");
  command.example(
      "mvctl usb flash -i boot-rom.bin@boot-stage -i microvisor.bin --identity porch.identity --option-bytes "
      "microvisor",
      "everything that a new board needs");
  command.example("mvctl usb flash -i microvisor.bin --verify-only", "is that what the board holds?");
  command.run([options, &program] { return flash(program, *options); });
}

}  // namespace mv::cli
