# How every target of this project is built: language level, warnings as errors, sanitizers, and one way to add a test.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# -g1 keeps backtraces in release builds and halves what the compiler writes.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

set(MV_SANITIZE "" CACHE STRING "sanitizers to build with, e.g. address,undefined or thread")
option(MV_FUZZ "build the libFuzzer targets (needs clang)" OFF)
if(MV_FUZZ)
  add_custom_target(fuzzers)  # all of them, and nothing that they do not need
endif()

# The sources that the firmware takes from elsewhere; scripts/setup fetches them on Debian.
set(MV_MBEDTLS_DIR ${CMAKE_CURRENT_LIST_DIR}/../.deps/mbedtls CACHE PATH "mbedTLS 3.6 sources")
set(MV_NANOPB_DIR ${CMAKE_CURRENT_LIST_DIR}/../.deps/nanopb CACHE PATH "nanopb 0.4 sources")
set(MV_7ZIP_DIR ${CMAKE_CURRENT_LIST_DIR}/../.deps/7zip CACHE PATH "LZMA SDK sources, as 7-Zip has them")

add_library(mv_flags INTERFACE)
target_compile_options(mv_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
target_include_directories(mv_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(MV_SANITIZE)
  add_compile_options(-fsanitize=${MV_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MV_SANITIZE})
  # GCC says that ThreadSanitizer knows no fences; Boost.Asio's guard what its locks order as well.
  if(MV_SANITIZE STREQUAL thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(MV_FUZZ)
  add_compile_options(-O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()

# mv_library(NAME SOURCES a.cc ... DEPS lib ...): a static library of this project.
function(mv_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE mv_flags)
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
endfunction()

# mv_program(NAME SOURCES a.cc ... DEPS lib ...): a program for people.
function(mv_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} mv_flags)
endfunction()

# mv_tests(NAME SOURCES x_test.cc ... DEPS lib ...): one GoogleTest program whose cases ctest lists one by one.
function(mv_tests name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} mv_flags GTest::gmock GTest::gtest_main)
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()

# mv_fuzzer(NAME SOURCES x_fuzz.cc ... DEPS lib ...): a libFuzzer program with the `fuzz` preset; in every other build one
# that runs what is kept in corpus/x beside the source, and inputs close to it.
function(mv_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  list(GET ARG_SOURCES 0 source)
  get_filename_component(source ${source} ABSOLUTE)
  string(REGEX REPLACE "/([^/]+)_fuzz.cc$" "/corpus/\\1" corpus ${source})
  set(folder ${CMAKE_BINARY_DIR}/fuzz)
  if(MV_FUZZ)
    set(program ${name})
    add_test(NAME fuzz.${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/fuzz/smoke.py $<TARGET_FILE:${name}> ${corpus} ${folder})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 300 LABELS "fuzz;full")
  else()
    set(program ${name}_replay)
    list(APPEND ARG_DEPS mv_fuzz_replay)
    add_test(NAME corpus.${name} COMMAND ${program} ${corpus} WORKING_DIRECTORY ${folder})
    set_tests_properties(corpus.${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
  endif()
  add_executable(${program} ${ARG_SOURCES})
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${folder})
  target_link_libraries(${program} PRIVATE ${ARG_DEPS} mv_flags)
  if(MV_FUZZ)
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${program})
  endif()
endfunction()
