// What write_core_file puts into the notes of a core file and parse_core_file finds there, beside GDB's NT_PRSTATUS.
//
// NT_PRSTATUS: struct elf_prstatus of 32-bit Arm, of which a debugger reads the signal, a process number and r0 to xpsr
// (GDB 13, BFD elf32_arm_nabi_grok_prstatus). Ours, with the owner "Microvisor": what else the record has, as
// little-endian words, and behind them the device's words in UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mv::gdb::core_notes {

inline constexpr std::string_view kCoreOwner("CORE\0", 5);
inline constexpr std::size_t kStatusSize = 148;
inline constexpr std::size_t kSignalAt = 12;     // 16 bits
inline constexpr std::size_t kProcessAt = 24;    // 32 bits; GDB shows no thread with number 0
inline constexpr std::size_t kRegistersAt = 72;  // r0 to r15, xpsr

inline constexpr std::string_view kOurOwner("Microvisor\0", 11);
inline constexpr std::uint32_t kCrashNote = 1;

// Words of our note: cfsr, hfsr, mmfar, bfar, sfsr, sfar; the access' address, size, whether it writes; whether the
// core and whether the system registers are known; how many pieces of memory are stack; the system registers.
inline constexpr std::size_t kFaultAt = 0;
inline constexpr std::size_t kAccessAt = 6;
inline constexpr std::size_t kCoreKnownAt = 9;
inline constexpr std::size_t kSystemKnownAt = 10;
inline constexpr std::size_t kStackPiecesAt = 11;
inline constexpr std::size_t kSystemAt = 12;
inline constexpr std::size_t kWords = 20;

}  // namespace mv::gdb::core_notes
