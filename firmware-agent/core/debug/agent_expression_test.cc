#include "core/debug/agent_expression.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/debug/agent_printf.h"
#include "core/debug/fake_target.h"

namespace mv::debug {
namespace {

using test::kRam;
using Code = std::vector<std::uint8_t>;
using Error = ExpressionError;

// The code is what GDB 13.1 makes (`maint agent-eval -at FUNCTION, EXPRESSION`) of the expressions in the comments, for
//
//   struct s { signed char a; unsigned short b; int c; struct s* next; unsigned f : 3; int g : 5; long long ll; };
//   int f(int n, unsigned m, struct s* p);    n in r0, m in r1, p in r2
class AgentExpression : public testing::Test {
 protected:
  ExpressionResult run(const Code& code) {
    console_.begin();
    return evaluate(code, context_, memory_, console_);
  }
  std::int64_t value(const Code& code) {
    const ExpressionResult result = run(code);
    EXPECT_EQ(result.error, Error::kNone) << describe(result.error);
    EXPECT_TRUE(result.has_value);
    return result.value;
  }
  Error error(const Code& code) { return run(code).error; }

  void set(std::uint32_t n, std::uint32_t m = 0, std::uint32_t p = kRam) {
    context_.core[0] = n;
    context_.core[1] = m;
    context_.core[2] = p;
  }

