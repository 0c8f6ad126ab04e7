#include "bundle/layers.h"

#include <algorithm>
#include <map>

namespace mv::bundle {
namespace {

// Content by the start of its window within the area.
using Windows = std::map<std::uint32_t, std::vector<std::uint8_t>>;

bool in_ram(const Board& board, std::uint64_t address) {
  return address >= board.ram_start && address < std::uint64_t{board.ram_start} + board.ram_size;
}

tl::unexpected<Error> outside(const Section& section, const Board& board) {
  for (const Area& area : board.areas) {
    const std::uint64_t area_end = std::uint64_t{area.start} + area.size;
    if (section.address >= area.start && section.address < area_end) {
      return refuse(ErrorKind::kTooBig,
                    section.name + " (load address " + hex_address(section.address) + ") reaches " +
                        std::to_string(section.end() - area_end) + " bytes past the end of area " +
                        std::string(area.name) + " of board " + std::string(board.name) + " (" +
                        std::to_string(area.size) + " bytes)",
                    "make the application smaller: -Os, -Wl,--gc-sections");
    }
  }
  std::string hint = "areas: " + board.describe_areas();
  if (in_ram(board, section.address)) {
    hint += "\nthe linker script must place the initial values of " + section.name + " in flash (AT> FLASH)";
  } else {
    hint += "\nlink for this board, or name the right one with --board (" + board_names() + ")";
  }
  return refuse(ErrorKind::kOutsideArea,
                section.name + " (load address " + hex_address(section.address) + ") is not inside an area of board " +
                    std::string(board.name),
                hint);
}

// Copies a section's bytes into the windows that they fall into.
void place(const Section& section, const Area& area, std::uint32_t window_size, Windows& windows) {
  std::uint32_t offset = section.address - area.start;
  Bytes rest = section.content;
  while (!rest.empty()) {
    const std::uint32_t start = offset / window_size * window_size;
    const std::size_t piece = std::min<std::size_t>(rest.size(), start + window_size - offset);
    auto& content = windows[start];
    const std::size_t at = offset - start;
    content.resize(std::max(content.size(), at + piece), 0xFF);
    std::copy_n(rest.begin(), piece, content.begin() + static_cast<std::ptrdiff_t>(at));
    rest = rest.subspan(piece);
    offset += static_cast<std::uint32_t>(piece);
  }
}

Windows cut(const Image& image, const Area& area, std::uint32_t window_size) {
  Windows windows;
  for (const Section& section : image.sections()) {
    if (area.holds(section.address, section.content.size())) place(section, area, window_size, windows);
  }
  return windows;
}

Layer describe_layer(AreaKind area, std::uint32_t start, Bytes content) {
  Layer layer;
  const auto used = static_cast<std::uint32_t>(content.size());
  layer.region = {area, start, (used + kPageSize - 1) / kPageSize * kPageSize};
  layer.fetch_hash = sha256(content);
  Hasher measured;
  measured.add(content);
  measured.add_padding(layer.region.size - used);
  layer.measurement_hash = measured.finish();
  layer.segment_size = kSegmentSize;
  layer.content_size = used;
  for (Bytes rest = content; !rest.empty();) {
    const Bytes segment = rest.first(std::min<std::size_t>(rest.size(), kSegmentSize));
    layer.segment_hashes.push_back(sha256(segment));
    rest = rest.subspan(segment.size());
  }
  return layer;
}

std::vector<LayerContent> layers_of(const Image& image, const Board& board, std::uint32_t window_size) {
  std::vector<LayerContent> layers;
  for (const Area& area : board.areas) {
    for (auto& [start, content] : cut(image, area, window_size)) {
      Layer layer = describe_layer(area.kind, start, content);
      layers.push_back({std::move(layer), std::move(content)});
    }
  }
  return layers;
}

}  // namespace

Expected<void> check_vector_table(const Image& image, const Board& board) {
  const Area& flash = board.internal_flash();
  const auto stack = image.word_at(flash.start);
  const auto reset = image.word_at(std::uint64_t{flash.start} + 4);
  const std::string where = hex_address(flash.start) + ", the start of flash of board " + std::string(board.name);
  if (!stack || !reset) {
    return refuse(ErrorKind::kBadInput, "there is no vector table at " + where,
                  "the linker script must place the vector table there, first of all");
  }
  const std::uint64_t ram_end = std::uint64_t{board.ram_start} + board.ram_size;
  if (*stack <= board.ram_start || *stack > ram_end || *stack % 8 != 0) {
    return refuse(ErrorKind::kBadInput,
                  "the vector table at " + where + " has the initial stack pointer " + hex_address(*stack) +
                      ", which is not in RAM (" + hex_address(board.ram_start) + " to " + hex_address(ram_end) +
                      ", multiple of 8)",
                  "is it really a vector table? its first word must be the end of the stack");
  }
  if ((*reset & 1) == 0 || !image.holds(*reset & ~1U)) {
    return refuse(ErrorKind::kBadInput,
                  "the vector table at " + where + " has the reset vector " + hex_address(*reset) +
                      ((*reset & 1) == 0 ? ", which is not Thumb code (bit 0 is clear)"
                                         : ", which does not point into the image"),
                  "its second word must be the address of the reset handler, with bit 0 set");
  }
  return {};
}

Expected<std::vector<LayerContent>> make_layers(const Image& image, const Board& board) {
  for (const Section& section : image.sections()) {
    if (board.area_of(section.address, section.content.size()) == nullptr) return outside(section, board);
  }
  if (auto checked = check_vector_table(image, board); !checked) return tl::unexpected(checked.error());
  std::uint32_t window_size = kLayerSize;
  auto layers = layers_of(image, board, window_size);
  while (layers.size() > kDeviceLayers) layers = layers_of(image, board, window_size *= 2);
  return layers;
}

}  // namespace mv::bundle
