#include "cli/crash_case.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cli/cloud_command.h"
#include "gdbserver/target/cause.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto [end, error] = std::from_chars(&text[2 * i], &text[2 * i] + 2, bytes[i], 16);
    if (error != std::errc() || end != &text[2 * i] + 2) return {};
  }
  return bytes;
}

Answer<ordered_json> fetch_newest(CloudClient& cloud, const Device& device) {
  const auto page = cloud.get("/Devices/" + device.sid + "/Crashes", {{"PageSize", "1"}});
  if (!page) return tl::make_unexpected(page.error());
  if (page->contains("crashes") && (*page)["crashes"].is_array() && !(*page)["crashes"].empty())
    return (*page)["crashes"][0];
  return fail(ExitCode::kNotFound, "no crash of " + device.label() + " is recorded");
}

Answer<ordered_json> fetch_crash(CloudClient& cloud, const Device& device, const std::optional<std::string>& crash) {
  if (!crash) return fetch_newest(cloud, device);
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(crash->data(), crash->data() + crash->size(), id);
  if (error != std::errc() || end != crash->data() + crash->size())
    return fail(ExitCode::kUsage, "'" + *crash + "' names no crash: it is a number",
                "see them:  mvctl crashes list " + device.label());
  return cloud.crash(device.sid, id);
}

// A crash outlives its application in the cloud: then nothing but the hash is known of it.
Result take_app(CloudClient& cloud, CrashCase& it) {
  const auto apps = cloud.apps();
  if (!apps) return tl::make_unexpected(apps.error());
  const auto app =
      std::find_if(apps->begin(), apps->end(), [&](const App& a) { return a.hash == it.report.manifest_hash; });
  if (app == apps->end()) return {};
  it.app = app_name(*app);
  it.build_id = from_hex(text_of(app->document, "build_id"));
  return {};
}

Answer<CrashCase> open_case(Program& program, CloudClient& cloud, const WantedCrash& wanted) {
  const auto device = cloud.device(wanted.device);
  if (!device) return tl::make_unexpected(device.error());
  auto document = fetch_crash(cloud, *device, wanted.crash);
  if (!document) return tl::make_unexpected(document.error());
  auto report = parse_crash_report(std::move(*document));
  if (!report) return tl::make_unexpected(report.error());
  CrashCase it{printable(device->label()), std::move(*report), "", {}, std::nullopt};
  if (auto taken = take_app(cloud, it); !taken) return tl::make_unexpected(taken.error());
  auto elf = choose_elf(
      wanted.elf,
      {.build_id = it.build_id, .whose = it.label() + " is of", .hint = "name the ELF of that build with --elf"});
  if (!elf) return tl::make_unexpected(elf.error());
  it.elf = std::move(*elf);
  if (!it.elf) program.output().note("no ELF of the build that crashed is found here: name it with --elf");
  if (it.elf && it.build_id.empty())
    program.output().warning("the cloud does not know which build crashed: lines are right only if " + it.elf->path +
                             " is the one");
  return it;
}

}  // namespace

std::string CrashCase::label() const { return fmt::format("crash {} of {}", report.id, device); }

std::string CrashCase::cause() const {
  return describe_cause(report.crash, elf ? elf->image.path : std::string(), elf ? &elf->image : nullptr);
}

std::optional<gdb::SourcePlace> CrashCase::source() const {
  if (!elf) return std::nullopt;
  return gdb::find_source(elf->image.path, report.crash.registers.core[gdb::arm::kPc] & ~1U);
}

std::string app_name(const App& app) { return app.name + (app.version.empty() ? "" : " " + app.version); }

Result with_crash(Program& program, const WantedCrash& wanted, const std::function<Result(CrashCase&)>& work) {
  std::optional<CrashCase> it;
  const auto opened = with_cloud(program, [&](CloudClient& cloud) -> Result {
    auto found = open_case(program, cloud, wanted);
    if (!found) return tl::make_unexpected(found.error());
    it = std::move(*found);
    return {};
  });
  return opened ? work(*it) : opened;
}

}  // namespace mv::cli
