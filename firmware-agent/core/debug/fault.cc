#include "core/debug/fault.h"

#include "core/debug/data_access.h"
#include "core/debug/thumb.h"

namespace mv::debug {
namespace {

constexpr std::uint32_t kException = 0x1FF;  // xPSR

fault::Access access_at_pc(const Context& context, ApplicationMemory& memory) {
  const auto instruction = thumb::fetch(memory, context.pc());
  const auto access = instruction ? data_access(context, *instruction) : std::nullopt;
  if (!access) return {};
  return {.address = access->address, .size = access->size, .writes = access->writes};
}

}  // namespace

fault::Fault explain_fault(const FaultRegisters& registers, const Context& context, ApplicationMemory& memory) {
  fault::Fault fault = {.cfsr = registers.cfsr,
                        .hfsr = registers.hfsr,
                        .mmfar = registers.mmfar,
                        .bfar = registers.bfar,
                        .sfsr = registers.sfsr,
                        .sfar = registers.sfar,
                        .access = {},
                        .exception = 0};
  if (!context.frame_valid) return fault;
  fault.exception = context.core[16] & kException;
  if (!fault::of_precise_data(fault)) return fault;
  const fault::Access access = access_at_pc(context, memory);
  const fault::Address told = fault::data_address(fault);
  if (!told.known || told.value - access.address < access.size) fault.access = access;
  return fault;
}

}  // namespace mv::debug
