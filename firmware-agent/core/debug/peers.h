// What the debug agent asks of the rest of the device: what runs, who the device is, a restart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mv::debug {

// Of the bundle that runs now, as its signed manifest says.
struct RunningBundle {
  std::array<std::uint8_t, 32> manifest_hash{};  // SHA-256 of the file `manifest`
  std::array<std::uint8_t, 32> build_id{};
  std::size_t build_id_size = 0;             // bytes of build_id in use
  std::array<std::uint8_t, 65> debug_key{};  // P-256 point, uncompressed
  std::uint32_t halt_limit_s = 0;            // how long a halt outlives its debugger's link; 0: the agent's default
  bool has_debug_key = false;                // false: nobody may debug this bundle
};

// The supervisor, as the debug agent sees it. Called from the Secure thread.
class Supervisor {
 public:
  // False if no application is installed or started; `out` is then unspecified.
  virtual bool running_bundle(RunningBundle& out) = 0;

  // Stops the application, makes its image fresh and starts it at its reset handler, with wake reason "debugger
  // restart". False if it has no plausible image.
  virtual bool restart_for_debugger() = 0;

  // The application crashed and waits to be started again.
  virtual bool waits_for_restart() const = 0;

 protected:
  ~Supervisor() = default;
};

// Who the device is to its debugger: identity certificate (X.509 DER) and P-256 scalar. Both must outlive the channel.
struct Identity {
  std::span<const std::uint8_t> certificate;
  std::span<const std::uint8_t, 32> private_key;
};

// A piece of the application's address space that a debugger may look at.
struct Region {
  enum class Kind : std::uint8_t { kFlash, kRam, kPeripheral };

  std::uint32_t address;
  std::uint32_t size;
  Kind kind;
};

// What a board tells the agent about itself. The flash region begins with the application's vector table.
struct BoardInfo {
  const char* name;
  std::span<const Region> regions;  // at most 4
};

}  // namespace mv::debug
