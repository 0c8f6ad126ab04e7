// What the chip says of itself, and how its option bytes are set.
#include "board.h"
#include "conformance.h"
#include "measured.h"
#include "registers.h"
#include "report.h"

namespace conformance {
namespace {

constexpr std::uint32_t kCpuId = 0xe000ed00;
constexpr std::uint32_t kFlashSize = 0x0bfa07a0;

// RM0456, 7.9: as they were loaded at the last reset.
constexpr std::uint32_t kOptions = 0x50022040, kSecureBoot = 0x5002204c;
constexpr std::uint32_t kWatermark1 = 0x50022050, kWatermark2 = 0x50022060;
constexpr std::uint32_t kPages = 0x007f007f;  // SECWMx_PEND, SECWMx_PSTRT

const char* name_of_protection(std::uint32_t level) {
  return level == 0xaa   ? "level 0 (0xaa)"
         : level == 0x55 ? "level 0.5 (0x55)"
         : level == 0xcc ? "level 2 (0xcc)"
                         : "level 1";
}

}  // namespace

ITEM("D1.2.21 CPUID", "the core is a Cortex-M33") {
  read_back(reg(kCpuId), {0x410fd210, 0x410fd21f}, "ARM 100230 CPUID");
}

ITEM("RM0456 DBGMCU_IDCODE", "DEV_ID is that of STM32U575 and STM32U585") {
  read_back(board_chip_id() & 0xfff, exactly(0x482), "RM0456 DBGMCU_IDCODE");
}

ITEM("RM0456 DBGMCU_IDCODE", "REV_ID: the revision of the chip") { told(board_chip_id() >> 16, "ES0499"); }

ITEM("RM0456 DESIG", "the unique id of the chip") {
  Text id;
  for (std::uint32_t word = 0; word < 3; ++word) id << (word == 0 ? "" : "-") << board_unique_id(word);
  told(id.text(), "RM0456 DESIG");
}

ITEM("RM0456 DESIG", "the flash has 2 MiB") { counted(reg(kFlashSize) & 0xffff, exactly(2048), "KiB", "RM0456 DESIG"); }

ITEM("RM0456 7.9.13 FLASH_OPTR", "TZEN: TrustZone is on") {
  read_back(reg(kOptions) >> 31, exactly(1), "board-stm32u585.md, option bytes");
}

ITEM("RM0456 7.9.13 FLASH_OPTR", "RDP: the level of readout protection") {
  told(name_of_protection(reg(kOptions) & 0xff), "RM0456 7.6.2");
}

ITEM("RM0456 7.9.13 FLASH_OPTR", "DUALBANK and SWAP_BANK: two banks in their order") {
  read_back(reg(kOptions) >> 20 & 3, exactly(2), "board-stm32u585.md, option bytes");
}

ITEM("RM0456 7.9.16 FLASH_SECBOOTADD0R", "SECBOOTADD0: the reset goes to the boot stage") {
  read_back(reg(kSecureBoot) & ~0x7fU, exactly(0x0c100000), "board-stm32u585.md, option bytes");
}

ITEM("RM0456 7.9.16 FLASH_SECBOOTADD0R", "BOOT_LOCK: nothing else is started, whatever BOOT0 says") {
  told((reg(kSecureBoot) & 1) != 0 ? "locked" : "not locked", "RM0456 7.9.16");
}

ITEM("RM0456 7.9.17 FLASH_SECWM1R1", "no page of bank 1 is Secure: PSTRT 127, PEND 0") {
  read_back(reg(kWatermark1) & kPages, exactly(0x0000007f), "board-stm32u585.md, option bytes");
}

ITEM("RM0456 7.9.21 FLASH_SECWM2R1", "all pages of bank 2 are Secure: PSTRT 0, PEND 127") {
  read_back(reg(kWatermark2) & kPages, exactly(0x007f0000), "board-stm32u585.md, option bytes");
}

ITEM("B14.5 FP_CTRL", "revision 2, eight comparators of instructions, none of literals") {
  read_back(reg(kFpControl) & ~3U, exactly(0x10000080), "ARM 100230 FPB");
}

ITEM("B14.5 FP_DEVARCH", "the id of the FPB's architecture") {
  read_back(reg(kFpArchitecture), exactly(0x47701a03), "ARM DDI 0553B FP_DEVARCH");
}

ITEM("B14.2 DWT_CTRL", "NUMCOMP: four comparators") {
  counted(reg(kDwtControl) >> 28, exactly(4), "comparators", "ARM 100230 DWT");
}

ITEM("B14.2 DWT_DEVARCH", "the id of the DWT's architecture") {
  read_back(reg(kDwtArchitecture), exactly(0x47701a02), "ARM DDI 0553B DWT_DEVARCH");
}

ITEM("D1.2 DAUTHSTATUS", "SID: Secure code may be debugged, at this level of RDP") {
  read_back(reg(kDauthstatus) >> 4 & 3, exactly(3), "ARM DDI 0553B DAUTHSTATUS");
}

ITEM("D1.2 DAUTHSTATUS", "all of it, at this level of RDP") { told(reg(kDauthstatus), "ARM DDI 0553B DAUTHSTATUS"); }

ITEM("D1.2.37 DEMCR", "SDME: DebugMonitor is Secure's, at this level of RDP") {
  read_back(reg(kDemcr) >> 20 & 1, exactly(1), "ARM DDI 0553B DEMCR");
}

}  // namespace conformance
