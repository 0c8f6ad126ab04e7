// Intel HEX -> image. Source: Intel, "Hexadecimal Object File Format Specification", revision A, 1988.
#include <algorithm>
#include <array>
#include <optional>

#include "bundle/board.h"
#include "bundle/image.h"

namespace mv::bundle {
namespace {

constexpr std::size_t kMostSections = 4096;

struct Record {
  std::uint16_t offset;
  std::uint8_t type;
  Bytes data;
};

tl::unexpected<Error> bad_line(std::size_t line, const std::string& what) {
  return refuse(ErrorKind::kBadInput, "line " + std::to_string(line) + " of the HEX file " + what,
                "make the file again, with objcopy -O ihex");
}

std::optional<std::uint8_t> nibble(std::uint8_t c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  return std::nullopt;
}

// Takes lines one by one; a data record that continues the last section is appended to it.
class HexReader {
 public:
  Expected<void> line(Bytes text) {
    ++line_;
    while (!text.empty() && (text.back() == '\r' || text.back() == ' ')) text = text.first(text.size() - 1);
    if (text.empty()) return {};
    if (ended_) return bad_line(line_, "comes after the end record");
    const auto record = decode(text);
    if (!record) return tl::unexpected(record.error());
    return apply(*record);
  }

  Expected<Image> finish() {
    if (!ended_)
      return refuse(ErrorKind::kBadInput, "the HEX file has no end record: it is cut short", "copy or make it again");
    return Image::from_sections(std::move(sections_), {});
  }

 private:
  Expected<Record> decode(Bytes text) {
    if (text[0] != ':') return bad_line(line_, "does not begin with ':'");
    const Bytes digits = text.subspan(1);
    if (digits.size() % 2 != 0 || digits.size() < 10 || digits.size() / 2 > bytes_.size()) {
      return bad_line(line_, "has a length that no record has");
    }
    std::uint8_t sum = 0;
    const std::size_t count = digits.size() / 2;
    for (std::size_t i = 0; i < count; ++i) {
      const auto high = nibble(digits[2 * i]);
      const auto low = nibble(digits[2 * i + 1]);
      if (!high || !low) return bad_line(line_, "holds something that is not a hexadecimal digit");
      bytes_[i] = static_cast<std::uint8_t>(*high << 4 | *low);
      sum = static_cast<std::uint8_t>(sum + bytes_[i]);
    }
    if (bytes_[0] + std::size_t{5} != count) return bad_line(line_, "is not as long as it says");
    if (sum != 0) return bad_line(line_, "has a wrong checksum");
    return Record{static_cast<std::uint16_t>(bytes_[1] << 8 | bytes_[2]), bytes_[3],
                  Bytes(bytes_).subspan(4, bytes_[0])};
  }

  Expected<void> apply(const Record& record) {
    const auto two = [&] { return static_cast<std::uint32_t>(record.data[0] << 8 | record.data[1]); };
    switch (record.type) {
      case 0:
        return add(record);
      case 1:
        ended_ = true;
        return {};
      case 2:  // extended segment address: paragraphs of 16 bytes
      case 4:  // extended linear address: the upper 16 bits
        if (record.data.size() != 2) return bad_line(line_, "is an address record of the wrong length");
        base_ = record.type == 2 ? two() << 4 : two() << 16;
        return {};
      case 3:  // start addresses mean nothing here: the vector table says where to start
      case 5:
        return {};
      default:
        return bad_line(line_, "is a record of unknown type " + std::to_string(record.type));
    }
  }

  Expected<void> add(const Record& record) {
    const std::uint64_t address = std::uint64_t{base_} + record.offset;
    if (address + record.data.size() > 0x1'0000'0000)
      return bad_line(line_, "reaches past the end of the address space");
    if (record.data.empty()) return {};
    if (sections_.empty() || sections_.back().end() != address) {
      if (sections_.size() >= kMostSections)
        return bad_line(line_, "begins one piece too many: content is too scattered");
      sections_.push_back({"line " + std::to_string(line_), static_cast<std::uint32_t>(address), {}});
    }
    auto& content = sections_.back().content;
    content.insert(content.end(), record.data.begin(), record.data.end());
    return {};
  }

  std::array<std::uint8_t, 260> bytes_{};  // length, offset, type, 255 bytes, checksum
  std::vector<Section> sections_;
  std::uint32_t base_ = 0;
  std::size_t line_ = 0;
  bool ended_ = false;
};

}  // namespace

Expected<Image> read_hex(Bytes file) {
  HexReader reader;
  while (!file.empty()) {
    const auto newline = std::find(file.begin(), file.end(), '\n');
    const auto length = static_cast<std::size_t>(newline - file.begin());
    if (auto taken = reader.line(file.first(length)); !taken) return tl::unexpected(taken.error());
    file = file.subspan(std::min(length + 1, file.size()));
  }
  return reader.finish();
}

}  // namespace mv::bundle
