// Small facts kept in flash over power cuts: the newest record of each kind, in an area of two pages or more.
//
// A record of no more than a number is one quad-word, so writing it is the one step that makes it true: the switch of
// an update is such a record. A record with bytes is valid once its last quad-word is. Records are appended; a full
// page is left for the next one, which first receives the newest record of every kind and last its header. A cut at any
// moment, inside an operation too, leaves either the record before or the new one.
//
// Layout of a quad-word that begins a record: kind u8, version u8, bytes u16, number u32, CRC-32 of the bytes u32,
// CRC-32 of these twelve u32; the bytes follow in whole quad-words, padded with 0xFF. All little-endian. Page header:
// the same with kind 0xA5 and the page's sequence as number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/platform/flash_map.h"
#include "core/platform/ports.h"
#include "core/storage/flash_units.h"

namespace mv::storage {

class RecordStore {
 public:
  static constexpr std::size_t kMaxBytes = 1968;  // of one record

  struct Record {
    std::uint32_t number;
    std::uint16_t size;  // bytes that `read` gives
  };

  RecordStore(const RecordStore&) = delete;
  RecordStore& operator=(const RecordStore&) = delete;

  // Finds the newest records. Once before any other call. Reads only; never fails: what is damaged is as if not there.
  void mount();

  std::optional<Record> find(std::uint8_t kind) const;

  // Bytes of the newest record of that kind; 0 if there is none, if it does not fit, or if it cannot be read.
  std::size_t read(std::uint8_t kind, std::span<std::uint8_t> out);

  // Writes the newest record of `kind`. On false nothing has changed: the record before stands.
  bool put(std::uint8_t kind, std::uint32_t number, std::span<const std::uint8_t> bytes = {});

 protected:
  struct Entry {
    std::uint32_t offset = 0;  // in flash; 0: no such record (no area of records begins at 0)
    std::uint32_t number = 0;
    std::uint16_t size = 0;
  };

  RecordStore(Flash& flash, flash_map::Area area, std::span<Entry> newest)
      : flash_(flash), area_(area), newest_(newest) {}
  ~RecordStore() = default;

 private:
  using QuadWord = std::array<std::uint8_t, kQuadWord>;

  std::uint32_t pages() const { return area_.size / kPage; }
  std::uint32_t page_offset(std::uint32_t page) const { return area_.offset + page * kPage; }
  std::optional<QuadWord> header_at(std::uint32_t offset);
  void scan(std::uint32_t page);
  bool payload_valid(std::uint32_t offset, const QuadWord& header);
  bool has_room(std::size_t size) const;
  bool append(std::uint8_t kind, std::uint32_t number, std::span<const std::uint8_t> bytes);
  bool write_on_new_page(std::uint8_t kind, std::uint32_t number, std::span<const std::uint8_t> bytes);
  bool move(std::uint8_t kind, const Entry& from);

  Flash& flash_;
  flash_map::Area area_;
  std::span<Entry> newest_;     // one each kind
  std::uint32_t page_ = 0;      // where records are appended
  std::uint32_t sequence_ = 0;  // of that page; 0: no page is valid yet
  std::uint32_t next_ = 0;      // offset of the next record, in flash
};

// With room for records of kinds 0 to `kKinds` - 1, at most 128: the newest of all of them must fit a page.
template <std::uint8_t kKinds>
class RecordsOf final : public RecordStore {
 public:
  static_assert(kKinds <= 128);

  // `area`: at least two pages. At most one object for each area.
  RecordsOf(Flash& flash, flash_map::Area area) : RecordStore(flash, area, entries_) {}

 private:
  std::array<Entry, kKinds> entries_{};
};

}  // namespace mv::storage
