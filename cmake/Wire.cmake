# Code from the schemas in src/wire/proto: C++ classes for the host (`mv_proto`) and nanopb structures for the firmware
# (`mv_nanopb`). Both are generated, so their warnings are their own.
#
# Include as "wire/proto/link.pb.h" (host) and "wire/proto/link.nanopb.h" (firmware).

set(MV_PROTO_NAMES manifest identity keys link agent)
set(MV_SCHEMA_ROOT ${CMAKE_CURRENT_LIST_DIR}/../src)
get_filename_component(MV_SCHEMA_ROOT ${MV_SCHEMA_ROOT} ABSOLUTE)
set(MV_GENERATED ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${MV_GENERATED})

# The nanopb generator is Debian's; it needs the system's Python, which has the protobuf module.
find_program(NANOPB_GENERATOR nanopb_generator.py REQUIRED)
find_program(SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
find_program(PROTOC protoc REQUIRED)

# Schemas import each other, so that each one's code depends on all of them.
list(TRANSFORM MV_PROTO_NAMES REPLACE "(.+)" "${MV_SCHEMA_ROOT}/wire/proto/\\1.proto" OUTPUT_VARIABLE MV_PROTO_FILES)
list(TRANSFORM MV_PROTO_NAMES REPLACE "(.+)" "${MV_SCHEMA_ROOT}/wire/proto/\\1.options" OUTPUT_VARIABLE MV_OPTION_FILES)

function(mv_add_nanopb)
  set(sources)
  foreach(name ${MV_PROTO_NAMES})
    set(out ${MV_GENERATED}/wire/proto/${name}.nanopb)
    add_custom_command(
      OUTPUT ${out}.c ${out}.h
      COMMAND ${SYSTEM_PYTHON} ${NANOPB_GENERATOR} -q -e .nanopb -I ${MV_SCHEMA_ROOT} -D ${MV_GENERATED}
              ${MV_SCHEMA_ROOT}/wire/proto/${name}.proto
      DEPENDS ${MV_PROTO_FILES} ${MV_OPTION_FILES}
      WORKING_DIRECTORY ${MV_SCHEMA_ROOT})
    list(APPEND sources ${out}.c)
  endforeach()
  if(NOT EXISTS ${MV_NANOPB_DIR}/pb_decode.c)
    message(FATAL_ERROR "nanopb sources not found in ${MV_NANOPB_DIR}: run scripts/setup or pass -DMV_NANOPB_DIR=...")
  endif()
  add_library(mv_nanopb STATIC ${sources} ${MV_NANOPB_DIR}/pb_common.c ${MV_NANOPB_DIR}/pb_decode.c
                               ${MV_NANOPB_DIR}/pb_encode.c)
  target_include_directories(mv_nanopb SYSTEM PUBLIC ${MV_GENERATED} ${MV_NANOPB_DIR})
endfunction()

function(mv_add_proto)
  set(sources)
  foreach(name ${MV_PROTO_NAMES})
    set(out ${MV_GENERATED}/wire/proto/${name}.pb)
    add_custom_command(
      OUTPUT ${out}.cc ${out}.h
      COMMAND ${PROTOC} -I ${MV_SCHEMA_ROOT} --cpp_out=${MV_GENERATED} ${MV_SCHEMA_ROOT}/wire/proto/${name}.proto
      DEPENDS ${MV_PROTO_FILES})
    list(APPEND sources ${out}.cc)
  endforeach()
  add_library(mv_proto STATIC ${sources})
  target_include_directories(mv_proto SYSTEM PUBLIC ${MV_GENERATED})
  find_package(Protobuf REQUIRED)
  target_link_libraries(mv_proto PUBLIC protobuf::libprotobuf)
endfunction()