  Context context_;
  test::FakeMemory memory_;
  ConsoleText console_;
};

TEST_F(AgentExpression, ComparesASignedParameter) {
  const Code n_is_minus_1 = {0x26, 0x00, 0x00, 0x16, 0x20, 0x22, 0xFF, 0x16, 0x08, 0x13, 0x27};  // n == -1
  set(0xFFFFFFFF);
  EXPECT_EQ(value(n_is_minus_1), 1);
  set(1);
  EXPECT_EQ(value(n_is_minus_1), 0);
}

TEST_F(AgentExpression, EvaluatesTheRightSideOfAndOnlyIfTheLeftHolds) {
  // n < 0 && m > 3
  const Code code = {0x26, 0x00, 0x00, 0x16, 0x20, 0x22, 0x00, 0x14, 0x20, 0x00, 0x0E, 0x21, 0x00,
                     0x24, 0x26, 0x00, 0x01, 0x2A, 0x20, 0x22, 0x03, 0x2A, 0x20, 0x2B, 0x15, 0x20,
                     0x00, 0x1F, 0x21, 0x00, 0x24, 0x22, 0x01, 0x21, 0x00, 0x26, 0x22, 0x00, 0x27};
  set(0x80000000, 4);
  EXPECT_EQ(value(code), 1);
  set(0x80000000, 3);
  EXPECT_EQ(value(code), 0);
  set(5, 4);
  EXPECT_EQ(value(code), 0);
  set(0xFFFFFFFF, 0xFFFFFFFF);  // m is unsigned
  EXPECT_EQ(value(code), 1);
}

TEST_F(AgentExpression, EvaluatesOrAndBitsAndRemainders) {
  // m % 3 == 1 || (m >> 4) & 1
  const Code code = {0x26, 0x00, 0x01, 0x2A, 0x20, 0x22, 0x03, 0x2A, 0x20, 0x08, 0x2A, 0x20, 0x22, 0x01, 0x2A, 0x20,
                     0x13, 0x20, 0x00, 0x2D, 0x26, 0x00, 0x01, 0x2A, 0x20, 0x22, 0x04, 0x2A, 0x20, 0x0B, 0x2A, 0x20,
                     0x22, 0x01, 0x2A, 0x20, 0x0F, 0x20, 0x00, 0x2D, 0x22, 0x00, 0x21, 0x00, 0x2F, 0x22, 0x01, 0x27};
  for (std::uint32_t m = 0; m < 100; ++m) {
    set(0, m);
    EXPECT_EQ(value(code), m % 3 == 1 || ((m >> 4) & 1) != 0) << m;
  }
}

TEST_F(AgentExpression, ChoosesMultipliesAndInverts) {
  // (n ? 5 : 7) * ~n ^ m
  const Code code = {0x26, 0x00, 0x00, 0x16, 0x20, 0x0E, 0x20, 0x00, 0x0E, 0x22, 0x05, 0x21, 0x00,
                     0x10, 0x22, 0x07, 0x26, 0x00, 0x00, 0x16, 0x20, 0x12, 0x16, 0x20, 0x04, 0x16,
                     0x20, 0x26, 0x00, 0x01, 0x2A, 0x20, 0x2B, 0x2A, 0x20, 0x2B, 0x11, 0x27};
  set(0, 0x1234);
  EXPECT_EQ(value(code), static_cast<std::uint32_t>(7 * ~0) ^ 0x1234U);
  set(9, 0x55);
  EXPECT_EQ(value(code), static_cast<std::uint32_t>(5 * ~9) ^ 0x55U);
}

TEST_F(AgentExpression, FollowsPointersToMembers) {
  const Code next_b = {0x26, 0x00, 0x02, 0x2A, 0x20, 0x22, 0x08, 0x02, 0x19,  // p->next->b == 513
                       0x22, 0x02, 0x02, 0x18, 0x23, 0x02, 0x01, 0x13, 0x27};
  set(0);
  memory_.put_word(kRam + 8, kRam + 0x100);
  memory_.put_word(kRam + 0x100, 0x02010000);
  EXPECT_EQ(value(next_b), 1);
  memory_.put_word(kRam + 8, 0x60000000);
  EXPECT_EQ(error(next_b), Error::kBadAddress);
}

TEST_F(AgentExpression, ExtendsCharactersAndLongs) {
  const Code a = {0x26, 0x00, 0x02, 0x2A, 0x20, 0x17, 0x16, 0x08, 0x22, 0xFE, 0x16, 0x08, 0x13, 0x27};  // p->a == -2
  set(0);
  memory_.put_word(kRam, 0x000000FE);
  EXPECT_EQ(value(a), 1);
  const Code ll = {0x26, 0x00, 0x02, 0x2A, 0x20, 0x22, 0x10, 0x02, 0x1A, 0x16, 0x40, 0x25,  // p->ll > 5000000000
                   0x00, 0x00, 0x00, 0x01, 0x2A, 0x05, 0xF2, 0x00, 0x2B, 0x14, 0x27};
  memory_.put_word(kRam + 0x10, 0x2A05F201);
  memory_.put_word(kRam + 0x14, 1);
  EXPECT_EQ(value(ll), 1);
  memory_.put_word(kRam + 0x14, 0xFFFFFFFF);
  EXPECT_EQ(value(ll), 0);
}

TEST_F(AgentExpression, TakesBitFieldsOutOfTheirWords) {
  const Code f = {0x24, 0x28, 0x20, 0x00, 0x00, 0x22, 0x0C, 0x02, 0x17,  // gs.f == 3
                  0x2A, 0x03, 0x22, 0x03, 0x2A, 0x20, 0x13, 0x27};
  const Code g = {0x24, 0x28, 0x20, 0x00, 0x00, 0x22, 0x0C, 0x02, 0x17, 0x22, 0x03,  // gs.g == -4
                  0x0B, 0x16, 0x05, 0x22, 0xFC, 0x16, 0x08, 0x13, 0x27};
  memory_.put_word(kRam + 0xC, 0xE0 | 3);
  EXPECT_EQ(value(f), 1);
  EXPECT_EQ(value(g), 1);
}

TEST_F(AgentExpression, FindsALocalOnTheStack) {
  const Code local = {0x26, 0x00, 0x0D, 0x22, 0xEC, 0x16, 0x08, 0x02,  // local > 4, at sp - 20
                      0x19, 0x16, 0x20, 0x22, 0x04, 0x2B, 0x14, 0x27};
  context_.sp() = kRam + 0x100;
  memory_.put_word(kRam + 0x100 - 20, 5);
  EXPECT_EQ(value(local), 1);
  memory_.put_word(kRam + 0x100 - 20, 0xFFFFFFFB);
  EXPECT_EQ(value(local), 0);
}

TEST_F(AgentExpression, NamesADivisionByZero) {
  const Code code = {0x26, 0x00, 0x01, 0x26, 0x00, 0x00, 0x16, 0x20, 0x26, 0x00, 0x00, 0x16, 0x20,  // m / (n - n)
                     0x03, 0x16, 0x20, 0x05, 0x16, 0x20, 0x27};
  EXPECT_EQ(error(code), Error::kDivisionByZero);
  for (const std::uint8_t opcode : Code{0x05, 0x06, 0x07, 0x08}) {
    EXPECT_EQ(error({0x22, 1, 0x22, 0, opcode, 0x27}), Error::kDivisionByZero);
  }
}

TEST_F(AgentExpression, WrapsWhereASignedDivisionDoesNotFit) {
  const Code divide = {0x25, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x22, 0xFF, 0x16, 0x08, 0x05, 0x27};
  EXPECT_EQ(value(divide), std::numeric_limits<std::int64_t>::min());
  Code remainder = divide;
  remainder[13] = 0x07;
  EXPECT_EQ(value(remainder), 0);
}

TEST_F(AgentExpression, ReadsEveryRegisterThatAProgramHas) {
  for (std::uint8_t i = 0; i < context_.core.size(); ++i) context_.core[i] = 1000U + i;
  for (std::uint8_t i = 0; i < context_.system.size(); ++i) context_.system[i] = 2000U + i;
  EXPECT_EQ(value({0x26, 0, 15, 0x27}), 1015);  // pc
  EXPECT_EQ(value({0x26, 0, 16, 0x27}), 1016);  // xpsr
  EXPECT_EQ(value({0x26, 0, 34, 0x27}), 2000);  // msp
  EXPECT_EQ(value({0x26, 0, 41, 0x27}), 2007);  // psplim
  EXPECT_EQ(error({0x26, 0, 33, 0x27}), Error::kBadRegister);
  EXPECT_EQ(error({0x26, 0, 17, 0x27}), Error::kBadRegister);
  context_.has_fp = true;
  context_.fp.back() = 7;
  context_.fp[2] = 0x11111111;
  context_.fp[3] = 0x22222222;
  EXPECT_EQ(value({0x26, 0, 33, 0x27}), 7);                   // fpscr
  EXPECT_EQ(value({0x26, 0, 18, 0x27}), 0x2222222211111111);  // d1
  EXPECT_EQ(error({0x26, 0, 42, 0x27}), Error::kBadRegister);
  EXPECT_EQ(error({0x26, 1, 0, 0x27}), Error::kBadRegister);
}

TEST_F(AgentExpression, MovesTheStackAbout) {
  EXPECT_EQ(value({0x22, 1, 0x22, 2, 0x22, 3, 0x33, 0x27}), 2);              // 1 2 3 rot: 3 1 2
  EXPECT_EQ(value({0x22, 1, 0x22, 2, 0x22, 3, 0x33, 0x29, 0x27}), 1);        // and below
  EXPECT_EQ(value({0x22, 1, 0x22, 2, 0x22, 3, 0x33, 0x29, 0x29, 0x27}), 3);  // and at the bottom
  EXPECT_EQ(value({0x22, 7, 0x22, 8, 0x32, 1, 0x27}), 7);                    // pick
  EXPECT_EQ(value({0x22, 7, 0x28, 0x04, 0x27}), 49);                         // dup
  EXPECT_EQ(value({0x22, 7, 0x22, 5, 0x2B, 0x03, 0x27}), -2);                // swap: 5 - 7
}

TEST_F(AgentExpression, RefusesWhatMakesNoSense) {
  EXPECT_EQ(error({}), Error::kTruncated);
  EXPECT_EQ(error({0x22}), Error::kTruncated);
  EXPECT_EQ(error({0x24, 1, 2, 3}), Error::kTruncated);
  EXPECT_EQ(error({0x22, 1}), Error::kTruncated);
  EXPECT_EQ(error({0x21, 0, 3}), Error::kBadJump);
  EXPECT_EQ(error({0x22, 1, 0x20, 0xFF, 0xFF}), Error::kBadJump);
  EXPECT_EQ(error({0x22, 1, 0x16, 0, 0x27}), Error::kBadOperand);
  for (const std::uint8_t opcode : Code{0x00, 0x01, 0x0C, 0x1B, 0x2C, 0x2E, 0x31, 0x35, 0xFF}) {
    EXPECT_EQ(error({opcode, 0, 0, 0x27}), Error::kUnknownOpcode) << int{opcode};
  }
}

TEST_F(AgentExpression, NeverReadsBelowItsStackOrAboveIt) {
  for (const std::uint8_t opcode :
       Code{0x02, 0x05, 0x09, 0x0E, 0x0F, 0x12, 0x13, 0x16, 0x17, 0x20, 0x28, 0x29, 0x2B, 0x32, 0x33, 0x34}) {
    EXPECT_EQ(error({opcode, 1, 0, 1, 0, 0x27}), Error::kStackUnderflow) << int{opcode};
  }
  Code deep;
  for (std::size_t i = 0; i < kExpressionStack; ++i) deep.insert(deep.end(), {0x22, 1});
  deep.push_back(0x27);
  EXPECT_EQ(value(deep), 1);
  deep.insert(deep.begin(), {0x22, 1});
  EXPECT_EQ(error(deep), Error::kStackOverflow);
}

TEST_F(AgentExpression, EndsALoop) { EXPECT_EQ(error({0x21, 0, 0}), Error::kTooManySteps); }

TEST_F(AgentExpression, SaysThatNothingWasLeft) {
  EXPECT_FALSE(run({0x27}).has_value);
  EXPECT_EQ(error({0x27}), Error::kNone);
}

// A tree of operations, its code as GDB makes it, and its value as C has it: both must be the same.
class RandomTree {
 public:
  explicit RandomTree(std::mt19937& random) : random_(random) {}

