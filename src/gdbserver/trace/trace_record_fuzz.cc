// Whatever a device says that it recorded, what is taken of it is no more than it sent, can be read back where it says
// that it lies, and is shown to GDB.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "gdbserver/arm/registers.h"
#include "gdbserver/rsp/hex.h"
#include "gdbserver/trace/record.h"
#include "gdbserver/trace/stub.h"

namespace {

using mv::gdb::TraceHit;

void require(bool holds) {
  if (!holds) std::abort();
}

std::size_t check(const TraceHit& hit) {
  require(hit.number != 0);
  std::size_t taken = 0;
  for (const auto& [number, bytes] : hit.registers) {
    require(mv::gdb::arm::register_size(number) == bytes.size());
    taken += bytes.size();
  }
  for (const TraceHit::Memory& block : hit.memory) {
    taken += block.bytes.size();
    const auto length = static_cast<std::uint32_t>(block.bytes.size());
    if (block.address + std::uint64_t{length} <= UINT32_MAX)
      require(hit.read(block.address, length).size() == block.bytes.size());
  }
  return taken;
}

void show(const TraceHit& hit) {
  mv::gdb::TraceStub stub;
  stub.show(hit);
  const std::string number = mv::rsp::hex_number(hit.number);
  require(stub.answer("QTFrame:" + number) == "F" + number + "T1");
  std::size_t digits = 0;
  for (std::uint32_t i = 0; i < mv::gdb::arm::kFirstSystem; ++i) digits += 2 * *mv::gdb::arm::register_size(i);
  require(stub.answer("g").size() == digits);
  for (const TraceHit::Memory& block : hit.memory)
    require(!stub.answer("m" + mv::rsp::hex_number(block.address) + ",4").empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto hits = mv::gdb::parse_records(std::span(data, size));
  if (!hits) return 0;
  std::size_t taken = 0;
  for (const TraceHit& hit : *hits) {
    taken += check(hit);
    show(hit);
  }
  require(taken <= size);
  return 0;
}
