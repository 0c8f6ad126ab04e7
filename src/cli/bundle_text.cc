#include "cli/bundle_text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace mv::cli {

std::string area_name(const bundle::Layer& layer) {
  return layer.region.area == bundle::AreaKind::kInternalFlash ? "flash" : "external";
}

namespace {

using Json = nlohmann::ordered_json;

Json layer_json(const bundle::Layer& layer) {
  Json segments = Json::array();
  for (const auto& hash : layer.segment_hashes) segments.push_back(bundle::hex(hash));
  return {{"area", area_name(layer)},
          {"start", layer.region.start},
          {"size", layer.region.size},
          {"content_size", layer.content_size},
          {"fetch_hash", bundle::hex(layer.fetch_hash)},
          {"measurement_hash", bundle::hex(layer.measurement_hash)},
          {"encrypted_with_key_id", layer.encrypted_with_key_id},
          {"segment_size", layer.segment_size},
          {"segment_hashes", segments}};
}

Json regions_json(const std::vector<bundle::CrashRegion>& regions) {
  Json json = Json::array();
  for (const auto& region : regions) json.push_back({{"address", region.address}, {"length", region.length}});
  return json;
}

const char* confirm_by_name(const bundle::Policies& policies) {
  return policies.confirm_by == bundle::ConfirmBy::kApplication ? "application" : "contact";
}

Json policies_json(const bundle::Policies& p) {
  return {{"debuggable", !p.debug_auth_pubkey.empty()},
          {"debug_auth_pubkey", bundle::hex(p.debug_auth_pubkey)},
          {"halt_limit", p.halt_limit_sec},
          {"connection_grace_time", p.connection_grace_time_sec},
          {"minimum_check_in_time", p.minimum_check_in_time_sec},
          {"maximum_politeness_time", p.maximum_politeness_time_sec},
          {"minimum_kernel_version", p.minimum_kernel_version},
          {"minimum_restart_interval", p.minimum_restart_ms},
          {"maximum_restart_interval", p.maximum_restart_ms},
          {"include_stack_bytes", p.include_stack_bytes},
          {"confirm_timeout", p.confirm_timeout_sec},
          {"confirm_by", confirm_by_name(p)},
          {"faults", p.reflect_faults ? "reflect" : "capture"},
          {"crash_regions", regions_json(p.crash_regions)}};
}

std::string line(const std::string& label, const std::string& value) {
  return label + std::string(label.size() < 12 ? 12 - label.size() : 1, ' ') + value + "\n";
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : printable(text); }

std::string debug_text(const bundle::Policies& policies) {
  if (policies.debug_auth_pubkey.empty()) return "no: the bundle names no debug key";
  const auto key = bundle::PublicKey::from_point(policies.debug_auth_pubkey);
  return "by key " + (key ? bundle::describe(key->id()) : std::string("?"));
}

// The policies that are set: "connection grace 30 s, politeness 600 s".
std::string policy_text(const bundle::Policies& p) {
  std::string text;
  const auto add = [&](const char* name, std::uint32_t value, const char* unit) {
    if (value != 0) text += (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(value) + unit;
  };
  add("halt limit", p.halt_limit_sec, " s");
  add("connection grace", p.connection_grace_time_sec, " s");
  add("check-in", p.minimum_check_in_time_sec, " s");
  add("politeness", p.maximum_politeness_time_sec, " s");
  add("microvisor at least", p.minimum_kernel_version, "");
  add("restart from", p.minimum_restart_ms, " ms");
  add("restart up to", p.maximum_restart_ms, " ms");
  add("stack in crash reports", p.include_stack_bytes, " B");
  add("on trial for", p.confirm_timeout_sec,
      p.confirm_by == bundle::ConfirmBy::kApplication ? " s until it confirms itself"
                                                      : " s until it ran and reached the cloud");
  if (p.reflect_faults) text += (text.empty() ? "" : ", ") + std::string("faults go to its own handler");
  for (const auto& region : p.crash_regions)
    text += (text.empty() ? "" : ", ") + std::string("in crash records ") + bundle::hex_address(region.address) +
            " + " + std::to_string(region.length) + " B";
  return text.empty() ? "the defaults" : text;
}

Json signers_json(const bundle::Manifest& manifest) {
  Json list = Json::array();
  for (const bundle::KeySignature& each : manifest.signatures()) list.push_back(bundle::describe(each.key));
  return list;
}

Json recipients_json(const std::vector<bundle::Recipient>& recipients) {
  Json list = Json::array();
  for (const bundle::Recipient& each : recipients) list.push_back(bundle::describe(each.key));
  return list;
}

// Whether layers can be read, and by whom.
std::string encryption_text(const bundle::AppBody& body) {
  std::string keys;
  for (const bundle::Recipient& each : body.recipients) {
    keys += (keys.empty() ? "" : " and ") + bundle::describe(each.key);
  }
  if (!keys.empty()) return "to key " + keys;
  const bool encrypted = std::any_of(body.layers.begin(), body.layers.end(),
                                     [](const bundle::Layer& layer) { return layer.encrypted_with_key_id != 0; });
  return encrypted ? "to nobody: no device reads it" : "no";
}

std::string signers_text(const bundle::Manifest& manifest) {
  std::string keys;
  for (const bundle::KeySignature& each : manifest.signatures()) {
    keys += (keys.empty() ? "" : " and ") + bundle::describe(each.key);
  }
  return keys.empty() ? "no" : "by key " + keys + " (not checked here)";
}

}  // namespace

Json bundle_json(const bundle::Manifest& manifest) {
  const auto& [layers, policies, info, recipients] = manifest.body();
  Json list = Json::array();
  for (const auto& layer : layers) list.push_back(layer_json(layer));
  return {{"manifest_hash", bundle::hex(manifest.hash())},
          {"signer", manifest.signer() ? Json(bundle::describe(*manifest.signer())) : Json()},
          {"signers", signers_json(manifest)},
          {"encrypted_to", recipients_json(recipients)},
          {"name", info.name},
          {"version", info.version},
          {"git_revision", info.git_revision},
          {"build_id", bundle::hex(info.build_id)},
          {"board", info.board},
          {"syscall_abi", info.syscall_abi},
          {"security_counter", info.security_counter},
          {"policies", policies_json(policies)},
          {"layers", list}};
}

std::string bundle_text(const bundle::Manifest& manifest, const Output& output) {
  const auto& [layers, policies, info, recipients] = manifest.body();
  std::string text = line("application", or_dash(info.name) + " " + or_dash(info.version));
  text += line("board", or_dash(info.board));
  text += line("revision", or_dash(info.git_revision));
  text += line("build id", or_dash(bundle::hex(info.build_id)));
  text += line("counter", std::to_string(info.security_counter));
  text += line("manifest", bundle::hex(manifest.hash()));
  text += line("signed", signers_text(manifest));
  text += line("encrypted", encryption_text(manifest.body()));
  text += line("debugging", debug_text(policies));
  text += line("policies", policy_text(policies)) + "\n";
  Table table({"AREA", "START", "SIZE", "CONTENT", "SHA-256"});
  for (const auto& layer : layers) {
    table.row({area_name(layer), bundle::hex_address(layer.region.start), human_size(layer.region.size),
               layer.content_size == 0 ? "-" : std::to_string(layer.content_size) + " B",
               bundle::hex(layer.fetch_hash)});
  }
  return text + table.text(output);
}

}  // namespace mv::cli
