// The ELF of a certain build on this machine: named with --elf, or found by its build id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/cloud_client.h"
#include "gdbserver/target/elf_image.h"

namespace mv::cli {

struct ChosenElf {
  std::string path;  // as the person gave it or would give it
  gdb::ElfImage image;
};

struct WantedBuild {
  std::vector<std::uint8_t> build_id;  // empty: not known
  std::string whose;                   // for a sentence: "porch runs"
  std::string hint;                    // what to do if another build was named
};

// Without `named`: the one in this folder or in build/ that has the build id; nothing if there is none.
//
// Errors: kNotFound (no such file), kFailed (no ELF file, or another build: its source lines would be wrong).
Answer<std::optional<ChosenElf>> choose_elf(const std::optional<std::string>& named, const WantedBuild& wanted);

}  // namespace mv::cli
