// Words of the application's memory, in and out: structures of mv_syscalls.h as a 32-bit application lays them out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/platform/guest.h"
#include "core/storage/little_endian.h"
#include "sdk/include/mv_syscalls.h"

namespace mv::app {

template <std::size_t kCount>
using Words = std::array<std::uint32_t, kCount>;

// False if the application may not read them.
template <std::size_t kCount>
bool copy_words(GuestMemory& memory, std::uint32_t from, Words<kCount>& words) {
  std::array<std::uint8_t, 4 * kCount> bytes;
  if (!memory.copy_in(bytes, from)) return false;
  for (std::size_t i = 0; i < kCount; ++i)
    words[i] = storage::load_u32(std::span(bytes).subspan(4 * i).template first<4>());
  return true;
}

// PARAMETERFAULT if the application may not write them.
template <std::size_t kCount>
MvStatus put_words(GuestMemory& memory, std::uint32_t to, const Words<kCount>& words) {
  std::array<std::uint8_t, 4 * kCount> bytes;
  for (std::size_t i = 0; i < kCount; ++i)
    storage::store_u32(std::span(bytes).subspan(4 * i).template first<4>(), words[i]);
  return memory.copy_out(to, bytes) ? MV_STATUS_OKAY : MV_STATUS_PARAMETERFAULT;
}

inline MvStatus put_word(GuestMemory& memory, std::uint32_t to, std::uint32_t value) {
  return put_words<1>(memory, to, {value});
}

}  // namespace mv::app
