# How every target of the firmware is built, with the same helpers as the host build has (Project.cmake): mv_library is
# the same, mv_tests and mv_fuzzer are nothing here.

get_filename_component(MV_REPOSITORY ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# The sources that the firmware takes from elsewhere; scripts/setup fetches them on Debian.
set(MV_MBEDTLS_DIR ${MV_REPOSITORY}/.deps/mbedtls CACHE PATH "mbedTLS 3.6 sources")
set(MV_NANOPB_DIR ${MV_REPOSITORY}/.deps/nanopb CACHE PATH "nanopb 0.4 sources")
set(MV_7ZIP_DIR ${MV_REPOSITORY}/.deps/7zip CACHE PATH "LZMA SDK sources, as 7-Zip has them")

# Soft float: Secure code never touches FP registers, so the application's survive without being saved.
add_compile_options(-mcpu=cortex-m33 -mthumb -mfloat-abi=soft -Os -g -ffunction-sections -fdata-sections
                    "$<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti;-fno-threadsafe-statics;-fno-use-cxa-atexit>"
                    "$<$<COMPILE_LANGUAGE:C,CXX>:--specs=picolibcpp.specs;-ffile-prefix-map=${MV_REPOSITORY}/=>")
add_link_options(-mcpu=cortex-m33 -mthumb -mfloat-abi=soft --specs=picolibcpp.specs -nostartfiles -Wl,--gc-sections
                 -Wl,--fatal-warnings -Wl,--no-warn-rwx-segments)

add_library(mv_flags INTERFACE)
target_compile_options(mv_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
target_include_directories(mv_flags INTERFACE ${MV_REPOSITORY}/src ${MV_REPOSITORY}/firmware-agent)

# tl::expected is a header of the host system. Only its own folder may be seen here, not all of /usr/include.
find_path(MV_TL_EXPECTED tl/expected.hpp PATHS /usr/include /usr/local/include NO_DEFAULT_PATH)
if(NOT MV_TL_EXPECTED)
  message(FATAL_ERROR "tl/expected.hpp not found: run scripts/setup or pass -DMV_TL_EXPECTED=<folder that holds tl/>")
endif()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include)
file(CREATE_LINK ${MV_TL_EXPECTED}/tl ${CMAKE_BINARY_DIR}/include/tl SYMBOLIC)
add_library(mv_expected INTERFACE)
target_include_directories(mv_expected SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/include)
add_library(tl::expected ALIAS mv_expected)

# mv_library(NAME SOURCES a.cc ... DEPS lib ...): a static library of this project.
function(mv_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE mv_flags)
  target_compile_options(${name} PRIVATE -mcmse)
  target_include_directories(${name} PUBLIC ${MV_REPOSITORY}/src ${MV_REPOSITORY}/firmware-agent)
endfunction()

function(mv_tests name)
endfunction()

function(mv_fuzzer name)
endfunction()
