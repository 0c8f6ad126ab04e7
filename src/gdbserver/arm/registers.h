// The registers of a Cortex-M33 application as GDB numbers them, and the document that tells it so.
//
// One document without includes: features m-profile, m-system and vfp. No secext: with it GDB would demand the Secure
// stack pointers and follow Secure stacks (GDB 13 gdb/arm-tdep.c). Registers are numbered without gaps so that a `g`
// packet is their plain sequence.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mv::gdb::arm {

inline constexpr std::uint32_t kCoreCount = 17;    // r0-r12, sp, lr, pc, xpsr
inline constexpr std::uint32_t kDoubleCount = 16;  // d0-d15: pairs of s0-s31
inline constexpr std::uint32_t kSystemCount = 8;   // msp, psp, primask, basepri, faultmask, control, msplim, psplim
inline constexpr std::uint32_t kFirstDouble = kCoreCount;
inline constexpr std::uint32_t kFpscr = kFirstDouble + kDoubleCount;
inline constexpr std::uint32_t kFirstSystem = kFpscr + 1;
inline constexpr std::uint32_t kRegisterCount = kFirstSystem + kSystemCount;

inline constexpr std::uint32_t kSp = 13;
inline constexpr std::uint32_t kPc = 15;

struct RegisterFile {
  std::array<std::uint32_t, kCoreCount> core{};
  std::array<std::uint32_t, kSystemCount> system{};
  std::array<std::uint32_t, 2 * kDoubleCount + 1> fp{};  // s0-s31, fpscr
  bool has_fp = false;                                   // false: the context has no floating-point state
  bool core_valid = true;  // false: only sp is known, because no frame could be stored; pc is 0
  bool has_system = true;  // false: msp, psp and what follows them are not known

  bool operator==(const RegisterFile&) const = default;
};

// The number of the exception whose handler ran, from xpsr; 0 if none did or if it is not known.
std::uint32_t active_exception(const RegisterFile& file);

// Bytes of register `number` as it stands in a `g` packet: 8 for d0-d15, else 4; nothing above kRegisterCount.
std::optional<std::size_t> register_size(std::uint32_t number);

// The register's bytes in target order; nothing if it is unavailable or there is no such register.
std::optional<std::vector<std::uint8_t>> read_register(const RegisterFile& file, std::uint32_t number);

// False if there is no such register, it is unavailable, or `bytes` has the wrong size. sp and the one of msp and psp
// that is in use are one register under two names: a write of either is seen in both.
bool write_register(RegisterFile& file, std::uint32_t number, const std::vector<std::uint8_t>& bytes);

// One register in hex, 'x' for each digit if it is unavailable; `number` is below kRegisterCount.
std::string register_hex(const RegisterFile& file, std::uint32_t number);

// The payload that answers `g`.
std::string all_registers_hex(const RegisterFile& file);

// Takes the bytes of a `G` packet: any prefix of whole registers. False if the size is wrong.
bool write_all_registers(RegisterFile& file, const std::vector<std::uint8_t>& bytes);

// qXfer:features:read:target.xml. Without the system registers GDB unwinds with sp alone; if they were there but
// unavailable it would give up (GDB 13, arm_m_exception_cache).
std::string target_description(bool with_system);

}  // namespace mv::gdb::arm
