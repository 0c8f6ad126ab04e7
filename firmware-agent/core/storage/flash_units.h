// The units of the flash in the type of flash offsets, which on the host is narrower than std::size_t.
#pragma once

#include <cstdint>

#include "core/platform/ports.h"

namespace mv::storage {

inline constexpr std::uint32_t kQuadWord = Flash::kQuadWord;
inline constexpr std::uint32_t kPage = Flash::kPage;

}  // namespace mv::storage