  // Appends code that pushes a value; returns the value, or none if it cannot be computed.
  std::optional<std::uint64_t> make(Code& code, int depth) {
    if (depth == 0 || below(5) == 0) return leaf(code);
    if (below(4) == 0) return unary(code, depth);
    return binary(code, depth);
  }

 private:
  std::uint32_t below(std::uint32_t limit) {
    return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random_);
  }

  std::uint64_t leaf(Code& code) {
    static constexpr std::uint64_t kValues[] = {0, 1, 2, 31, 63, 64, 0x7F, 0x80, 0xFFFFFFFF, 1ULL << 63, ~0ULL};
    const std::uint64_t value = below(2) == 0 ? kValues[below(std::size(kValues))] : random_();
    code.push_back(0x25);
    for (int shift = 56; shift >= 0; shift -= 8) code.push_back(static_cast<std::uint8_t>(value >> shift));
    return value;
  }

  std::optional<std::uint64_t> unary(Code& code, int depth) {
    const auto a = make(code, depth - 1);
    const std::uint8_t bits = static_cast<std::uint8_t>(1 + below(64));
    const std::uint64_t mask = bits == 64 ? ~0ULL : (1ULL << bits) - 1;
    switch (below(4)) {
      case 0:
        code.push_back(0x0E);
        return a ? std::optional<std::uint64_t>(*a == 0) : a;
      case 1:
        code.push_back(0x12);
        return a ? std::optional<std::uint64_t>(~*a) : a;
      case 2:
        code.insert(code.end(), {0x2A, bits});
        return a ? std::optional<std::uint64_t>(*a & mask) : a;
      default:
        code.insert(code.end(), {0x16, bits});
        if (!a) return a;
        return (*a >> (bits - 1) & 1) != 0 ? *a | ~mask : *a & mask;
    }
  }

