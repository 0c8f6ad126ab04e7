// A flash that gets the order of two things wrong, so that it can be seen that the simulator notices.
//
// Operations in one area are held back: whoever reads sees them done, but they reach the flash only after the next
// operations in another area have. Power that fails in between takes them away. It is as if the code that writes had
// done the two in the wrong order. A mutation may also lose the operations it holds, or hold only some of them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "boards/host/fake_flash.h"
#include "core/platform/flash_map.h"

namespace mv::powercut {

// One operation, and in which phase of an update it is, as far as the journal has got.
struct Operation {
  std::uint32_t offset = 0;
  std::vector<std::uint8_t> bytes;  // none: the page is erased
  std::uint8_t phase = 0;
};

struct Mutation {
  using Which = std::function<bool(const Operation&)>;

  std::string name;  // what is done in the wrong order, for a person
  flash_map::Area held;
  Which which;            // of them; all if there is none
  flash_map::Area until;  // operations there let what is held go, after them; of no size: it is held for ever
  Which until_which;      // of them; all if there is none
  int after = 1;          // so many of them
};

class ReorderingFlash final : public Flash {
 public:
  ReorderingFlash(host::FakeFlash& flash, const Mutation& mutation) : flash_(flash), mutation_(mutation) {}

  std::uint32_t size() const override { return flash_.size(); }
  Result read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  Result erase_page(std::uint32_t offset) override;
  Result program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) override;

 private:
  Result carry_out(const Operation& operation);
  Result hold(const Operation& operation);
  Result pass(const Operation& operation);

  host::FakeFlash& flash_;
  const Mutation& mutation_;
  std::vector<Operation> held_;
  int passed_ = 0;  // operations that will let it go
  std::uint8_t phase_ = 0;
  std::optional<host::FakeFlash> seen_;  // while something is held: as if it were done
};

}  // namespace mv::powercut
