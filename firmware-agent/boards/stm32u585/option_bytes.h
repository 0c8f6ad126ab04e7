// The option bytes that the microvisor relies on (RM0456, 7.4 and 7.9.17 on), checked at each boot and told on the
// console.
//
//   TZEN 1             TrustZone is on
//   SECWM1 none        bank 1 is the application's
//   SECWM2 whole       bank 2 is ours
//   SECBOOTADD0        0x0C100000: the boot stage
//   BOOT_LOCK, RDP     locked and closed on devices that leave the house; told, not required
#pragma once

namespace mv::board {

// Writes what is wrong to the console, a line each; silent otherwise. False: the chip is not divided as the microvisor
// needs it, so nothing may be started.
bool check_option_bytes();

}  // namespace mv::board
