// notifier: is told by the microvisor when the network comes and goes, and says so. It sleeps until then.
#include <cstdint>
#include <optional>

#include "../common/board.h"
#include "mv_log.h"
#include "mv_notifications.hpp"
#include "mv_syscalls.h"

namespace {

constexpr std::uint32_t kNetwork = 1, kOwn = 2;  // tags: what a notification is about

mv::Notifications<8> events;
volatile std::uint32_t interrupts = 0;

bool ask_for_the_network() {
  MvRequestNetworkParams params{};
  params.version = 1;
  params.v1 = {events.handle(), kNetwork};
  MvNetworkHandle network = nullptr;
  return mvRequestNetwork(&params, &network) == MV_STATUS_OKAY;
}

// With interrupts masked from the look to the sleep none can slip in between; WFI ends when one comes all the same.
MvNotification wait_for_event() {
  for (;;) {
    __asm__ volatile("cpsid i" : : : "memory");
    const std::optional<MvNotification> event = events.take();
    if (!event) __asm__ volatile("wfi");
    __asm__ volatile("cpsie i\n isb" : : : "memory");
    if (event) return *event;
  }
}

void report(const MvNotification& event) {
  board_write(event.tag == kOwn ? "notifier: told by itself\n" : "notifier: told of the network\n");
  mv_log("notifier: event %lu, tag %lu, after %lu interrupts", static_cast<unsigned long>(event.event_type),
         static_cast<unsigned long>(event.tag), static_cast<unsigned long>(interrupts));
}

}  // namespace

extern "C" void Interrupt_Handler() { interrupts = interrupts + 1; }

int main() {
  board_start();
  if (events.open(BOARD_SPARE_INTERRUPT) != MV_STATUS_OKAY || !ask_for_the_network()) return 1;
  board_enable_interrupt(BOARD_SPARE_INTERRUPT);
  mvTempTriggerNotification(events.handle(), MV_EVENTTYPE_NETWORKSTATUSCHANGED, kOwn);  // so that there is something to see
  for (;;) report(wait_for_event());
}
