#include "cli/crash_report.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/base64.h"
#include "cli/cloud_client.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::array<const char*, gdb::arm::kCoreCount> kRegisterNames = {
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc", "xpsr"};
constexpr std::array<const char*, gdb::arm::kSystemCount> kSystemNames = {"msp",       "psp",     "primask", "basepri",
                                                                          "faultmask", "control", "msplim",  "psplim"};
constexpr std::size_t kLr = 14, kXpsr = 16;
constexpr std::size_t kMostRegions = 64;      // far more than a bundle may name
constexpr std::size_t kMostStack = 1U << 20;  // far more than a device records

tl::unexpected<Failure> unreadable(const std::string& what) {
  return fail(ExitCode::kFailed, "the cloud sent a crash record without " + what, "is mvctl as new as mvcloud?");
}

std::optional<std::uint64_t> number(const ordered_json& document, const char* key, std::uint64_t most) {
  if (!document.is_object() || !document.contains(key)) return std::nullopt;
  const ordered_json& value = document[key];
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) return std::nullopt;
  return value.get<std::uint64_t>();
}

bool take_word(const ordered_json& document, const char* key, std::uint32_t& word) {
  const auto value = number(document, key, UINT32_MAX);
  if (value) word = static_cast<std::uint32_t>(*value);
  return value.has_value();
}

bool take_registers(const ordered_json& document, gdb::arm::RegisterFile& file) {
  for (std::size_t i = 0; i < kRegisterNames.size(); ++i)
    if (!take_word(document, kRegisterNames[i], file.core[i])) return false;
  file.has_system = false;
  // The device leaves these three at 0 if no frame could be stored, and else never all of them.
  file.core_valid = (file.core[kLr] | file.core[gdb::arm::kPc] | file.core[kXpsr]) != 0;
  return true;
}

// Absent in what an older cloud or device says.
void take_access(const ordered_json& faults, fault::Access& access) {
  if (!faults.is_object() || !faults.contains("access")) return;
  const ordered_json& document = faults["access"];
  if (!take_word(document, "address", access.address) || !take_word(document, "size", access.size)) access = {};
  if (access.known() && document.contains("write") && document["write"].is_boolean())
    access.writes = document["write"].get<bool>();
}

bool take_faults(const ordered_json& document, fault::Fault& fault) {
  return take_word(document, "cfsr", fault.cfsr) && take_word(document, "hfsr", fault.hfsr) &&
         take_word(document, "mmfar", fault.mmfar) && take_word(document, "bfar", fault.bfar) &&
         take_word(document, "sfsr", fault.sfsr) && take_word(document, "sfar", fault.sfar);
}

// Absent in what an older cloud or device says.
bool take_system(const ordered_json& document, gdb::arm::RegisterFile& file) {
  if (!document.contains("system") || document["system"].is_null()) return true;
  for (std::size_t i = 0; i < kSystemNames.size(); ++i)
    if (!take_word(document["system"], kSystemNames[i], file.system[i])) return false;
  file.has_system = true;
  return true;
}

bool take_regions(const ordered_json& document, std::vector<gdb::Crash::Memory>& memory) {
  if (!document.contains("memory")) return true;
  if (!document["memory"].is_array() || document["memory"].size() > kMostRegions) return false;
  for (const ordered_json& region : document["memory"]) {
    gdb::Crash::Memory piece;
    if (!take_word(region, "address", piece.address)) return false;
    const auto bytes = decode_base64(text_of(region, "data"));
    if (!bytes || bytes->size() > kMostStack || bytes->size() > std::uint64_t{UINT32_MAX} + 1 - piece.address)
      return false;
    piece.bytes.assign(bytes->begin(), bytes->end());
    if (!piece.bytes.empty()) memory.push_back(std::move(piece));
  }
  return true;
}

bool take_stack(const ordered_json& document, std::vector<gdb::Crash::Memory>& memory) {
  gdb::Crash::Memory stack;
  const auto bytes = decode_base64(text_of(document, "stack"));
  if (!bytes || bytes->size() > kMostStack || !take_word(document, "stack_address", stack.address)) return false;
  if (bytes->size() > std::uint64_t{UINT32_MAX} + 1 - stack.address) return false;
  stack.bytes.assign(bytes->begin(), bytes->end());
  if (!stack.bytes.empty()) memory.push_back(std::move(stack));
  return true;
}

}  // namespace

tl::expected<CrashReport, Failure> parse_crash_report(ordered_json document) {
  CrashReport report;
  const auto id = number(document, "id", INT64_MAX);
  if (!id) return unreadable("an id");
  report.id = *id;
  if (!take_word(document, "number", report.number)) return unreadable("its number");
  report.uptime_us = number(document, "uptime_us", UINT64_MAX).value_or(0);
  report.received = text_of(document, "date_received");
  report.manifest_hash = text_of(document, "manifest_hash");
  report.crash.reason = text_of(document, "reason");
  if (!document.contains("registers") || !take_registers(document["registers"], report.crash.registers))
    return unreadable("all registers");
  if (!document.contains("faults") || !take_faults(document["faults"], report.crash.fault))
    return unreadable("all fault registers");
  take_access(document["faults"], report.crash.fault.access);
  report.crash.fault.exception = gdb::arm::active_exception(report.crash.registers);
  if (!take_system(document, report.crash.registers)) return unreadable("all system registers");
  if (!take_stack(document, report.crash.memory)) return unreadable("a stack that can be read");
  report.crash.stack_pieces = report.crash.memory.size();
  if (!take_regions(document, report.crash.memory)) return unreadable("memory that can be read");
  report.document = std::move(document);
  return report;
}

}  // namespace mv::cli
