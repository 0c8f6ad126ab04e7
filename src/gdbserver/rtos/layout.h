// Where an ELF has a kernel's variables, and how its compiler laid out the kernel's structures.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mv::gdb::rtos {

struct Variable {
  std::uint32_t address = 0;
  std::uint32_t size = 0;  // bytes
};

struct Member {
  std::uint32_t offset = 0;  // from the start of the outermost structure
  std::uint32_t size = 0;    // bytes
};

struct Layout {
  std::map<std::string, Variable, std::less<>> variables;
  std::map<std::string, Member, std::less<>>
      members;  // "structure.member.member"; a structure's name alone is all of it

  // What a kernel's table requires is there (kernel.h); these are for the rest.
  std::optional<Variable> variable(std::string_view name) const;
  std::optional<Member> member(std::string_view name) const;

  // Of required names.
  std::uint32_t address(std::string_view name) const { return variable(name).value_or(Variable{}).address; }
  std::uint32_t offset(std::string_view name) const { return member(name).value_or(Member{}).offset; }
  std::uint32_t size(std::string_view name) const { return member(name).value_or(Member{}).size; }
};

}  // namespace mv::gdb::rtos
