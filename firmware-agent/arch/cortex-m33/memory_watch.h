// Watching the application's memory without comparators: the granules around it are made Secure for as long as the
// application runs, so that its accesses raise SecureFault before they are made.
//
// An address in two SAU regions is Secure, whatever the regions say (ARM DDI 0553B, B8.3): a spare region over the
// granule is all it takes. Granules are 32 bytes. While one is closed the protection controllers behind the SAU keep
// Secure code out as well, so whoever touches the application's memory on its behalf holds an `Opening`; system calls
// therefore see no difference, and what they write is not noticed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mv::arch {

class MemoryWatch {
 public:
  static constexpr std::size_t kMaxRegions = 8;

  // Spare regions of the SAU, which nobody else uses: their numbers, in a row.
  void use_regions(std::uint32_t first, std::uint32_t count);
  std::uint32_t capacity() const { return region_count_; }

  // Closes the granules of [address, address + length), and of accesses that begin up to seven bytes below. `lowest`:
  // where the application's region begins, which is not left. False if no region is spare.
  bool close(std::uint32_t address, std::uint32_t length, std::uint32_t lowest);
  void open_all();

  bool closed() const { return closed_; }

  // Whether [address, address + size) meets a granule that is closed, or was before `open_all`.
  bool covers(std::uint32_t address, std::uint32_t size) const;

  // While one lives, in any context, everything is open.
  class Opening {
   public:
    Opening();
    ~Opening();
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
  };

 private:
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };

  void apply() const;

  std::array<Range, kMaxRegions> ranges_{};
  std::uint32_t count_ = 0;
  std::uint32_t first_region_ = 0;
  std::uint32_t region_count_ = 0;
  std::uint32_t openings_ = 0;
  volatile bool closed_ = false;
};

// The one there is: system calls have no other way to find it.
extern MemoryWatch memory_watch;

}  // namespace mv::arch
