// The microvisor: sets the board up and runs the Secure thread.
#include <algorithm>
#include <array>

#include "arch/cortex-m33/board_hooks.h"
#include "boards/board.h"
#include "core/platform/flash_map.h"
#include "core/tls/tls_platform.h"
#include "device.h"

namespace {

using namespace mv;

// Never written since the flash left the factory: a device under development, which runs what its flash holds.
bool identity_is_blank() {
  std::array<std::uint8_t, 16> beginning{};
  return board::flash().read(flash_map::kIdentity.offset, beginning) == Flash::Result::kOk &&
         std::all_of(beginning.begin(), beginning.end(), [](std::uint8_t byte) { return byte == 0xff; });
}

void log_problem(const char* what, std::string_view sentence) {
  board::log_part(what);
  board::log_part(sentence);
  board::log("");
}

// A local static in the thread: built when the board is ready, kept for ever.
[[noreturn]] void thread() {
  static update::IdentityStore identity;
  const bool tls_ready = board::entropy_ready() && tls::set_up(board::entropy(), board::clock());
  const bool blank = identity_is_blank();
  const std::string_view problem = identity.load(board::flash());
  if (!problem.empty()) log_problem("identity: ", problem);
  if (!tls_ready) board::log("entropy: no seed and no identity in flash, so no link: provision the device");
  static Device device(identity, Device::Mode{.link = problem.empty() && tls_ready, .run_unsigned = blank});
  device.run();
}

}  // namespace

int main() {
  board::set_up();
  const image::Started started = board::started();
  board::log_part("microvisor ");
  board::log_part(started.version != 0 ? image::version_text(started.version).data() : MV_VERSION);
  board::log(started.on_trial ? " on " MV_BOARD_NAME ", on trial" : " on " MV_BOARD_NAME);
  if (board::world().probe_attached()) board::log("debug: a hardware probe is attached and gets every debug event");
  board::run(thread);
}
