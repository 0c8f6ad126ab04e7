// Keeps functions and variables of a program where the build before had them, so that an update is small over the air.
//
// A linker places sections one after the other: one that grows moves all that follow, and every branch and address that
// leads there. From the map of the build before and the map of a first link of this one, `make_layout` says where each
// section goes: where it was if it still fits, else into a gap that something left, else behind everything. The link
// that counts is then made by that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/error.h"

namespace mv::bundle {

// A section of an object file, as GNU ld placed it.
struct PlacedSection {
  std::string output;  // the section of the program that it is in: ".text"
  std::string name;    // ".text.main"
  std::string file;    // "build/main.c.o" or "/usr/lib/libc.a(memcpy.o)"
  std::uint64_t address = 0;
  std::uint64_t size = 0;  // bytes, not 0
};

struct LinkMap {
  std::vector<PlacedSection> sections;

  // The map that `-Wl,-Map=FILE` writes (GNU ld). Errors: kBadInput (it is none, or not
  // that of a 32-bit program), kTooBig.
  static Expected<LinkMap> parse(std::string_view text);
};

// Longest map that is read.
inline constexpr std::uint64_t kLongestMap = 64 << 20;

struct Layout {
  // What the SDK's sections.ld includes at the beginning of these sections of the program.
  std::string flash, data, bss;

  std::size_t kept = 0;   // sections that stay where they were
  std::size_t moved = 0;  // that do not fit there any more
  std::size_t added = 0;  // that are new
};

// Code and constants (.text, .rodata) are one lot, in .text; .data and .bss are others. Two sections that cannot be
// told apart by their names and their files' names are left to the linker.
Layout make_layout(const LinkMap& before, const LinkMap& now);

}  // namespace mv::bundle
