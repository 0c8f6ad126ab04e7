# The SDK as a CMake package:
#
#   find_package(Microvisor REQUIRED)
#   mv_add_application(blinky SOURCES main.c)
#
# builds blinky.elf (and .bin, .hex, .map) for the board in MV_BOARD (`mps2-an505` or `stm32u585`).
#
# MV_LAYOUT_FROM=FILE.map, of the build that devices run (keep it with each release), leaves functions and variables where
# that build had them, so that the update is small: docs/updates.md.
include_guard(DIRECTORY)

get_filename_component(MV_SDK_DIR "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(MV_BOARD "mps2-an505" CACHE STRING "board the application is built for: mps2-an505 or stm32u585")

set(MV_LAYOUT_FROM "" CACHE FILEPATH ".map of the build that devices run: what is still there stays where it was")
set(MV_MVCTL "mvctl" CACHE STRING "how to call mvctl")

set(MV_SYSCALL_BASE_mps2-an505 0x100C0000)
set(MV_SYSCALL_BASE_stm32u585 0x0C1FE000)

# mv_add_application(NAME SOURCES file ... [NO_STARTUP]): NO_STARTUP leaves vector table and reset handler to the sources.
function(mv_add_application name)
  cmake_parse_arguments(ARG "NO_STARTUP" "" "SOURCES" ${ARGN})
  if(NOT DEFINED MV_SYSCALL_BASE_${MV_BOARD})
    message(FATAL_ERROR "unknown board ${MV_BOARD}: set MV_BOARD to mps2-an505 or stm32u585")
  endif()
  set(startup ${MV_SDK_DIR}/src/startup.c ${MV_SDK_DIR}/src/log.c)
  if(ARG_NO_STARTUP)
    set(startup)
  endif()
  add_executable(${name} ${ARG_SOURCES} ${startup} ${MV_SDK_DIR}/src/system_calls.S)
  set_target_properties(${name} PROPERTIES SUFFIX .elf)
  target_include_directories(${name} PRIVATE ${MV_SDK_DIR}/include)
  string(TOUPPER "MV_ON_${MV_BOARD}" on_board)
  string(REPLACE - _ on_board ${on_board})  # MV_ON_STM32U585, MV_ON_MPS2_AN505
  target_compile_definitions(${name} PRIVATE MV_SYSCALL_BASE=${MV_SYSCALL_BASE_${MV_BOARD}}
                                             MV_BOARD_NAME="${MV_BOARD}" ${on_board})
  target_compile_options(${name} PRIVATE
    -mcpu=cortex-m33 -mthumb -mfloat-abi=softfp -ffunction-sections -fdata-sections -g3 -Wall -Wextra
    $<$<NOT:$<COMPILE_LANGUAGE:ASM>>:-Og>
    # One line-table row a statement: a `next` over a slow link is then one round trip.
    $<$<NOT:$<COMPILE_LANGUAGE:ASM>>:-gno-column-info>
    $<$<COMPILE_LANGUAGE:C>:--specs=picolibc.specs>
    $<$<COMPILE_LANGUAGE:CXX>:--specs=picolibcpp.specs -fno-exceptions -fno-rtti -fno-threadsafe-statics
      -fno-use-cxa-atexit>)
  if(MV_LAYOUT_FROM)
    set(layout ${CMAKE_CURRENT_BINARY_DIR}/${name}-layout)
    target_link_options(${name} PRIVATE -L${layout})
    set_target_properties(${name} PROPERTIES RULE_LAUNCH_LINK
      "${MV_SDK_DIR}/cmake/link_with_layout.sh ${MV_MVCTL} ${MV_LAYOUT_FROM} ${layout} ${name}.map")
  endif()
  target_link_options(${name} PRIVATE
    -mcpu=cortex-m33 -mthumb -mfloat-abi=softfp -nostartfiles -L${MV_SDK_DIR}/ld -T${MV_BOARD}.ld
    -Wl,--gc-sections -Wl,--build-id=sha1 -Wl,-Map=${name}.map -Wl,--no-warn-rwx-segments --specs=picolibc.specs)
  set_target_properties(${name} PROPERTIES LINK_DEPENDS "${MV_SDK_DIR}/ld/sections.ld;${MV_SDK_DIR}/ld/${MV_BOARD}.ld;${MV_LAYOUT_FROM}")
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND ${CMAKE_OBJCOPY} -O binary --gap-fill 0xFF ${name}.elf ${name}.bin
    COMMAND ${CMAKE_OBJCOPY} -O ihex ${name}.elf ${name}.hex
    WORKING_DIRECTORY $<TARGET_FILE_DIR:${name}>)
endfunction()
