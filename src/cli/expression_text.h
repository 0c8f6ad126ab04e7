// The text of C expressions cut into pieces, for GDB to judge them. Knows brackets, quotes and words, and no grammar.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mv::cli {

// "raw, f(a, b)[1]" gives "raw" and "f(a, b)[1]": cut at commas outside of brackets and quotes, blanks trimmed.
std::vector<std::string> split_expressions(std::string_view text);

struct Token {
  std::size_t start = 0;
  std::size_t end = 0;
  bool is_word = false;  // begins with a letter, '_' or '$'; members belong to it: "now.raw"
  bool closes = false;   // an operand may end here: a word, a number, a string, ')' or ']'
};

std::vector<Token> tokens_of(std::string_view text);

// Whether each bracket that it opens is closed in it, and no other.
bool is_balanced(std::string_view text);

// Whether it assigns, increments or decrements.
bool changes_something(std::string_view text);

}  // namespace mv::cli
