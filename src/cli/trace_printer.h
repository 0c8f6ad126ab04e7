// Hits of a trace as lines for a person or objects for a program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "cli/output.h"
#include "cli/trace_gdb.h"
#include "gdbserver/trace/record.h"

namespace mv::cli {

// A scalar as a number or a truth value; anything else as GDB writes it.
nlohmann::ordered_json json_value(const std::string& gdb_text);

// "+12.345678 s  raw = 512  (float)temp/10 = 21.5"; the time is the device's own, since it booted.
void print_hit(Output& output, const gdb::TraceHit& hit, const std::vector<std::string>& expressions,
               const std::vector<TraceValue>& values);

// `count` hits of which nothing is known, and why.
void print_lost(Output& output, std::uint64_t count, const std::string& why);

}  // namespace mv::cli
