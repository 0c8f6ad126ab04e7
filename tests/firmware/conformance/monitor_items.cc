// DebugMonitor: who may set it up, where it goes, and what happens to an event that cannot pend it.
#include "conformance.h"
#include "nonsecure.h"
#include "registers.h"

namespace conformance {
namespace {

std::uint32_t address_of(const std::uint16_t* place) { return reinterpret_cast<std::uint32_t>(place) & ~1U; }
std::uint32_t call(std::uint32_t (*function)()) { return call_nonsecure(reinterpret_cast<const void*>(function)); }
void skip_bkpt(Frame& frame) { frame.pc += 2; }
void enable() { reg(kDemcr) = kTrcena | kMonEn; }

std::uint32_t seen_shcsr, seen_shcsr_ns, seen_icsr;
void look_at_status(Frame& frame) {
  seen_shcsr = reg(kShcsr);
  seen_shcsr_ns = reg(kShcsr + kNonSecureAlias);
  seen_icsr = reg(kIcsr);
  frame.pc += 2;
}

void set_basepri(std::uint32_t value) { __asm volatile("msr basepri, %0\n isb" : : "r"(value) : "memory"); }

}  // namespace

ITEM("D1.2 DAUTHCTRL", "INTSPIDEN under SPIDENSEL decides DEMCR.SDME") {
  reg(kDauthctrl) = kSpidenSel;
  CHECK_EQUAL(reg(kDemcr) & kSdme, 0);
  reg(kDauthctrl) = kSpidenSel | kIntSpiden;
  CHECK_EQUAL(reg(kDemcr) & kSdme, kSdme);
}

ITEM("D1.2 DAUTHCTRL", "reads as zero and ignores writes from Non-secure state") {
  CHECK_EQUAL(reg(kDauthctrl + kNonSecureAlias), 0);
  CHECK_EQUAL(call_nonsecure(reinterpret_cast<const void*>(ns_read), kDauthctrl), 0);
  call_nonsecure(reinterpret_cast<const void*>(ns_write), kDauthctrl, 0);
  reg(kDauthctrl + kNonSecureAlias) = 0;
  CHECK_EQUAL(reg(kDauthctrl) & 0xf, kSpidenSel | kIntSpiden);
}

ITEM("D1.2 DAUTHSTATUS", "SID tells whether Secure invasive debug is allowed") {
  reg(kDauthctrl) = kSpidenSel;
  CHECK_EQUAL(reg(kDauthstatus) >> 4 & 3, 2);
  reg(kDauthctrl) = kSpidenSel | kIntSpiden;
  CHECK_EQUAL(reg(kDauthstatus) >> 4 & 3, 3);
}

ITEM("D1.2.37 DEMCR", "SDME is read only") {
  reg(kDauthctrl) = kSpidenSel;
  reg(kDemcr) = kSdme;
  CHECK_EQUAL(reg(kDemcr) & kSdme, 0);
}

ITEM("D1.2.37 DEMCR", "SDME keeps its value while DebugMonitor is pending") {
  set_basepri(0x40);
  reg(kDemcr) = kMonPend;
  reg(kDauthctrl) = kSpidenSel;
  const std::uint32_t pending = reg(kDemcr);
  reg(kDemcr) = 0;
  const std::uint32_t cleared = reg(kDemcr);
  set_basepri(0);
  CHECK_EQUAL(pending & kSdme, kSdme);
  CHECK_EQUAL(cleared & kSdme, 0);
}

ITEM("D1.2.37 DEMCR", "with SDME, MON_* read as zero and ignore writes from Non-secure state") {
  reg(kDemcr) = kMonEn | kMonReq;
  CHECK_EQUAL(reg(kDemcr + kNonSecureAlias) & (kMonEn | kMonReq | kMonStep | kMonPend), 0);
  CHECK_EQUAL(call_nonsecure(reinterpret_cast<const void*>(ns_read), kDemcr) & (kMonEn | kMonReq), 0);
  call_nonsecure(reinterpret_cast<const void*>(ns_write), kDemcr, kMonPend);
  CHECK_EQUAL(reg(kDemcr) & (kMonEn | kMonReq), kMonEn | kMonReq);
  CHECK_EQUAL(monitor.count, 0);
}

ITEM("D1.2.37 DEMCR", "without SDME, MON_EN is Non-secure state's to write") {
  reg(kDauthctrl) = kSpidenSel;
  reg(kDemcr + kNonSecureAlias) = kMonEn;
  CHECK_EQUAL(reg(kDemcr) & kMonEn, kMonEn);
}

ITEM("D1.2.37 DEMCR", "MON_PEND pends DebugMonitor although MON_EN is clear") {
  reg(kDemcr) = kMonPend;
  barrier();
  CHECK_EQUAL(monitor.count, 1);
  CHECK_EQUAL(reg(kDemcr) & kMonPend, 0);
}

ITEM("D1.2.37 DEMCR", "MON_PEND waits for the execution priority, and can be taken back") {
  set_basepri(0x40);
  reg(kDemcr) = kMonPend;
  barrier();
  CHECK_EQUAL(monitor.count, 0);
  CHECK_EQUAL(reg(kDemcr) & kMonPend, kMonPend);
  reg(kDemcr) = 0;
  set_basepri(0);
  CHECK_EQUAL(monitor.count, 0);
  set_basepri(0x40);
  reg(kDemcr) = kMonPend;
  set_basepri(0);
  CHECK_EQUAL(monitor.count, 1);
}

ITEM("D1.2.39 DHCSR", "software cannot set C_DEBUGEN") {
  reg(kDhcsr) = 0xa05f0001;
  CHECK_EQUAL(reg(kDhcsr) & 1, 0);
}

ITEM("D1.2.38 DFSR", "a bit is cleared by writing one") {
  enable();
  monitor.then = [](Frame& frame) {
    reg(kDfsr) = kHalted;  // another bit
    frame.pc += 2;
  };
  call(ns_bkpt);
  CHECK_EQUAL(monitor.status, kBkpt);
  CHECK_EQUAL(reg(kDfsr), 0);
}

ITEM("D1.2 SHPR3", "with SDME, the priority of DebugMonitor is not Non-secure state's") {
  reg(kShpr3 + kNonSecureAlias) = 0x20;
  CHECK_EQUAL(reg(kShpr3 + kNonSecureAlias) & 0xff, 0);
  CHECK_EQUAL(reg(kShpr3) & 0xff, kMonitorPriority);
}

ITEM("D1.2 SHCSR", "MONITORACT is set in the handler, and hidden from Non-secure state") {
  enable();
  monitor.then = look_at_status;
  call(ns_bkpt);
  CHECK_EQUAL(seen_shcsr & kMonitorActive, kMonitorActive);
  CHECK_EQUAL(seen_shcsr_ns & kMonitorActive, 0);
  CHECK_EQUAL(reg(kShcsr) & kMonitorActive, 0);
}

ITEM("D1.2 ICSR", "VECTACTIVE is 12 in DebugMonitor") {
  enable();
  monitor.then = look_at_status;
  call(ns_bkpt);
  CHECK_EQUAL(seen_icsr & 0x1ff, 12);
}

ITEM("B13.4 debug events", "BKPT in Non-secure state is taken by Secure DebugMonitor, at the instruction") {
  enable();
  monitor.then = skip_bkpt;
  CHECK_EQUAL(call(ns_bkpt), 7);
  CHECK_EQUAL(monitor.count, 1);
  CHECK_EQUAL(monitor.status, kBkpt);
  CHECK_EQUAL(monitor.pc, address_of(ns_bkpt_at));
  CHECK_EQUAL(monitor.exc_return & 0x41, 0x01);  // S clear, ES set
}

ITEM("B13.4 debug events", "BKPT that DebugMonitor is not enabled for is a HardFault with HFSR.DEBUGEVT, not FORCED") {
  hard_fault.then = skip_bkpt;
  CHECK_EQUAL(call(ns_bkpt), 7);
  CHECK_EQUAL(monitor.count, 0);
  CHECK_EQUAL(hard_fault.count, 1);
  CHECK_EQUAL(hard_fault.status, kDebugEvt);
  CHECK_EQUAL(hard_fault.pc, address_of(ns_bkpt_at));
  CHECK_EQUAL(reg(kDfsr), kBkpt);
}

ITEM("B13.4 debug events", "BKPT that DebugMonitor does not outrank is a HardFault") {
  enable();
  hard_fault.then = skip_bkpt;
  set_basepri(0x60);
  __asm volatile("bkpt 0" : : : "memory");
  set_basepri(0);
  CHECK_EQUAL(monitor.count, 0);
  CHECK_EQUAL(hard_fault.count, 1);
  CHECK_EQUAL(hard_fault.status, kDebugEvt);
}

ITEM("B3.9 priorities", "under AIRCR.PRIS, PRIMASK and FAULTMASK of Non-secure state do not hold DebugMonitor") {
  enable();
  monitor.then = skip_bkpt;
  CHECK_EQUAL(call(ns_bkpt_masked), 7);
  CHECK_EQUAL(monitor.count, 1);
}

ITEM("B3.9 priorities", "under AIRCR.PRIS, a Non-secure handler of the highest priority does not hold DebugMonitor") {
  enable();
  monitor.then = skip_bkpt;
  const std::uint32_t before = ns_pendsv_count;
  CHECK_EQUAL(call(ns_bkpt_in_handler), before + 1);
  CHECK_EQUAL(monitor.count, 1);
  CHECK_EQUAL(monitor.pc, address_of(ns_handler_bkpt));
  CHECK_EQUAL(monitor.xpsr & 0x1ff, 14);
}

ITEM("B13.4 debug events", "without SDME, DebugMonitor is taken in Non-secure state") {
  reg(kDauthctrl) = kSpidenSel;
  reg(kDemcr + kNonSecureAlias) = kMonEn;
  const std::uint32_t before = ns_monitor_count;
  reg(kDemcr + kNonSecureAlias) = kMonEn | kMonPend;
  barrier();
  CHECK_EQUAL(ns_monitor_count, before + 1);
  CHECK_EQUAL(monitor.count, 0);
}

ITEM("B13.4 debug events", "without SDME, BKPT in Secure state is a HardFault") {
  reg(kDauthctrl) = kSpidenSel;
  reg(kDemcr) = kMonEn;
  hard_fault.then = skip_bkpt;
  __asm volatile("bkpt 0" : : : "memory");
  CHECK_EQUAL(hard_fault.count, 1);
  CHECK_EQUAL(hard_fault.status, kDebugEvt);
}

}  // namespace conformance
