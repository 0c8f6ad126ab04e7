// A flash that gets the order of two things wrong, so that it can be seen that the simulator notices.
//
// Operations in one area are held back: whoever reads sees them done, but they reach the flash only after the next
// operation in another area has. Power that fails in between takes them away. It is as if the code that writes had done
// the two in the wrong order. A mutation may also lose the operations it holds, or hold only some of them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "boards/host/fake_flash.h"
#include "core/platform/flash_map.h"

namespace mv::powercut {

struct Mutation {
  std::string name;  // what is done in the wrong order, for a person
  flash_map::Area held;
  flash_map::Area until;  // an operation there lets what is held go, after it; of no size: it is held for ever
  // Which operations in `held` are held; all if there is none. No bytes: a page is erased.
  std::function<bool(std::uint32_t offset, std::span<const std::uint8_t> bytes)> which;
};

class ReorderingFlash final : public Flash {
 public:
  ReorderingFlash(host::FakeFlash& flash, const Mutation& mutation) : flash_(flash), mutation_(mutation) {}

  std::uint32_t size() const override { return flash_.size(); }
  Result read(std::uint32_t offset, std::span<std::uint8_t> out) override;
  Result erase_page(std::uint32_t offset) override;
  Result program(std::uint32_t offset, std::span<const std::uint8_t> quad_words) override;

 private:
  struct Operation {
    std::uint32_t offset;
    std::vector<std::uint8_t> bytes;  // none: erase the page
  };

  bool holds(std::uint32_t offset, std::span<const std::uint8_t> bytes) const;
  Result hold(const Operation& operation);
  Result pass(const Operation& operation);

  host::FakeFlash& flash_;
  const Mutation& mutation_;
  std::vector<Operation> held_;
  std::optional<host::FakeFlash> seen_;  // while something is held: as if it were done
};

}  // namespace mv::powercut