  std::optional<std::uint64_t> binary(Code& code, int depth) {
    static constexpr std::uint8_t kOpcodes[] = {0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
                                                0x0A, 0x0B, 0x0F, 0x10, 0x11, 0x13, 0x14, 0x15};
    const auto a = make(code, depth - 1);
    const auto b = make(code, depth - 1);
    const std::uint8_t opcode = kOpcodes[below(std::size(kOpcodes))];
    code.push_back(opcode);
    if (!a || !b) return std::nullopt;
    return reference(opcode, *a, *b);
  }

  // In 128 bits nothing overflows but what is cut off at the end.
  static std::optional<std::uint64_t> reference(std::uint8_t opcode, std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = __int128;
    __extension__ using UnsignedWide = unsigned __int128;
    const Wide sa = static_cast<std::int64_t>(a), sb = static_cast<std::int64_t>(b);
    const std::uint64_t count = std::min<std::uint64_t>(b, 64);
    if (opcode >= 0x05 && opcode <= 0x08 && b == 0) return std::nullopt;
    switch (opcode) {
      case 0x02:
        return static_cast<std::uint64_t>(sa + sb);
      case 0x03:
        return static_cast<std::uint64_t>(sa - sb);
      case 0x04:
        return static_cast<std::uint64_t>(UnsignedWide{a} * b);
      case 0x05:
        return static_cast<std::uint64_t>(sa / sb);
      case 0x06:
        return a / b;
      case 0x07:
        return static_cast<std::uint64_t>(sa % sb);
      case 0x08:
        return a % b;
      case 0x09:
        return static_cast<std::uint64_t>(UnsignedWide{a} << count);
      case 0x0A:
        return static_cast<std::uint64_t>(sa >> count);
      case 0x0B:
        return static_cast<std::uint64_t>(UnsignedWide{a} >> count);
      case 0x0F:
        return a & b;
      case 0x10:
        return a | b;
      case 0x11:
        return a ^ b;
      case 0x13:
        return a == b;
      case 0x14:
        return sa < sb;
      default:
        return a < b;
    }
  }

