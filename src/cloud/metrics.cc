#include "cloud/metrics.h"

namespace mv::cloud {

void Metrics::add(std::string_view name, std::int64_t amount, std::string_view labels) {
  families_[std::string(name)][std::string(labels)] += amount;
}

void Metrics::set(std::string_view name, std::int64_t value, std::string_view labels) {
  families_[std::string(name)][std::string(labels)] = value;
}

std::int64_t Metrics::value(std::string_view name, std::string_view labels) const {
  const auto family = families_.find(name);
  if (family == families_.end()) return 0;
  const auto sample = family->second.find(labels);
  return sample == family->second.end() ? 0 : sample->second;
}

std::string Metrics::print() const {
  std::string text;
  for (const auto& [name, samples] : families_) {
    text += "# TYPE " + name + (name.ends_with("_total") ? " counter\n" : " gauge\n");
    for (const auto& [labels, value] : samples) {
      text += name + (labels.empty() ? "" : "{" + labels + "}") + " " + std::to_string(value) + "\n";
    }
  }
  return text;
}

}  // namespace mv::cloud
