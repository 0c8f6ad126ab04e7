// The files that `mvctl init` writes. They live in src/cli/templates and are compiled in.
#pragma once

#include <string_view>
#include <vector>

namespace mv::cli {

struct TemplateFile {
  std::string_view path;  // in the project
  std::string_view text;  // {{name}}, {{sdk}} and {{board}} are to be replaced
};

const std::vector<TemplateFile>& project_template();

}  // namespace mv::cli
