#include "bundle/image.h"

#include <gelf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bundle/layers.h"
#include "bundle/test_support.h"

namespace mv::bundle {
namespace {

using ::testing::HasSubstr;

// An ELF made byte by byte, so that every field can be wrong. Layout: header, one program header a part, contents,
// section names, section headers.
struct Part {
  std::string name;
  std::uint32_t load_address;
  std::vector<std::uint8_t> content;
  std::uint32_t type = SHT_PROGBITS;
};

class ElfFile {
 public:
  explicit ElfFile(const std::vector<Part>& parts) {
    header_.e_ident[EI_MAG0] = ELFMAG0;
    std::copy_n(ELFMAG, SELFMAG, header_.e_ident);
    header_.e_ident[EI_CLASS] = ELFCLASS32;
    header_.e_ident[EI_DATA] = ELFDATA2LSB;
    header_.e_ident[EI_VERSION] = EV_CURRENT;
    header_.e_type = ET_EXEC;
    header_.e_machine = EM_ARM;
    header_.e_version = EV_CURRENT;
    header_.e_ehsize = sizeof(Elf32_Ehdr);
    header_.e_phentsize = sizeof(Elf32_Phdr);
    header_.e_shentsize = sizeof(Elf32_Shdr);
    header_.e_phoff = sizeof(Elf32_Ehdr);
    header_.e_phnum = static_cast<Elf32_Half>(parts.size());
    sections_.push_back({});
    std::uint32_t offset = static_cast<std::uint32_t>(sizeof(Elf32_Ehdr) + parts.size() * sizeof(Elf32_Phdr));
    for (const Part& part : parts) offset = add(part, offset);
    add_names(offset);
  }

  Elf32_Ehdr& header() { return header_; }
  std::vector<Elf32_Phdr>& segments() { return segments_; }
  std::vector<Elf32_Shdr>& sections() { return sections_; }

  std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> out;
    append(out, &header_, sizeof header_);
    append(out, segments_.data(), segments_.size() * sizeof(Elf32_Phdr));
    out.insert(out.end(), content_.begin(), content_.end());
    append(out, sections_.data(), sections_.size() * sizeof(Elf32_Shdr));
    return out;
  }

 private:
  static void append(std::vector<std::uint8_t>& out, const void* data, std::size_t size) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    out.insert(out.end(), first, first + size);
  }

  std::uint32_t add(const Part& part, std::uint32_t offset) {
    const auto size = static_cast<std::uint32_t>(part.content.size());
    Elf32_Phdr segment{};
    segment.p_type = part.type == SHT_NOTE ? PT_NOTE : PT_LOAD;
    segment.p_offset = offset;
    segment.p_vaddr = segment.p_paddr = part.load_address;
    segment.p_filesz = segment.p_memsz = size;
    segments_.push_back(segment);
    Elf32_Shdr section{};
    section.sh_name = static_cast<Elf32_Word>(names_.size());
    section.sh_type = part.type;
    section.sh_flags = SHF_ALLOC;
    section.sh_addr = part.load_address;
    section.sh_offset = offset;
    section.sh_size = size;
    sections_.push_back(section);
    names_ += part.name + '\0';
    content_.insert(content_.end(), part.content.begin(), part.content.end());
    return offset + size;
  }

  void add_names(std::uint32_t offset) {
    Elf32_Shdr section{};
    section.sh_type = SHT_STRTAB;
    section.sh_offset = offset;
    section.sh_size = static_cast<Elf32_Word>(names_.size());
    header_.e_shstrndx = static_cast<Elf32_Half>(sections_.size());
    sections_.push_back(section);
    content_.insert(content_.end(), names_.begin(), names_.end());
    header_.e_shoff = offset + section.sh_size;
    header_.e_shnum = static_cast<Elf32_Half>(sections_.size());
  }

  Elf32_Ehdr header_{};
  std::vector<Elf32_Phdr> segments_;
  std::vector<Elf32_Shdr> sections_;
  std::vector<std::uint8_t> content_;
  std::string names_ = std::string(1, '\0');
};

ElfFile good_elf() { return ElfFile({{".text", 0x0010'0000, application()}, {".data", 0x0010'0100, {1, 2, 3, 4}}}); }

