// How Secure code keeps others away from what it shares.
#pragma once

#include "arch/cortex-m33/registers.h"

// The BASEPRI_S that belongs to the context that runs: what a system call goes back to when it ends.
extern "C" std::uint32_t mv_base_mask;

namespace mv::arch {

// Nothing interrupts while it lives, in either world. For a few instructions.
class InterruptsOff {
 public:
  InterruptsOff() : before_(read_primask()) { __asm volatile("cpsid i" : : : "memory"); }
  ~InterruptsOff() { write_primask(before_); }
  InterruptsOff(const InterruptsOff&) = delete;
  InterruptsOff& operator=(const InterruptsOff&) = delete;

 private:
  std::uint32_t before_;
};

// No switch between the Secure thread and the application, and no system call from an interrupt handler of the
// application, while it lives; the link and the tick go on. For data that system calls and the Secure thread share.
class NoSwitch {
 public:
  NoSwitch() : before_(read_basepri()) { write_basepri(kMask); }
  ~NoSwitch() { write_basepri(before_); }
  NoSwitch(const NoSwitch&) = delete;
  NoSwitch& operator=(const NoSwitch&) = delete;

 private:
  static constexpr std::uint32_t kMask = 0x60;  // PendSV_S and below
  std::uint32_t before_;
};

// Lives as long as a system call does: the application's interrupts wait, so that an RTOS cannot switch tasks in the
// middle of a call. All system calls from Thread mode share one Secure stack, which only works if they nest.
class SystemCall {
 public:
  SystemCall() { write_basepri(0x80); }
  ~SystemCall() { write_basepri(mv_base_mask); }
  SystemCall(const SystemCall&) = delete;
  SystemCall& operator=(const SystemCall&) = delete;
};

}  // namespace mv::arch
