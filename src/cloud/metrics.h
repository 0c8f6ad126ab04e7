// Counters and gauges, printed in Prometheus' text format (version 0.0.4). One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace mv::cloud {

class Metrics {
 public:
  // `labels` as they are printed, e.g. `route="/v1/Apps",status="201"`; values come from fixed sets, never from input.
  void add(std::string_view name, std::int64_t amount = 1, std::string_view labels = {});
  void set(std::string_view name, std::int64_t value, std::string_view labels = {});
  std::int64_t value(std::string_view name, std::string_view labels = {}) const;

  std::string print() const;

 private:
  std::map<std::string, std::map<std::string, std::int64_t, std::less<>>, std::less<>> families_;
};

}  // namespace mv::cloud
