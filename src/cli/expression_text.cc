#include "cli/expression_text.h"

#include <algorithm>
#include <cctype>

namespace mv::cli {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }
bool is_word_part(char c) { return is_letter(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.'; }
bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// Behind the quote that ends what begins at `start`.
std::size_t end_of_quotes(std::string_view text, std::size_t start) {
  std::size_t at = start + 1;
  while (at < text.size() && text[at] != text[start]) at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

std::vector<std::string> split_expressions(std::string_view text) {
  std::vector<std::string> parts;
  int depth = 0;
  std::size_t start = 0;
  for (const Token& token : tokens_of(text)) {
    const char first = text[token.start];
    if (first == '(' || first == '[' || first == '{') ++depth;
    if (first == ')' || first == ']' || first == '}') --depth;
    if (first != ',' || depth != 0) continue;
    parts.push_back(trimmed(text.substr(start, token.start - start)));
    start = token.end;
  }
  parts.push_back(trimmed(text.substr(start)));
  return parts;
}

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < text.size();) {
    const char first = text[at];
    if (is_blank(first)) {
      ++at;
      continue;
    }
    Token token{.start = at, .end = at + 1, .is_word = is_letter(first), .closes = first == ')' || first == ']'};
    if (first == '"' || first == '\'') token.end = end_of_quotes(text, at);
    while (is_word_part(first) && token.end < text.size() && is_word_part(text[token.end])) ++token.end;
    token.closes = token.closes || is_word_part(first) || first == '"' || first == '\'';
    at = token.end;
    tokens.push_back(token);
  }
  return tokens;
}

bool changes_something(std::string_view text) {
  for (const Token& token : tokens_of(text)) {
    const auto near = [&](std::size_t offset, std::size_t size) {
      return token.start < offset ? std::string_view() : text.substr(token.start - offset, size);
    };
    const char here = text[token.start];
    if ((here == '+' || here == '-') && token.end < text.size() && text[token.end] == here) return true;
    if (here != '=' || near(0, 2) == "==" || near(1, 2) == "==" || near(1, 2) == "!=") continue;
    const bool compares = (near(1, 2) == "<=" && near(2, 3) != "<<=") || (near(1, 2) == ">=" && near(2, 3) != ">>=");
    if (!compares) return true;
  }
  return false;
}

bool is_balanced(std::string_view text) {
  int depth = 0;
  for (const Token& token : tokens_of(text)) {
    const char first = text[token.start];
    if (first == '(' || first == '[' || first == '{') ++depth;
    if ((first == ')' || first == ']' || first == '}') && --depth < 0) return false;
  }
  return depth == 0;
}

}  // namespace mv::cli
