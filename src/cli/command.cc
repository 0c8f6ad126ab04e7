#include "cli/command.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

namespace mv::cli {
namespace {

using Stored = tl::expected<void, std::string>;

template <typename Number>
Stored store_number(const std::string& text, Number& target) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return tl::make_unexpected("'" + text + "' is out of range");
  if (error != std::errc() || end != text.data() + text.size()) {
    return tl::make_unexpected("'" + text + "' is not a number");
  }
  target = number;
  return {};
}

Stored store_duration(const std::string& text, std::chrono::milliseconds& target) {
  const auto duration = parse_duration(text);
  if (!duration) return tl::make_unexpected("'" + text + "' is not a duration such as 90s, 15m or 2h");
  target = *duration;
  return {};
}

Stored store_one(const std::string& text, std::string& target) {
  target = text;
  return {};
}
Stored store_one(const std::string& text, std::chrono::milliseconds& target) { return store_duration(text, target); }
Stored store_one(const std::string& text, bool& target) {
  target = text != "false";
  return {};
}
template <typename Number>
requires std::is_arithmetic_v<Number> Stored store_one(const std::string& text, Number& target) {
  return store_number(text, target);
}
template <typename Value>
Stored store_one(const std::string& text, std::optional<Value>& target) {
  Value value{};
  if (auto stored = store_one(text, value); !stored) return stored;
  target = std::move(value);
  return {};
}

std::string join(const std::vector<std::string>& words) {
  std::string joined;
  for (const auto& word : words) joined += (joined.empty() ? "" : ", ") + word;
  return joined;
}

}  // namespace

Command& Command::add(std::string name, std::string summary) {
  Command& added = commands_.emplace_back(std::move(name), std::move(summary));
  added.parent_ = this;
  return added;
}

Option& Command::option(std::string names, std::string value, Target target, std::string help) {
  Option option;
  option.names = std::move(names);
  option.value = std::move(value);
  option.target = target;
  option.help = std::move(help);
  return options_.emplace_back(std::move(option));
}

Option& Command::flag(std::string names, bool& target, std::string help) {
  return option(std::move(names), "", &target, std::move(help));
}

Option& Command::argument(std::string value, Target target, std::string help) {
  const bool may_be_absent = std::holds_alternative<std::optional<std::string>*>(target) ||
                             std::holds_alternative<std::vector<std::string>*>(target);
  return option("", std::move(value), target, std::move(help)).required(!may_be_absent);
}

Command& Command::example(std::string line, std::string what) {
  examples_.push_back({std::move(line), std::move(what)});
  return *this;
}

std::string Command::path() const { return parent_ == nullptr ? name_ : parent_->path() + " " + name_; }

const Command* Command::find(std::string_view name) const {
  const auto found =
      std::find_if(commands_.begin(), commands_.end(), [&](const Command& c) { return c.name() == name; });
  return found == commands_.end() ? nullptr : &*found;
}

std::vector<std::string> split_names(const std::string& names) {
  std::vector<std::string> split;
  for (std::size_t start = 0; start <= names.size() && !names.empty();) {
    const std::size_t comma = std::min(names.find(',', start), names.size());
    split.push_back(names.substr(start, comma - start));
    start = comma + 1;
  }
  return split;
}

tl::expected<void, std::string> store(const Option& option, const std::vector<std::string>& values) {
  for (const auto& value : values) {
    if (!option.allowed.empty() &&
        std::find(option.allowed.begin(), option.allowed.end(), value) == option.allowed.end()) {
      return tl::make_unexpected("'" + value + "' is not one of " + join(option.allowed));
    }
  }
  return std::visit(
      [&](auto* target) -> Stored {
        if constexpr (std::is_same_v<decltype(target), std::vector<std::string>*>) {
          *target = values;
          return {};
        } else {
          return store_one(values.empty() ? std::string() : values.back(), *target);
        }
      },
      option.target);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr double kMost = 10.0 * 366 * 24 * 3600 * 1000;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const double scale = unit == "ms"                  ? 1
                       : unit.empty() || unit == "s" ? 1e3
                       : unit == "m"                 ? 60e3
                       : unit == "h"                 ? 3600e3
                       : unit == "d"                 ? 86400e3
                                                     : 0;
  if (scale == 0 || number * scale > kMost) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::llround(number * scale)));
}

}  // namespace mv::cli
