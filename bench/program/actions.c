// The program that the round-trip table debugs: one place for each action. The script finds lines by the words behind MARK.
#include <stdint.h>

struct reading {
  int32_t values[40];
  char name[32];
};  // 192 bytes

volatile uint32_t simple;
volatile uint32_t watched;
struct reading latest = {.name = "first"};
uint32_t buffer[64];

static int scaled(int value, int factor) {
  const int product = value * factor;
  return product + 1;  // MARK scaled
}

static int depth(int n) {
  if (n == 0) {
    return 1;  // MARK bottom
  }
  return n + depth(n - 1);
}

static void hit(int number) {
  latest.values[0] = number;  // MARK hit
}

static void round_of_actions(int round) {
  simple = simple + 1;                                                      // MARK simple
  simple = simple + 2;                                                      // MARK second
  int a = round * 3 + (round ^ 5) - round / 7 + (round << 2) * (round - 1);  // MARK arithmetic
  for (int i = 0; i < 64; ++i) buffer[i] = (uint32_t)(i * a);                // MARK loop
  a = scaled(a, 3);                                                         // MARK call
  a = scaled(a, 1) + scaled(a, 2) + scaled(a, 3);                           // MARK calls
  a = scaled(a, 5);                                                         // MARK into
  latest.values[1] = a;                                                     // MARK after
  for (int i = 0; i < 10; ++i) hit(i);                                      // MARK hits
  simple = simple + 3;                                                      // MARK quiet
  watched = watched + 1;                                                    // MARK watch
  latest.values[2] = depth(9);                                              // MARK depth
}

int main(void) {
  for (int round = 1;; ++round) round_of_actions(round);
}
