// Where everything lies in the device's flash: offsets from its start, in bytes, multiples of a page (8 KiB).
//
// One map for every board; a board says at which address the start is (mps2-an505: 0x80000000, a file on the host).
// All of it is Secure: the application's image is copied, or mapped, to where it runs.
#pragma once

#include <cstdint>

namespace mv::flash_map {

struct Area {
  std::uint32_t offset;
  std::uint32_t size;
};

inline constexpr Area kApplication = {0x000000, 0x100000};    // 1 MiB: the installed image
inline constexpr Area kStaging = {0x100000, 0x100000};        // 1 MiB: what is being fetched, encrypted
inline constexpr Area kUpdateJournal = {0x200000, 0x008000};  // states of the update, one record a quad-word or more
inline constexpr Area kManifests = {0x208000, 0x008000};      // manifest of the running and of the staged bundle
inline constexpr Area kCrashRecords = {0x210000, 0x008000};
inline constexpr Area kCounters = {0x218000, 0x004000};      // boot count, crash number
inline constexpr Area kTlsSession = {0x21C000, 0x004000};    // saved session for resumption
inline constexpr Area kStagingIndex = {0x220000, 0x008000};  // which blocks of the staging area are whole
inline constexpr Area kUndoIndex = {0x228000, 0x008000};     // and of the undo area
inline constexpr Area kUndo = {0x300000, 0x100000};          // 1 MiB: what an installation on trial replaced, encrypted
inline constexpr Area kMicrovisor = {0x800000, 0x080000};    // slot A: signed image, started by the boot ROM
inline constexpr Area kMicrovisorB = {0x880000, 0x080000};   // slot B: an update goes to the slot that does not run
inline constexpr Area kIdentity = {0x900000, 0x002000};      // provisioned once: length, CRC-32, wire::Identity
inline constexpr Area kEntropySeed = {0x904000, 0x004000};   // boards without a source of randomness
inline constexpr Area kBootChoice = {0x908000, 0x004000};    // which microvisor starts, and the update of it
inline constexpr Area kSignerKeys = {0x90C000, 0x004000};    // whose bundles run, once they were changed
inline constexpr Area kWifi = {0x910000, 0x004000};          // the network to join
inline constexpr Area kExternalFlash = {0xA00000, 0x400000};  // 4 MiB, the application's, where it has no chip

inline constexpr std::uint32_t kFlashSize = 0x1000000;  // 16 MiB

}  // namespace mv::flash_map
