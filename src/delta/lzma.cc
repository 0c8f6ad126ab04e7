#include "delta/lzma.h"

#include <lzma.h>

#include <array>

#include "wire/delta_format.h"

namespace mv::delta {

namespace {

// False if liblzma has no such preset.
bool set_options(lzma_options_lzma& options, std::size_t size) {
  if (lzma_lzma_preset(&options, 9 | LZMA_PRESET_EXTREME)) return false;
  options.dict_size = kDictionarySize;
  options.lc = kLiteralContextBits;
  options.lp = kLiteralPositionBits;
  options.pb = kPositionBits;
  options.ext_flags = 0;  // no end marker: whoever unpacks knows the size
  lzma_set_ext_size(options, size);
  return true;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> compress(std::span<const std::uint8_t> bytes) {
  lzma_options_lzma options{};
  if (!set_options(options, bytes.size())) return std::nullopt;
  const std::array<lzma_filter, 2> filters = {{{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, nullptr}}};

  std::vector<std::uint8_t> packed(bytes.size() + bytes.size() / 8 + 64);
  std::size_t size = 0;
  const lzma_ret result =
      lzma_raw_buffer_encode(filters.data(), nullptr, bytes.data(), bytes.size(), packed.data(), &size, packed.size());
  if (result != LZMA_OK) return std::nullopt;
  packed.resize(size);
  return packed;
}

std::optional<std::vector<std::uint8_t>> decompress(std::span<const std::uint8_t> packed, std::size_t size) {
  lzma_options_lzma options{};
  if (!set_options(options, size)) return std::nullopt;
  const std::array<lzma_filter, 2> filters = {{{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, nullptr}}};
  std::vector<std::uint8_t> bytes(size);
  std::size_t taken = 0, made = 0;
  const lzma_ret result = lzma_raw_buffer_decode(filters.data(), nullptr, packed.data(), &taken, packed.size(),
                                                 bytes.data(), &made, bytes.size());
  if (result != LZMA_OK || taken != packed.size() || made != size) return std::nullopt;
  return bytes;
}

}  // namespace mv::delta