const Board& board() { return *find_board("mps2-an505"); }

TEST(ReadElf, TakesSectionsAtTheirLoadAddresses) {
  const auto image = read_elf(good_elf().bytes());
  ASSERT_TRUE(image) << image.error().message;
  ASSERT_EQ(image->sections().size(), 2u);
  EXPECT_EQ(image->sections()[0].name, "section .text");
  EXPECT_EQ(image->sections()[1].address, 0x0010'0100u);
  EXPECT_EQ(image->sections()[1].content, (std::vector<std::uint8_t>{1, 2, 3, 4}));
}

TEST(ReadElf, LeavesOutTheFilesHeadersAtTheStartOfASegment) {
  ElfFile elf({{".text", 0x0010'0000, application()}});
  const std::uint32_t before = elf.segments()[0].p_offset;
  elf.segments()[0].p_offset = 0;
  elf.segments()[0].p_paddr -= before;
  elf.segments()[0].p_filesz += before;
  const auto image = read_elf(elf.bytes());
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->sections()[0].address, 0x0010'0000u);
}

TEST(ReadElf, TakesSegmentsWhenThereAreNoSections) {
  ElfFile elf = good_elf();
  elf.header().e_shoff = 0;
  elf.header().e_shnum = 0;
  elf.header().e_shstrndx = 0;
  const auto image = read_elf(elf.bytes());
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->sections()[0].name, "segment 0");
}

TEST(ReadElf, FindsTheBuildId) {
  auto note = words({4, 5, 3});
  for (const char c : {'G', 'N', 'U', '\0', 'a', 'b', 'c', 'd', 'e', '\0', '\0', '\0'})
    note.push_back(static_cast<std::uint8_t>(c));
  const ElfFile elf({{".text", 0x0010'0000, application()}, {".note.gnu.build-id", 0x0010'0200, note, SHT_NOTE}});
  EXPECT_EQ(*read_build_id(elf.bytes()), (std::vector<std::uint8_t>{'a', 'b', 'c', 'd', 'e'}));
}

TEST(ReadElf, ANoteWithWrongSizesGivesNoBuildId) {
  for (const auto& note : {words({0xFFFFFFFF, 0xFFFFFFFF, 3, 0}), words({4, 400, 3, 0x00554E47}), words({4, 4})}) {
    const ElfFile elf({{".text", 0x0010'0000, application()}, {".note", 0x0010'0200, note, SHT_NOTE}});
    EXPECT_TRUE(read_build_id(elf.bytes())->empty());
  }
}

TEST(ReadElf, RefusesOtherMachinesClassesAndByteOrders) {
  const auto message = [](auto change) {
    ElfFile elf = good_elf();
    change(elf.header());
    return error_of(read_elf(elf.bytes())).message;
  };
  EXPECT_THAT(message([](Elf32_Ehdr& h) { h.e_machine = EM_X86_64; }), HasSubstr("another processor (ELF machine 62)"));
  EXPECT_THAT(message([](Elf32_Ehdr& h) { h.e_type = ET_REL; }), HasSubstr("object file that was not linked"));
  EXPECT_THAT(message([](Elf32_Ehdr& h) { h.e_type = ET_DYN; }), HasSubstr("fixed addresses"));
  EXPECT_FALSE(message([](Elf32_Ehdr& h) { h.e_ident[EI_CLASS] = ELFCLASS64; }).empty());
  EXPECT_FALSE(message([](Elf32_Ehdr& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; }).empty());
}

TEST(ReadElf, RefusesContentOutsideTheFile) {
  ElfFile elf = good_elf();
  elf.segments()[0].p_filesz = 0x7FFF'FFFF;
  EXPECT_THAT(error_of(read_elf(elf.bytes())).message, HasSubstr("outside the file"));
  elf = good_elf();
  elf.sections()[1].sh_size = 0xFFFF'FFFF;
  EXPECT_THAT(error_of(read_elf(elf.bytes())).message, HasSubstr("outside the file"));
}

TEST(ReadElf, AnyTruncationIsRefusedOrReadsWithoutHarm) {
  const auto whole = good_elf().bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    (void)read_elf(cut);
  }
  EXPECT_FALSE(read_elf(Bytes(whole).first(100)));
}

TEST(Image, SectionsThatOverlapAreNamed) {
  const ElfFile elf({{".text", 0x0010'0000, application()}, {".data", 0x0010'00FF, {1, 2}}});
  const Error error = error_of(read_elf(elf.bytes()));
  EXPECT_EQ(error.kind, ErrorKind::kOverlap);
  EXPECT_THAT(error.message, HasSubstr("section .text (0x00100000 to 0x001000ff) overlaps section .data"));
}

TEST(Layers, ASectionOutsideTheAreasIsNamedWithItsAddressAndTheWayOut) {
  const ElfFile elf({{".text", 0x0010'0000, application()}, {".data", 0x2820'0400, {1, 2}}});
  const Error error = error_of(make_layers(*read_elf(elf.bytes()), board()));
  EXPECT_EQ(error.kind, ErrorKind::kOutsideArea);
  EXPECT_EQ(error.message, "section .data (load address 0x28200400) is not inside an area of board mps2-an505");
  EXPECT_THAT(error.hint, HasSubstr("areas: flash 0x00100000 + 1024 KiB"));
  EXPECT_THAT(error.hint, HasSubstr("AT> FLASH"));
}

TEST(Layers, AnImageThatIsTooBigSaysByHowMuch) {
  const Error error = error_of(make_layers(image_of(application(0x10'0000 + 17)), board()));
  EXPECT_EQ(error.kind, ErrorKind::kTooBig);
  EXPECT_THAT(error.message, HasSubstr("reaches 17 bytes past the end of area flash"));
}

TEST(Layers, AnImageOfExactlyTheAreaFits) {
  const auto layers = make_layers(image_of(application(0x10'0000)), board());
  ASSERT_TRUE(layers) << layers.error().message;
  EXPECT_EQ(layers->size(), 16u);
}

TEST(Layers, AVectorTableMustPointIntoRamAndIntoTheImage) {
  const auto message = [](std::uint32_t stack, std::uint32_t reset) {
    auto content = words({stack, reset});
    content.resize(0x100);
    return error_of(make_layers(image_of(content), board())).message;
  };
  EXPECT_THAT(message(0x2000'8000, 0x0010'0041), HasSubstr("stack pointer 0x20008000, which is not in RAM"));
  EXPECT_THAT(message(0x2820'0000, 0x0010'0041), HasSubstr("not in RAM"));
  EXPECT_THAT(message(0x2828'0004, 0x0010'0041), HasSubstr("not in RAM"));
  EXPECT_THAT(message(0x2828'0000, 0x0010'0040), HasSubstr("not Thumb code"));
  EXPECT_THAT(message(0x2828'0000, 0x0020'0041), HasSubstr("does not point into the image"));
}

TEST(Layers, FlashThatBeginsWithoutAVectorTableIsRefused) {
  const Error error = error_of(make_layers(image_of(application(), 0x0010'1000), board()));
  EXPECT_THAT(error.message, HasSubstr("no vector table at 0x00100000"));
}

TEST(Layers, GapsAreErasedFlashAndUnusedLayersAreLeftOut) {
  const auto image = Image::from_sections(
      {{"a", 0x0010'0000, application(0x44)}, {"b", 0x0010'0050, {9}}, {"c", 0x0013'0002, {7}}}, {});
  const auto layers = make_layers(*image, board());
  ASSERT_TRUE(layers);
  ASSERT_EQ(layers->size(), 2u);
  EXPECT_EQ((*layers)[0].content.size(), 0x51u);
  EXPECT_EQ((*layers)[0].content[0x48], 0xFF);
  EXPECT_EQ((*layers)[0].layer.region.size, kPageSize);
  EXPECT_EQ((*layers)[1].layer.region.start, 0x30000u);
  EXPECT_EQ((*layers)[1].content, (std::vector<std::uint8_t>{0xFF, 0xFF, 7}));
}

TEST(Layers, TheMeasurementIsOfTheRegionPaddedWithErasedFlash) {
  const auto layers = make_layers(image_of(application()), board());
  auto region = application();
  region.resize(kPageSize, 0xFF);
  EXPECT_EQ((*layers)[0].layer.measurement_hash, sha256(region));
}

Expected<Image> hex_of(std::string_view text) { return read_hex(as_bytes(text)); }

TEST(ReadHex, ReadsDataWithLinearAndSegmentAddresses) {
  const auto image = hex_of(
      ":020000040010EA\r\n"
      ":0400000001020304F2\r\n"
      ":020004000506EF\n"
      ":020000021000EC\n"
      ":01000000AA55\n"
      ":00000001FF\n");
  ASSERT_TRUE(image) << image.error().message;
  ASSERT_EQ(image->sections().size(), 2u);
  EXPECT_EQ(image->sections()[0].address, 0x10000u);
  EXPECT_EQ(image->sections()[1].address, 0x100000u);
  EXPECT_EQ(image->sections()[1].content, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}));
}

TEST(ReadHex, TakesTheDataOfARecordAsItIs) {
  const auto content = application(16);
  std::string text = ":020000040010EA\n:10000000";
  std::uint8_t sum = 0x10;
  for (std::size_t i = 0; i < 16; ++i) {
    text += hex(Bytes(content).subspan(i, 1));
    sum = static_cast<std::uint8_t>(sum + content[i]);
  }
  const std::uint8_t check = static_cast<std::uint8_t>(-sum);
  text += hex(Bytes(&check, 1)) + "\n:00000001FF\n";
  const auto image = hex_of(text);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->sections()[0].content, (std::vector<std::uint8_t>(content.begin(), content.begin() + 16)));
}

TEST(ReadHex, EachKindOfDamageIsNamedWithItsLine) {
  EXPECT_THAT(error_of(hex_of(":0100000001FD\n:00000001FF\n")).message,
              HasSubstr("line 1 of the HEX file has a wrong checksum"));
  EXPECT_THAT(error_of(hex_of(":0100000001FE\n")).message, HasSubstr("no end record"));
  EXPECT_THAT(error_of(hex_of(":00000001FF\n:0100000001FE\n")).message,
              HasSubstr("line 2 of the HEX file comes after the end"));
  EXPECT_THAT(error_of(hex_of("0100000001FE\n")).message, HasSubstr("does not begin with ':'"));
  EXPECT_THAT(error_of(hex_of(":01000000GGFE\n")).message, HasSubstr("not a hexadecimal digit"));
  EXPECT_THAT(error_of(hex_of(":0200000001FD\n")).message, HasSubstr("not as long as it says"));
  EXPECT_THAT(error_of(hex_of(":00000009F7\n")).message, HasSubstr("unknown type 9"));
  EXPECT_THAT(error_of(hex_of(":0100000401FA\n")).message, HasSubstr("address record of the wrong length"));
  EXPECT_THAT(error_of(hex_of(":01\n")).message, HasSubstr("length that no record has"));
  EXPECT_THAT(error_of(hex_of(":00000001FF\n")).message, HasSubstr("nothing that belongs into flash"));
}

TEST(ReadHex, DataPastTheEndOfTheAddressSpaceIsRefused) {
  EXPECT_THAT(error_of(hex_of(":02000004FFFFFC\n:02FFFF000100FF\n")).message,
              HasSubstr("past the end of the address space"));
}

TEST(ReadBinary, BeginsAtItsBaseAndMustFitTheAddressSpace) {
  const auto content = application();
  EXPECT_EQ(read_binary(content, 0x0010'0000)->sections()[0].address, 0x0010'0000u);
  EXPECT_EQ(error_of(read_binary(content, 0xFFFF'FFFF)).kind, ErrorKind::kTooBig);
  EXPECT_EQ(error_of(read_binary({}, 0)).kind, ErrorKind::kBadInput);
}

TEST(ReadImage, TellsTheFormatByContent) {
  EXPECT_EQ(read_image(good_elf().bytes(), 0)->sections()[0].name, "section .text");
  EXPECT_EQ(read_image(as_bytes(":0100000001FE\n:00000001FF\n"), 0)->sections()[0].name, "line 1");
  EXPECT_EQ(read_image(application(), 0)->sections()[0].name, "the binary");
}

}  // namespace
}  // namespace mv::bundle
