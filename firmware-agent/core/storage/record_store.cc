#include "core/storage/record_store.h"

#include <algorithm>

#include "core/storage/crc32.h"
#include "core/storage/little_endian.h"

namespace mv::storage {
namespace {

constexpr std::uint8_t kPageKind = 0xA5;
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kChecked = 12;  // bytes of a header that its own CRC covers

constexpr std::uint32_t in_quad_words(std::size_t bytes) {
  return static_cast<std::uint32_t>((bytes + kQuadWord - 1) / kQuadWord * kQuadWord);
}

std::array<std::uint8_t, kQuadWord> make_header(std::uint8_t kind, std::uint32_t number,
                                                std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, kQuadWord> header{};
  header[0] = kind;
  header[1] = kVersion;
  header[2] = static_cast<std::uint8_t>(bytes.size());
  header[3] = static_cast<std::uint8_t>(bytes.size() >> 8U);
  store_u32(std::span(header).subspan<4, 4>(), number);
  store_u32(std::span(header).subspan<8, 4>(), crc32(bytes));
  store_u32(std::span(header).subspan<12, 4>(), crc32(std::span(header).first(kChecked)));
  return header;
}

std::uint32_t number_of(std::span<const std::uint8_t, kQuadWord> header) { return load_u32(header.subspan<4, 4>()); }

std::uint16_t size_of(std::span<const std::uint8_t, kQuadWord> header) {
  return static_cast<std::uint16_t>(header[2] | (header[3] << 8U));
}

}  // namespace

void RecordStore::mount() {
  std::ranges::fill(newest_, Entry{});
  page_ = 0;
  sequence_ = 0;
  for (std::uint32_t page = 0; page < pages(); ++page) {
    const auto header = header_at(page_offset(page));
    if (!header || (*header)[0] != kPageKind || number_of(*header) <= sequence_) continue;
    sequence_ = number_of(*header);
    page_ = page;
  }
  if (sequence_ != 0) scan(page_);
}

// A quad-word whose own CRC is right; none if it is erased, torn or something else.
std::optional<RecordStore::QuadWord> RecordStore::header_at(std::uint32_t offset) {
  QuadWord quad_word;
  if (flash_.read(offset, quad_word) != Flash::Result::kOk) return std::nullopt;
  const bool valid = quad_word[1] == kVersion && size_of(quad_word) <= kMaxBytes &&
                     load_u32(std::span(quad_word).subspan<12, 4>()) == crc32(std::span(quad_word).first(kChecked));
  return valid ? std::optional(quad_word) : std::nullopt;
}

// Notes every valid record of the page and the first quad-word behind them that was never programmed. A torn quad-word
// is stepped over: the flash takes no second write to it.
void RecordStore::scan(std::uint32_t page) {
  const std::uint32_t end = page_offset(page) + kPage;
  next_ = page_offset(page) + kQuadWord;
  for (std::uint32_t offset = next_; offset < end;) {
    const auto header = header_at(offset);
    if (!header) {
      QuadWord raw;
      const bool erased = flash_.read(offset, raw) == Flash::Result::kOk &&
                          std::ranges::all_of(raw, [](std::uint8_t byte) { return byte == 0xFF; });
      offset += kQuadWord;
      if (!erased) next_ = offset;
      continue;
    }
    if ((*header)[0] < newest_.size() && payload_valid(offset, *header)) {
      newest_[(*header)[0]] = {offset, number_of(*header), size_of(*header)};
    }
    offset += kQuadWord + in_quad_words(size_of(*header));
    next_ = offset;
  }
}

bool RecordStore::payload_valid(std::uint32_t offset, const QuadWord& header) {
  std::uint32_t crc = 0;
  QuadWord piece;
  const std::size_t size = size_of(header);
  const std::uint32_t page_end = (offset / kPage + 1) * kPage;
  if (offset + kQuadWord + in_quad_words(size) > page_end) return false;
  for (std::size_t done = 0; done < size; done += piece.size()) {
    const std::uint32_t at = offset + static_cast<std::uint32_t>(kQuadWord + done);
    if (flash_.read(at, piece) != Flash::Result::kOk) return false;
    crc = crc32(std::span(piece).first(std::min(piece.size(), size - done)), crc);
  }
  return crc == load_u32(std::span(header).subspan<8, 4>());
}

std::optional<RecordStore::Record> RecordStore::find(std::uint8_t kind) const {
  if (kind >= newest_.size() || newest_[kind].offset == 0) return std::nullopt;
  return Record{newest_[kind].number, newest_[kind].size};
}

std::size_t RecordStore::read(std::uint8_t kind, std::span<std::uint8_t> out) {
  const auto record = find(kind);
  if (!record || record->size > out.size()) return 0;
  const auto to = out.first(record->size);
  return flash_.read(newest_[kind].offset + kQuadWord, to) == Flash::Result::kOk ? to.size() : 0;
}

bool RecordStore::put(std::uint8_t kind, std::uint32_t number, std::span<const std::uint8_t> bytes) {
  if (kind >= newest_.size() || bytes.size() > kMaxBytes) return false;
  while (sequence_ != 0 && has_room(bytes.size())) {
    if (append(kind, number, bytes)) return true;
  }
  if (write_on_new_page(kind, number, bytes)) return true;
  mount();  // whatever was begun, what counts is what the flash holds
  return false;
}

bool RecordStore::has_room(std::size_t size) const {
  return next_ + kQuadWord + in_quad_words(size) <= page_offset(page_) + kPage;
}

// False leaves `next_` further on: the place was used up by a write that power cut short, or is worn out.
bool RecordStore::append(std::uint8_t kind, std::uint32_t number, std::span<const std::uint8_t> bytes) {
  const std::uint32_t start = next_;
  next_ += kQuadWord;
  if (flash_.program(start, make_header(kind, number, bytes)) != Flash::Result::kOk) return false;
  next_ += in_quad_words(bytes.size());
  for (std::size_t done = 0; done < bytes.size(); done += kQuadWord) {
    QuadWord piece;
    piece.fill(0xFF);
    std::ranges::copy(bytes.subspan(done, std::min(piece.size(), bytes.size() - done)), piece.begin());
    const std::uint32_t at = start + static_cast<std::uint32_t>(kQuadWord + done);
    if (flash_.program(at, piece) != Flash::Result::kOk) return false;
  }
  newest_[kind] = {start, number, static_cast<std::uint16_t>(bytes.size())};
  return true;
}

// Begins the next page with the newest record of every other kind, then this one. The page counts once its header is
// written, so until then everything is as before.
bool RecordStore::write_on_new_page(std::uint8_t kind, std::uint32_t number, std::span<const std::uint8_t> bytes) {
  page_ = sequence_ == 0 ? 0 : (page_ + 1) % pages();
  ++sequence_;
  next_ = page_offset(page_) + kQuadWord;
  if (flash_.erase_page(page_offset(page_)) != Flash::Result::kOk) return false;
  for (std::uint8_t other = 0; other < newest_.size(); ++other) {
    const Entry from = newest_[other];
    if (other != kind && from.offset != 0 && !move(other, from)) return false;
  }
  if (!has_room(bytes.size()) || !append(kind, number, bytes)) return false;
  return flash_.program(page_offset(page_), make_header(kPageKind, sequence_, {})) == Flash::Result::kOk;
}

bool RecordStore::move(std::uint8_t kind, const Entry& from) {
  const std::uint32_t size = kQuadWord + in_quad_words(from.size);
  if (!has_room(from.size)) return false;
  for (std::uint32_t done = 0; done < size; done += kQuadWord) {
    QuadWord piece;
    if (flash_.read(from.offset + done, piece) != Flash::Result::kOk) return false;
    if (flash_.program(next_ + done, piece) != Flash::Result::kOk) return false;
  }
  newest_[kind] = {next_, from.number, from.size};
  next_ += size;
  return true;
}

}  // namespace mv::storage
