// Random bytes from the chip's true random number generator (RM0456, section 48; certified to NIST SP 800-90B in the
// configuration set here, AN4230), with a health test of ours behind it.
#pragma once

#include <cstdint>
#include <span>

#include "core/platform/ports.h"

namespace mv::board {

class Random final : public Entropy {
 public:
  // False: the generator does not start. `fill` then fails for ever.
  bool set_up();

  // False: the generator's own tests, or the repetition count test over its words (SP 800-90B, 4.4.1), found it ill,
  // and a new start did not help.
  bool fill(std::span<std::uint8_t> out) override;

 private:
  bool start();
  bool next(std::uint32_t& word);

  std::uint32_t last_ = 0;
  bool ready_ = false;
};

}  // namespace mv::board
