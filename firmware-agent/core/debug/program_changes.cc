#include "core/debug/program_changes.h"

namespace mv::debug {

void ProgramChanges::prepare(mv_wire_AgentRequest& request) {
  count_ = 0;
  programs_.clear();
  complete_ = true;
  request.cb_request.funcs.decode = begin_request;
  request.cb_request.arg = this;
}

bool ProgramChanges::apply(BreakpointPrograms& programs) const {
  for (const std::uint32_t address : addresses()) programs.remove(address);
  if (programs.add_all(programs_)) return true;
  for (const std::uint32_t address : addresses()) programs.remove(address);
  return false;
}

// Called before the kind of request that came is decoded into its part of the union.
bool ProgramChanges::begin_request(pb_istream_t*, const pb_field_t* field, void** argument) {
  const pb_callback_t programs = {.funcs = {.decode = take_program}, .arg = *argument};
  if (field->tag == mv_wire_AgentRequest_resume_tag) {
    static_cast<mv_wire_ResumeRequest*>(field->pData)->programs = programs;
  } else if (field->tag == mv_wire_AgentRequest_trace_tag) {
    static_cast<mv_wire_TraceRequest*>(field->pData)->programs = programs;
  }
  return true;
}

// The address may come behind the expressions: they get it at the end.
bool ProgramChanges::take_program(pb_istream_t* stream, const pb_field_t*, void** argument) {
  auto& self = *static_cast<ProgramChanges*>(*argument);
  const std::size_t first = self.programs_.size();
  mv_wire_BreakpointProgram program = mv_wire_BreakpointProgram_init_zero;
  program.conditions = {.funcs = {.decode = take_condition}, .arg = &self};
  program.commands = {.funcs = {.decode = take_command}, .arg = &self};
  program.collect = {.funcs = {.decode = take_collect}, .arg = &self};
  program.registers = {.funcs = {.decode = take_registers}, .arg = &self};
  if (!pb_decode(stream, mv_wire_BreakpointProgram_fields, &program)) return false;
  constexpr std::uint32_t kCodeBit = 1;
  const std::uint32_t address = program.address & ~kCodeBit;
  self.programs_.move_from(first, address);
  if (self.count_ == kMaxAddresses) {
    self.complete_ = false;
  } else {
    self.addresses_[self.count_++] = address;
  }
  return true;
}

bool ProgramChanges::take_condition(pb_istream_t* stream, const pb_field_t*, void** argument) {
  return static_cast<ProgramChanges*>(*argument)->take_expression(stream, BreakpointPrograms::Role::kCondition);
}

bool ProgramChanges::take_command(pb_istream_t* stream, const pb_field_t*, void** argument) {
  return static_cast<ProgramChanges*>(*argument)->take_expression(stream, BreakpointPrograms::Role::kCommand);
}

bool ProgramChanges::take_collect(pb_istream_t* stream, const pb_field_t*, void** argument) {
  return static_cast<ProgramChanges*>(*argument)->take_expression(stream, BreakpointPrograms::Role::kCollect);
}

bool ProgramChanges::take_registers(pb_istream_t* stream, const pb_field_t*, void** argument) {
  return static_cast<ProgramChanges*>(*argument)->take_expression(stream, BreakpointPrograms::Role::kRegisters);
}

bool ProgramChanges::take_expression(pb_istream_t* stream, BreakpointPrograms::Role role) {
  const std::size_t size = stream->bytes_left;
  const auto room = programs_.reserve(0, role, size);
  complete_ = complete_ && room;
  return pb_read(stream, room ? room->data() : nullptr, size);  // without a place to go to they are skipped
}

}  // namespace mv::debug
