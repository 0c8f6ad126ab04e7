// mvctl init: begins an application's project that builds at once.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "bundle/board.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/program.h"
#include "cli/project_build.h"
#include "cli/project_template.h"

namespace mv::cli {
namespace {

namespace fs = std::filesystem;

struct InitOptions {
  std::string folder;
  std::string board = "mps2-an505";
};

// A CMake target's and a C comment's safe name.
bool is_project_name(const std::string& name) {
  constexpr std::size_t kLongest = 64;
  const auto fits = [](unsigned char c) { return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '_'); };
  return !name.empty() && name.size() <= kLongest && std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
         std::ranges::all_of(name, fits);
}

std::string filled(std::string text, const std::string& mark, const std::string& value) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size())) {
    text.replace(at, mark.size(), value);
  }
  return text;
}

Result check(const InitOptions& options, const fs::path& folder) {
  if (!is_project_name(folder.filename().string())) {
    return fail(ExitCode::kUsage, "\"" + printable(folder.filename().string()) + "\" cannot be the name of a project",
                "a letter, then letters, digits, '-' and '_', at most 64");
  }
  if (bundle::find_board(options.board) == nullptr) {
    return fail(ExitCode::kUsage, "there is no board " + options.board, "boards: " + bundle::board_names());
  }
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return fail(ExitCode::kFailed, folder.string() + " is there already and is not empty", "choose another name");
  }
  return {};
}

Result init(Program& program, const InitOptions& options) {
  std::error_code error;
  fs::path folder = fs::absolute(options.folder, error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (auto good = check(options, folder); !good) return good;
  const std::string name = folder.filename().string();
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const TemplateFile& file : project_template()) {
    std::string text = filled(std::string(file.text), "{{name}}", name);
    text = filled(filled(std::move(text), "{{sdk}}", sdk_folder().string()), "{{board}}", options.board);
    if (auto written = write_file(folder / file.path, text); !written) return written;
    files.push_back(file.path);
  }
  program.output().result({{"project", folder.string()}, {"files", files}},
                          options.folder + " is a project for " + options.board + "; next: mvctl deploy " +
                              options.folder + " --device DEVICE --debug-key KEY --wait");
  return {};
}

}  // namespace

void add_init(Command& root, Program& program) {
  Command& command = root.add("init", "begin an application: a project that builds at once");
  auto options = std::make_shared<InitOptions>();
  command.argument("FOLDER", &options->folder, "the project's folder; its name is the application's")
      .complete(Completion::kDirectory);
  command.option("--board", "BOARD", &options->board, "board it is for").env("MVCTL_BOARD").shows_default("mps2-an505");
  command.example("mvctl init blink", "a project in the folder blink, with settings for VS Code");
  command.example("mvctl init sensor --board stm32u585", "one for the silicon");
  command.run([options, &program] { return init(program, *options); });
}

}  // namespace mv::cli
