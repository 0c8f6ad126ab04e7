// The power-cut simulator: the real update engine on a simulated flash whose power fails at every operation, in every
// way it can. docs/updates.md says what is looked at.
//
// usage: powercut enumerate [SCENARIO]   every operation of every scenario, or of those whose name contains SCENARIO
//                                       (a slow one, as of encrypted bundles, by name only)
//        powercut seeds COUNT [FIRST]    seeded runs of several cuts and flipped bits; a seed repeats its run
//        powercut mutations              plants wrong orders, and sees that each is noticed that would do harm
//   --json FILE   also writes the result there
//   --jobs N      processes at once (default 2)
//
// Exits 1 if anything is wrong.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "mutations.h"
#include "other_stories.h"
#include "simulator.h"

namespace {

using namespace mv::powercut;
using Json = nlohmann::json;

constexpr std::size_t kMostProblems = 5;  // shown of each part

constexpr Cut kCuts[] = {Cut::kNotDone, Cut::kTornEarly, Cut::kTornLate, Cut::kDone};

// A part of the work, done in a process of its own: the crypto library knows no threads.
struct Part {
  std::string name;
  std::function<Json()> work;
};

Json problems_json(const std::vector<std::string>& problems, std::uint64_t cuts) {
  return {{"cuts", cuts}, {"problems", problems}};
}

using CutOnce = std::function<Outcome(std::uint64_t operation, Cut how)>;

Json enumerate(const CutOnce& cut_once, Cut how) {
  std::vector<std::string> problems;
  std::uint64_t cuts = 0;
  for (std::uint64_t operation = 0; problems.size() < kMostProblems; ++operation) {
    const Outcome outcome = cut_once(operation, how);
    if (!outcome.problem.empty()) problems.push_back(outcome.problem);
    if (!outcome.cut) break;
    ++cuts;
  }
  return problems_json(problems, cuts);
}

Json run_seeds(bool large, std::uint32_t first, std::uint32_t count) {
  Simulator simulator(everything(large));
  std::vector<std::string> problems;
  for (std::uint32_t seed = first; seed < first + count && problems.size() < kMostProblems; ++seed) {
    const Outcome outcome = simulator.cut_often(seed);
    if (!outcome.problem.empty()) problems.push_back("seed " + std::to_string(seed) + ": " + outcome.problem);
  }
  return problems_json(problems, count);
}

// The first cut of the short stories that shows it, if any does; nothing in every `stride`-th operation else.
std::optional<std::string> first_problem(const Mutation& mutation, std::uint64_t stride, std::uint64_t& cuts) {
  for (const Scenario& scenario : short_scenarios()) {
    Simulator simulator(scenario);
    for (std::uint64_t operation = 0; operation < simulator.operations(); operation += stride) {
      for (const Cut how : {Cut::kDone, Cut::kNotDone}) {
        const Outcome outcome = simulator.cut_once(operation, how, &mutation);
        ++cuts;
        if (!outcome.problem.empty()) return scenario.name + ": " + outcome.problem;
      }
    }
  }
  return std::nullopt;
}

constexpr std::uint64_t kCoarse = 17;

Json plant(const Mutation& mutation) {
  std::uint64_t cuts = 0;
  auto problem = first_problem(mutation, kCoarse, cuts);
  if (!problem) problem = first_problem(mutation, 1, cuts);
  if (!problem) return problems_json({"nobody notices"}, cuts);
  return {{"cuts", cuts}, {"caught", *problem}, {"problems", Json::array()}};
}

Json plant_harmless(const Mutation& mutation) {
  std::uint64_t cuts = 0;
  const auto problem = first_problem(mutation, kCoarse, cuts);
  return problems_json(problem ? std::vector{*problem} : std::vector<std::string>{}, cuts);
}

// The child's answer comes through a pipe.
Json run_part(const Part& part) {
  try {
    mv::update::rig::set_up_crypto();
    return part.work();
  } catch (const std::exception& error) {
    return problems_json({error.what()}, 0);
  }
}

struct Child {
  pid_t id;
  int from;
  std::size_t part;
};

Child begin(const std::vector<Part>& parts, std::size_t part) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t id = fork();
  if (id < 0) throw std::runtime_error("no process");
  if (id == 0) {
    close(ends[0]);
    const std::string text = run_part(parts[part]).dump();
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t written = write(ends[1], text.data() + done, text.size() - done);
      if (written <= 0) _exit(2);
      done += static_cast<std::size_t>(written);
    }
    _exit(0);
  }
  close(ends[1]);
  return {id, ends[0], part};
}

