# What runs on QEMU's mps2-an505. See boards/CMakeLists.txt.
set(MV_EXTERNAL_INTERRUPTS 92)
set(MV_TICK_FROM_CORE true)  # the core itself runs at 20 MHz
set(MV_LOAD_ADDRESS 0x10010000)
set(MV_BOARD_SOURCES board.cc console_uart.cc file_external_flash.cc file_flash.cc link_uart.cc seeded_entropy.cc timer_clock.cc trustzone.cc
                     watchdog.cc)
set(MV_BOOT_SOURCES console_uart.cc file_flash.cc watchdog.cc)
