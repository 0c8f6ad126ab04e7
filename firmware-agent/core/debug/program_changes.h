// The breakpoint programs of a resume or trace request, put aside while nanopb decodes it: they are of no fixed size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <pb_decode.h>

#include "core/debug/breakpoint_programs.h"
#include "wire/proto/agent.nanopb.h"

namespace mv::debug {

class ProgramChanges {
 public:
  static constexpr std::size_t kMaxAddresses = 32;

  // Makes the decoding of `request` fill this object, which is emptied. Both must stay until it is decoded.
  void prepare(mv_wire_AgentRequest& request);

  // False: more than fits was in the request, and only a part of it is here.
  bool complete() const { return complete_; }

  // Puts the new expressions in place of those that the named breakpoints have. False if there is no room for them: the
  // named breakpoints then have none.
  bool apply(BreakpointPrograms& programs) const;

  std::span<const std::uint32_t> addresses() const { return std::span(addresses_).first(count_); }

 private:
  static bool begin_request(pb_istream_t* stream, const pb_field_t* field, void** argument);
  static bool take_program(pb_istream_t* stream, const pb_field_t* field, void** argument);
  static bool take_condition(pb_istream_t* stream, const pb_field_t* field, void** argument);
  static bool take_command(pb_istream_t* stream, const pb_field_t* field, void** argument);
  static bool take_collect(pb_istream_t* stream, const pb_field_t* field, void** argument);
  static bool take_registers(pb_istream_t* stream, const pb_field_t* field, void** argument);
  bool take_expression(pb_istream_t* stream, BreakpointPrograms::Role role);

  std::array<std::uint32_t, kMaxAddresses> addresses_{};
  std::size_t count_ = 0;
  BreakpointPrograms programs_;
  bool complete_ = true;
};

}  // namespace mv::debug