Json end(const Child& child) {
  std::string text;
  char piece[4096];
  for (ssize_t size = 0; (size = read(child.from, piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<std::size_t>(size));
  close(child.from);
  int status = 0;
  waitpid(child.id, &status, 0);
  if (status != 0 || !Json::accept(text)) return problems_json({"the simulator itself failed"}, 0);
  return Json::parse(text);
}

struct Totals {
  std::uint64_t cuts = 0;
  std::size_t problems = 0;
  std::size_t caught = 0;
  Json parts = Json::array();
};

// At most `jobs` at once; told in their order.
Totals run(const std::vector<Part>& parts, std::size_t jobs) {
  Totals totals;
  std::map<std::size_t, Child> children;
  std::size_t next = 0;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    while (next < parts.size() && next < part + jobs) {
      children.emplace(next, begin(parts, next));
      ++next;
    }
    Json result = end(children.at(part));
    totals.cuts += result["cuts"].get<std::uint64_t>();
    totals.problems += result["problems"].size();
    totals.caught += result.contains("caught") ? 1 : 0;
    std::printf("%8llu  %s", static_cast<unsigned long long>(result["cuts"].get<std::uint64_t>()),
                parts[part].name.c_str());
    if (result.contains("caught")) std::printf("\n          caught: %s", result["caught"].get<std::string>().c_str());
    std::printf("\n");
    for (const auto& problem : result["problems"])
      std::printf("          WRONG: %s\n", problem.get<std::string>().c_str());
    std::fflush(stdout);
    result["name"] = parts[part].name;
    totals.parts.push_back(result);
  }
  return totals;
}

std::vector<Part> enumerate_parts(const std::string& filter) {
  std::vector<Part> parts;
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name.find(filter) == std::string::npos || (scenario.slow && filter.empty())) continue;
    for (const Cut how : kCuts) {
      parts.push_back({scenario.name + ": " + name_of(how), [scenario, how] {
                         Simulator simulator(scenario);
                         return enumerate([&](auto operation, Cut cut) { return simulator.cut_once(operation, cut); },
                                          how);
                       }});
    }
  }
  for (const OtherStory& story : other_stories()) {
    if (story.name.find(filter) == std::string::npos) continue;
    for (const Cut how : kCuts) {
      parts.push_back({story.name + ": " + name_of(how), [story, how] { return enumerate(story.cut_once, how); }});
    }
  }
  return parts;
}

std::vector<Part> seed_parts(std::uint32_t count, std::uint32_t first) {
  std::vector<Part> parts;
  constexpr std::uint32_t kEach = 250;
  for (std::uint32_t done = 0; done < count; done += kEach) {
    const std::uint32_t part = std::min(kEach, count - done), from = first + done;
    const bool large = done / kEach % 4 == 3;
    parts.push_back(
        {"seeds " + std::to_string(from) + " to " + std::to_string(from + part - 1) + (large ? ", large" : ""),
         [large, from, part] { return run_seeds(large, from, part); }});
  }
  return parts;
}

std::vector<Part> mutation_parts() {
  std::vector<Part> parts;
  for (const Mutation& mutation : mutations()) {
    parts.push_back({mutation.name, [mutation] { return plant(mutation); }});
  }
  for (const Mutation& mutation : harmless_mutations()) {
    parts.push_back({"harmless: " + mutation.name, [mutation] { return plant_harmless(mutation); }});
  }
  return parts;
}

[[noreturn]] void usage() {
  std::fprintf(stderr,
               "usage: powercut enumerate [SCENARIO] | seeds COUNT [FIRST] | mutations  [--jobs N] [--json FILE]\n");
  std::exit(2);
}

}  // namespace

int main(int count, char** words) {
  std::vector<std::string> arguments;
  std::size_t jobs = 2;
  std::string json_file;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(words[i], "--jobs") == 0 && i + 1 < count) {
      jobs = std::max(1UL, std::strtoul(words[++i], nullptr, 10));
    } else if (std::strcmp(words[i], "--json") == 0 && i + 1 < count) {
      json_file = words[++i];
    } else {
      arguments.emplace_back(words[i]);
    }
  }
  if (arguments.empty()) usage();
  mv::update::rig::set_up_crypto();  // scenarios are made of it
  const auto began = std::chrono::steady_clock::now();
  const auto number = [&](std::size_t which, unsigned long otherwise) {
    return static_cast<std::uint32_t>(arguments.size() > which ? std::strtoul(arguments[which].c_str(), nullptr, 10)
                                                               : otherwise);
  };
  std::vector<Part> parts;
  if (arguments[0] == "enumerate") {
    parts = enumerate_parts(arguments.size() > 1 ? arguments[1] : "");
  } else if (arguments[0] == "seeds" && arguments.size() > 1) {
    parts = seed_parts(number(1, 0), number(2, 1));
  } else if (arguments[0] == "mutations") {
    parts = mutation_parts();
  }
  if (parts.empty()) usage();
  const Totals totals = run(parts, jobs);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began).count();
  const bool planted = arguments[0] == "mutations";
  std::printf("%llu %s, %zu %s, %lld s\n", static_cast<unsigned long long>(totals.cuts),
              arguments[0] == "seeds" ? "seeded runs" : "cuts", totals.problems, "problems",
              static_cast<long long>(seconds));
  if (planted) std::printf("%zu mutations planted, %zu caught\n", mutations().size(), totals.caught);
  if (!json_file.empty()) {
    std::ofstream(json_file) << Json({{"schema", 1},
                                      {"cuts", totals.cuts},
                                      {"bricks", planted ? 0 : totals.problems},
                                      {"mutations",
                                       {{"planted", planted ? mutations().size() : 0}, {"caught", totals.caught}}},
                                      {"seconds", seconds},
                                      {"parts", totals.parts}})
                                    .dump(2)
                             << "\n";
  }
  return totals.problems == 0 ? 0 : 1;
}
