# STM32U585. See boards/CMakeLists.txt.
set(MV_EXTERNAL_INTERRUPTS 126)
set(MV_TICK_FROM_CORE false)  # HCLK/8, 20 MHz
set(MV_LOAD_ADDRESS 0x0C110000)
set(MV_BOARD_SOURCES board.cc board_flash.cc clocks.cc console_uart.cc internal_flash.cc link_uart.cc nor.cc
                     pins.cc random.cc rcc_access.cc timer_clock.cc trustzone.cc watchdog.cc)
set(MV_BOOT_SOURCES board_flash.cc boot_board.cc clocks.cc console_uart.cc internal_flash.cc nor.cc option_bytes.cc
                    pins.cc watchdog.cc)
