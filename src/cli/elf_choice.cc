#include "cli/elf_choice.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace mv::cli {
namespace {

std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

std::optional<ChosenElf> find_elf(const std::vector<std::uint8_t>& build_id) {
  for (const char* folder : {".", "build"}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (entry.path().extension() != ".elf") continue;
      auto image = gdb::load_elf_image(entry.path().string());
      if (!image || image->build_id.empty() || image->build_id != build_id) continue;
      return ChosenElf{entry.path().lexically_normal().string(), std::move(*image)};
    }
  }
  return std::nullopt;
}

}  // namespace

Answer<std::optional<ChosenElf>> choose_elf(const std::optional<std::string>& named, const WantedBuild& wanted) {
  if (!named) return wanted.build_id.empty() ? std::nullopt : find_elf(wanted.build_id);
  auto image = gdb::load_elf_image(*named);
  if (!image) {
    const bool missing = image.error().code == gdb::ErrorCode::kNotFound;
    return fail(missing ? ExitCode::kNotFound : ExitCode::kFailed, image.error().text);
  }
  if (!wanted.build_id.empty() && image->build_id != wanted.build_id)
    return fail(ExitCode::kFailed,
                fmt::format("{} is build {}, but {} build {}: source lines would be wrong", *named,
                            image->build_id.empty() ? "without id" : hex(image->build_id).substr(0, 8), wanted.whose,
                            hex(wanted.build_id).substr(0, 8)),
                wanted.hint);
  return ChosenElf{*named, std::move(*image)};
}

}  // namespace mv::cli
