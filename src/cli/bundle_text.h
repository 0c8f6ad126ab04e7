// A bundle described for a person and for a program.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "bundle/bundle.h"
#include "cli/output.h"

namespace mv::cli {

std::string area_name(const bundle::Layer& layer);  // "flash" or "external"

nlohmann::ordered_json bundle_json(const bundle::Manifest& manifest);
std::string bundle_text(const bundle::Manifest& manifest, const Output& output);

}  // namespace mv::cli