  std::mt19937& random_;
};

TEST_F(AgentExpression, ComputesWhatCComputes) {
  std::mt19937 random(20260801);
  int computed = 0;
  for (int i = 0; i < 20'000; ++i) {
    Code code;
    const auto expected = RandomTree(random).make(code, 4);
    code.push_back(0x27);
    const ExpressionResult result = run(code);
    if (!expected) {
      ASSERT_EQ(result.error, Error::kDivisionByZero);
      continue;
    }
    ASSERT_EQ(result.error, Error::kNone) << describe(result.error);
    ASSERT_EQ(static_cast<std::uint64_t>(result.value), *expected) << testing::PrintToString(code);
    ++computed;
  }
  EXPECT_GT(computed, 10'000);
}

class AgentPrintf : public testing::Test {
 protected:
  std::string printed() {
    std::string text;
    for (auto part = console_.front(); !part.empty(); part = console_.front()) {
      text.append(part.data(), part.size());
      console_.take(part.size());
    }
    return text;
  }

  // What printf prints, or the error's sentence.
  std::string print(std::string_view format, std::initializer_list<std::uint64_t> arguments = {}) {
    console_.forget();
    console_.begin();
    const Error error = print_formatted({reinterpret_cast<const std::uint8_t*>(format.data()), format.size()},
                                        {arguments.begin(), arguments.size()}, memory_, console_);
    if (error != Error::kNone) return describe(error);
    console_.end();
    return printed();
  }
  // Compares with the C library's, whose int, long and pointer sizes differ: only what is the same in both is asked.
  template <class T>
  void expect_as_c(const char* format, T value) {
    std::array<char, 256> expected{};
    ASSERT_GT(std::snprintf(expected.data(), expected.size(), format, value), -1);
    EXPECT_EQ(print(format, {static_cast<std::uint64_t>(value)}), expected.data()) << format << " of " << value;
  }

  test::FakeMemory memory_;
  ConsoleText console_;
};

TEST_F(AgentPrintf, PrintsNumbersAsTheCLibraryDoes) {
  for (const int value : {0, 1, -1, 42, -42, 2147483647, -2147483647 - 1}) {
    for (const char* format : {"%d", "%5d", "%-5d|", "%05d", "%+d", "% d", "%.4d", "%8.3d", "%-8.3d|", "%i", "%.0d"}) {
      expect_as_c(format, value);
    }
    for (const char* format : {"%u", "%x", "%X", "%o", "%#x", "%#X", "%#o", "%08x", "%#010x", "%#.3o"}) {
      expect_as_c(format, static_cast<unsigned>(value));
    }
    expect_as_c("%hhd", value);
    expect_as_c("%hd", value);
    expect_as_c("%lld", 1'000'000'007LL * value);
    expect_as_c("%llx", static_cast<unsigned long long>(value));
  }
  EXPECT_EQ(print("%ld", {0x1FFFFFFFFULL}), "-1");  // long has 32 bits here
  EXPECT_EQ(print("%p", {0x28200004}), "0x28200004");
}

TEST_F(AgentPrintf, PrintsStringsOfTheApplication) {
  memory_.write(kRam, std::array<std::uint8_t, 8>{'m', 'o', 't', 'o', 'r', ' ', '7', 0});
  EXPECT_EQ(print("[%s]", {kRam}), "[motor 7]");
  EXPECT_EQ(print("[%9s]", {kRam}), "[  motor 7]");
  EXPECT_EQ(print("[%-9s]", {kRam}), "[motor 7  ]");
  EXPECT_EQ(print("[%.5s]", {kRam}), "[motor]");
  EXPECT_EQ(print("%s", {0}), "(null)");
  EXPECT_EQ(print("%s", {0x60000000}), describe(Error::kBadAddress));
  memory_.write(kRam, std::vector<std::uint8_t>(300, 'a'));
  EXPECT_EQ(print("%s", {kRam}), std::string(kLongestString, 'a'));
}

TEST_F(AgentPrintf, PrintsTheLastStringOfTheMemory) {
  memory_.write(kRam + test::kSize - 3, std::array<std::uint8_t, 3>{'o', 'k', 0});
  EXPECT_EQ(print("%s", {kRam + test::kSize - 3}), "ok");
}

TEST_F(AgentPrintf, MixesTextAndSeveralConversions) {
  EXPECT_EQ(print("100%% n=%d c=%c x=%#x\n", {3, 'q', 255}), "100% n=3 c=q x=0xff\n");
}

// GDB sends the format as it was typed.
TEST_F(AgentPrintf, ResolvesEscapes) { EXPECT_EQ(print(R"(a\tb\n\\ \"%d\" \101\60)", {7}), "a\tb\n\\ \"7\" A0"); }

TEST_F(AgentPrintf, RefusesWhatItDoesNotKnow) {
  for (const auto* format : {"\\", "\\q", "%f", "%n", "%ls", "%", "%5", "%.", "%ll", "%999d", "%*d", "%d %d"}) {
    EXPECT_EQ(print(format, {1}), describe(Error::kBadFormat)) << format;
  }
}

// dprintf f,"n=%d m=%u\n",n,m as GDB 13.1 makes it.
TEST_F(AgentExpression, PrintsAsGdbAsks) {
  const std::string_view format("n=%d m=%u\\n\0", 12);
  Code code = {0x26, 0x00, 0x01, 0x2A, 0x20, 0x26, 0x00, 0x00, 0x16,
               0x20, 0x22, 0x00, 0x22, 0x00, 0x34, 0x02, 0x00, static_cast<std::uint8_t>(format.size())};
  code.insert(code.end(), format.begin(), format.end());
  code.push_back(0x27);
  set(0xFFFFFFFE, 7);
  EXPECT_EQ(error(code), Error::kNone);
  console_.end();
  const auto text = console_.front();
  EXPECT_EQ(std::string(text.begin(), text.end()), "n=-2 m=7\n");
  code[17] = 200;
  EXPECT_EQ(error(code), Error::kTruncated);
  code[17] = 11;  // the terminating zero is left out
  EXPECT_EQ(error(code), Error::kBadFormat);
}

}  // namespace
}  // namespace mv::debug
