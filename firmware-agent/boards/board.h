// The board as main.cc sees it: the ports of core/platform/ports.h, ready to use.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "arch/cortex-m33/guest.h"
#include "arch/cortex-m33/world.h"
#include "core/image/choice.h"
#include "core/platform/external_flash.h"
#include "core/platform/ports.h"

namespace mv::board {

// First of all: console, clock, the division of the machine, flash, entropy, link. In this order, once.
void set_up();

Clock& clock();
Flash& flash();
Entropy& entropy();
LinkPort& link_port();
ExternalFlash& external_flash();
arch::ProbedMemory& application_memory();
arch::World& world();

arch::GuestTraits guest_traits();

// What the boot ROM started, and what an image for this board must be made for.
image::Started started();
image::Target image_target();

// False: this boot has no random numbers, so no TLS.
bool entropy_ready();

// Starts the scheduler; does not return.
[[noreturn]] void run(void (*thread)());

// Of the Secure thread. TLS alone takes 2.5 KiB, and the link calls it from deep down.
inline constexpr std::size_t kThreadStackSize = 10 * 1024;

// Bytes of the Secure stacks never used since boot.
struct StackRoom {
  std::size_t thread, system_calls, handlers;
};
StackRoom stack_room();

// A line for people, on the console.
void log(std::string_view text);

// The same without the end of the line.
void log_part(std::string_view text);

}  // namespace mv::board
