#include "boards/stm32u585/nor.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "boards/stm32u585/registers.h"

namespace mv::board {
namespace {

// Commands of JESD216 (SFDP) and, with four bytes of address, of every NOR above 16 MiB.
enum : std::uint32_t {
  kWriteEnable = 0x06,
  kReadStatus = 0x05,
  kReadId = 0x9f,
  kReadParameters = 0x5a,  // SFDP
  kFastRead = 0x0c,
  kPageProgram = 0x12,
  kSectorErase = 0x21,
  kResetEnable = 0x66,
  kReset = 0x99,
};

constexpr std::uint32_t kWriteInProgress = 1;
constexpr std::uint32_t kParametersSignature = 0x50444653;  // "SFDP"

// A command as OCTOSPI sees it: CCR's fields, one line for each part.
struct Command {
  std::uint32_t instruction;
  std::uint32_t address_bytes = 0;  // 0, 3 or 4
  std::uint32_t address = 0;
  std::uint32_t dummy_cycles = 0;
};

std::uint32_t reg(std::uint32_t offset) { return octospi::kSecond + offset; }

bool idle() { return wait_for(reg(octospi::kStatus), octospi::kBusy, 0); }

enum class Mode : std::uint32_t { kWrite, kRead, kPoll, kMapped };  // CR.FMODE

// 28.4.17: the access begins with the last of these writes that it needs; in memory-mapped mode with a read of the
// window.
void begin(const Command& command, std::size_t length, Mode mode) {
  const bool mapped = mode == Mode::kMapped;
  reg32(reg(octospi::kClear)) = 0x1b;  // every flag
  reg32(reg(octospi::kControl)) = octospi::kEnable | static_cast<std::uint32_t>(mode) << 28;
  if (length > 0 && !mapped) reg32(reg(octospi::kLength)) = static_cast<std::uint32_t>(length - 1);
  reg32(reg(octospi::kTiming)) = command.dummy_cycles;
  const std::uint32_t address = command.address_bytes == 0 ? 0 : 1U << 8 | (command.address_bytes - 1) << 12;
  reg32(reg(octospi::kCommunication)) = 1U | address | (length > 0 ? 1U << 24 : 0);
  reg32(reg(octospi::kInstruction)) = command.instruction;
  if (command.address_bytes > 0 && !mapped) reg32(reg(octospi::kAddress)) = command.address;
}

bool end() {
  const bool done = wait_for(reg(octospi::kStatus), octospi::kDone, octospi::kDone);
  reg32(reg(octospi::kClear)) = octospi::kDone;
  return done && idle();
}

bool read_data(const Command& command, std::span<std::uint8_t> out) {
  if (!idle()) return false;
  begin(command, out.size(), Mode::kRead);
  for (std::uint8_t& byte : out) {
    // FTF: at least one byte is there (FTHRES = 0); TCF: the last ones are.
    for (std::uint32_t looks = 0; (reg32(reg(octospi::kStatus)) & (octospi::kRoom | octospi::kDone)) == 0; ++looks) {
      if (looks == 400'000) return false;
    }
    byte = arch::reg8(reg(octospi::kData));
  }
  return end();
}

bool write_data(const Command& command, std::span<const std::uint8_t> bytes) {
  if (!idle()) return false;
  begin(command, bytes.size(), Mode::kWrite);
  for (const std::uint8_t byte : bytes) {
    if (!wait_for(reg(octospi::kStatus), octospi::kRoom, octospi::kRoom)) return false;
    arch::reg8(reg(octospi::kData)) = byte;
  }
  return end();
}

bool send(std::uint32_t instruction) {
  if (!idle()) return false;
  begin({instruction}, 0, Mode::kWrite);
  return end();
}

// DCACHE1 lies before the window and is the application's: Device memory passes it by. ARM DDI 0553, B9.
void set_up_window() {
  constexpr std::uint32_t kNeverExecuted = 1U << 0, kRegionOn = 1U << 0, kOn = 1U << 0, kInFaultsToo = 1U << 1;
  constexpr std::uint32_t kOtherwiseDefault = 1U << 2;
  constexpr std::uint8_t kDevice = 0x04;  // nGnRE
  reg32(arch::kMpuControl) = 0;
  reg32(arch::kMpuAttributes) = kDevice;
  reg32(arch::kMpuRegion) = 0;
  reg32(arch::kMpuBase) = octospi::kWindow | kNeverExecuted;
  reg32(arch::kMpuLimit) = (octospi::kWindow + octospi::kWindowSize - 32) | kRegionOn;
  reg32(arch::kMpuControl) = kOn | kInFaultsToo | kOtherwiseDefault;
  arch::barrier();
}

// Reads of the window are reads of the NOR while this lives; no other command may be given meanwhile.
class Window {
 public:
  Window() { begin({kFastRead, 4, 0, 8}, 1, Mode::kMapped); }
  // It reads ahead until it is told not to, and is busy with that.
  ~Window() {
    reg32(reg(octospi::kControl)) = reg32(reg(octospi::kControl)) | octospi::kAbort;
    wait_for(reg(octospi::kControl), octospi::kAbort, 0);
  }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  // Device memory: aligned accesses only.
  void read(std::uint32_t address, std::span<std::uint8_t> out) const {
    std::uint32_t from = octospi::kWindow + address;
    while (!out.empty()) {
      if (from % sizeof(std::uint32_t) == 0 && out.size() >= sizeof(std::uint32_t)) {
        const std::uint32_t word = reg32(from);
        std::memcpy(out.data(), &word, sizeof(word));
        from += sizeof(word);
        out = out.subspan(sizeof(word));
      } else {
        out[0] = arch::reg8(from++);
        out = out.subspan(1);
      }
    }
  }
};

std::uint32_t read_status() {
  std::array<std::uint8_t, 1> status{0xff};
  return read_data({kReadStatus}, status) ? status[0] : 0xff;
}

// Says for as long as it lives that the device is in use.
class Use {
 public:
  explicit Use(volatile bool& in_use) : in_use_(in_use) { in_use_ = true; }
  ~Use() { in_use_ = false; }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  volatile bool& in_use_;
};

std::uint32_t word_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint32_t word = 0;
  std::memcpy(&word, &bytes[at], sizeof(word));
  return word;
}

}  // namespace

bool Nor::set_up() {
  size_ = id_ = 0;
  reg32(reg(octospi::kControl)) = 0;
  // MTYP 1: Macronix, which in SPI mode is plain; the largest device; 8 cycles of NCS high between commands. 160 MHz
  // / 4.
  reg32(reg(octospi::kDevice1)) = 1U << 24 | 31U << 16 | 7U << 8;
  reg32(reg(octospi::kDevice2)) = 3;
  reg32(reg(octospi::kControl)) = octospi::kEnable;
  set_up_window();
  // It may be in any state: a reset of ours did not reset it.
  if (!send(kResetEnable) || !send(kReset)) return false;
  std::array<std::uint8_t, 3> id{};
  if (!wait_ready() || !read_data({kReadId}, id) || id[0] == 0 || id[0] == 0xff) return false;

  // SFDP: header, then the pointer to the basic table, whose second word is the density (JESD216, 6.4.5).
  std::array<std::uint8_t, 16> header{};
  if (!read_data({kReadParameters, 3, 0, 8}, header) || word_at(header, 0) != kParametersSignature) return false;
  std::array<std::uint8_t, 8> table{};
  if (!read_data({kReadParameters, 3, word_at(header, 12) & 0xffffff, 8}, table)) return false;
  const std::uint32_t erase_4k = table[0] & 3, density = word_at(table, 4);
  if (erase_4k != 1) return false;
  const std::uint64_t bits =
      (density & 1U << 31) != 0 ? std::uint64_t{1} << (density & 0x3f) : std::uint64_t{density} + 1;
  id_ = id[0] | static_cast<std::uint32_t>(id[1]) << 8 | static_cast<std::uint32_t>(id[2]) << 16;
  size_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(bits / 8, 0x1000'0000));
  return true;
}

bool Nor::busy() { return (read_status() & kWriteInProgress) != 0; }

// A sector's erase takes 400 ms at the worst, a page 1.5 ms.
bool Nor::wait_ready() {
  for (std::uint32_t looks = 0; looks < 2'000'000; ++looks) {
    if (!busy()) return true;
  }
  return false;
}

bool Nor::read(std::uint32_t address, std::span<std::uint8_t> out) {
  if (!in_range(address, out.size())) return false;
  const Use use(in_use_);
  if (!wait_ready() || !idle()) return false;
  const Window window;
  window.read(address, out);
  return true;
}

bool Nor::program(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  if (!in_range(address, bytes.size())) return false;
  const Use use(in_use_);
  while (!bytes.empty()) {
    const std::size_t part = std::min<std::size_t>(bytes.size(), kPage - address % kPage);
    if (!wait_ready() || !start_program(address, bytes.first(part))) return false;
    address += static_cast<std::uint32_t>(part);
    bytes = bytes.subspan(part);
  }
  return wait_ready();
}

bool Nor::start_program(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  if (bytes.size() > kPage - address % kPage || !in_range(address, bytes.size()) || busy()) return false;
  return bytes.empty() || (send(kWriteEnable) && write_data({kPageProgram, 4, address}, bytes));
}

bool Nor::start_erase(std::uint32_t address) {
  if (address % kSector != 0 || !in_range(address, kSector) || busy()) return false;
  if (!send(kWriteEnable) || !idle()) return false;
  begin({kSectorErase, 4, address}, 0, Mode::kWrite);
  return end();
}

bool Nor::erase_sector(std::uint32_t address) {
  const Use use(in_use_);
  return wait_ready() && start_erase(address) && wait_ready();
}

}  // namespace mv::board
