// The memory of a DfuSe device: what the name of an alternate setting says of it.
//
//   @Internal Flash   /0x08000000/256*08Kg
//   @Option Bytes   /0x40022040/01*64 e
//
// A name, then areas: an address and runs of equal sectors, `count*size`, a unit (blank: bytes; K, M) and a letter
// whose bits 0-2 say readable, erasable, writable ('a' to 'g'). Source: UM0424 (ST's DFU demonstration),
// section 10.3.2; DfuSe files and devices are described in UM0391.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace mv::usb {

// Equal sectors one after the other.
struct SectorRun {
  std::uint32_t address = 0;
  std::uint32_t count = 0;        // 1 to 65536
  std::uint32_t sector_size = 0;  // bytes; count * sector_size stays within 32 bits of address
  bool readable = false;
  bool erasable = false;
  bool writable = false;

  std::uint64_t size() const { return std::uint64_t{count} * sector_size; }
  std::uint64_t end() const { return address + size(); }
};

// Exists only if the whole text was understood.
class MemoryLayout {
 public:
  // The error is a sentence that says what is wrong and where.
  static tl::expected<MemoryLayout, std::string> parse(std::string_view text);

  const std::string& name() const { return name_; }  // "Internal Flash"
  const std::vector<SectorRun>& runs() const { return runs_; }

  // The run that holds `length` bytes from `address` on, or nullptr. Runs that follow each other are not joined.
  const SectorRun* find(std::uint64_t address, std::uint64_t length) const;

  std::uint64_t size() const;  // bytes in all

 private:
  std::string name_;
  std::vector<SectorRun> runs_;
};

}  // namespace mv::usb
