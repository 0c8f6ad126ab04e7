#include "core/debug/breakpoints.h"

#include <algorithm>

namespace mv::debug {
namespace {

// BKPT #0. Unconditional inside an IT block too (ARM DDI 0553B, C2.4.17), little-endian.
constexpr std::array<std::uint8_t, 2> kBkpt = {0x00, 0xBE};

}  // namespace

// Patches are only bounded by the table; without, the hardware's comparators but for one that the engine needs.
std::size_t Breakpoints::capacity() const {
  const auto capabilities = unit_.capabilities();
  const std::size_t hardware = capabilities.breakpoints;
  return capabilities.patches || hardware == 0 ? kMaxUser : std::min(kMaxUser, hardware - 1);
}

std::size_t Breakpoints::used() const {
  return static_cast<std::size_t>(std::ranges::count_if(entries_, [](const Entry& entry) { return entry.user; }));
}

BreakpointError Breakpoints::insert(std::uint32_t address) {
  if (is_user(address)) return BreakpointError::kNone;
  if ((address & 1U) != 0 || !memory_.is_code(address)) return BreakpointError::kBadAddress;
  Entry* entry = used() < capacity() ? find_or_add(address) : nullptr;
  if (entry == nullptr) return BreakpointError::kNoneFree;
  entry->user = true;
  entry->lifted = false;
  if (update(*entry)) return BreakpointError::kNone;
  entry->user = false;
  return BreakpointError::kBadAddress;
}

void Breakpoints::remove(std::uint32_t address) {
  programs_.remove(address);
  Entry* entry = find(address);
  if (entry == nullptr) return;
  entry->user = false;
  update(*entry);
}

void Breakpoints::remove_all() {
  programs_.clear();
  for (Entry& entry : entries_) {
    entry.user = false;
    entry.stop = false;
    update(entry);
  }
}

bool Breakpoints::is_user(std::uint32_t address) const {
  const Entry* entry = find(address);
  return entry != nullptr && entry->user;
}

bool Breakpoints::is_stop(std::uint32_t address) const {
  const Entry* entry = find(address);
  return entry != nullptr && entry->stop;
}

bool Breakpoints::put_stop(std::uint32_t address) {
  Entry* entry = find_or_add(address);
  if (entry == nullptr) return false;
  entry->stop = true;
  if (update(*entry)) return true;
  entry->stop = false;
  return false;
}

void Breakpoints::lift(std::uint32_t address) {
  Entry* entry = find(address);
  if (entry == nullptr) return;
  entry->lifted = true;
  update(*entry);
}

void Breakpoints::settle() {
  for (Entry& entry : entries_) {
    entry.stop = false;
    entry.lifted = false;
    update(entry);
  }
}

void Breakpoints::image_replaced() {
  for (Entry& entry : entries_) {
    if (entry.placed && entry.hardware) unit_.remove_breakpoint(entry.address);
    entry.placed = false;
    entry.stop = false;
    entry.lifted = false;
  }
}

void Breakpoints::replace() {
  for (Entry& entry : entries_) update(entry);
}

void Breakpoints::mask(std::uint32_t address, std::span<std::uint8_t> bytes) const {
  for (const Entry& entry : entries_) {
    if (!entry.placed || entry.hardware || !overlaps(entry, address, bytes.size())) continue;
    for (std::uint32_t i = 0; i < kPatchSize; ++i) {
      const std::uint32_t offset = entry.address + i - address;  // wraps to a big number before the range
      if (offset < bytes.size()) bytes[offset] = entry.original[i];
    }
  }
}

void Breakpoints::open(std::uint32_t address, std::size_t size) {
  for (Entry& entry : entries_) {
    if (entry.placed && overlaps(entry, address, size)) take_out(entry);
  }
}

void Breakpoints::close(std::uint32_t address, std::size_t size) {
  for (Entry& entry : entries_) {
    if (overlaps(entry, address, size)) update(entry);
  }
}

Breakpoints::Entry* Breakpoints::find(std::uint32_t address) {
  const auto found = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return (entry.user || entry.stop) && entry.address == address; });
  return found == entries_.end() ? nullptr : &*found;
}

const Breakpoints::Entry* Breakpoints::find(std::uint32_t address) const {
  return const_cast<Breakpoints*>(this)->find(address);
}

Breakpoints::Entry* Breakpoints::find_or_add(std::uint32_t address) {
  if (Entry* entry = find(address)) return entry;
  const auto found =
      std::ranges::find_if(entries_, [](const Entry& entry) { return !entry.user && !entry.stop && !entry.placed; });
  if (found == entries_.end()) return nullptr;
  *found = Entry{};
  found->address = address;
  return &*found;
}

// Brings the memory, or the hardware, in line with what is wanted. False if that failed.
bool Breakpoints::update(Entry& entry) {
  const bool wanted = (entry.user && !entry.lifted) || entry.stop;
  if (wanted && !entry.placed) return place(entry);
  if (!wanted && entry.placed) take_out(entry);
  return true;
}

bool Breakpoints::place(Entry& entry) {
  entry.hardware = unit_.insert_breakpoint(entry.address);
  if (!entry.hardware && (!memory_.read(entry.address, entry.original) || !memory_.patch_code(entry.address, kBkpt))) {
    return false;
  }
  entry.placed = true;
  ++changes_;
  return true;
}

void Breakpoints::take_out(Entry& entry) {
  if (entry.hardware) {
    unit_.remove_breakpoint(entry.address);
  } else {
    memory_.patch_code(entry.address, entry.original);
  }
  entry.placed = false;
  ++changes_;
}

bool Breakpoints::overlaps(const Entry& entry, std::uint32_t address, std::size_t size) {
  return entry.address - address < size || address - entry.address < kPatchSize;  // differences wrap on purpose
}

// A step that comes between reading and masking is seen by its change; a peripheral, which holds no patch, is read
// once.
bool MaskedMemory::read(std::uint32_t address, std::span<std::uint8_t> out) {
  for (;;) {
    const std::uint32_t before = breakpoints_.changes();
    if (!memory_.read(address, out)) return false;
    breakpoints_.mask(address, out);
    if (before == breakpoints_.changes() || !memory_.is_code(address)) return true;
  }
}

bool MaskedMemory::write(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  breakpoints_.open(address, bytes.size());
  const bool written = memory_.write(address, bytes);
  breakpoints_.close(address, bytes.size());
  return written;
}

bool MaskedMemory::patch_code(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  breakpoints_.open(address, bytes.size());
  const bool written = memory_.patch_code(address, bytes);
  breakpoints_.close(address, bytes.size());
  return written;
}

}  // namespace mv::debug
