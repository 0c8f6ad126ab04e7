// What a client asks, typed. Parsing never touches a target: a command either has its meaning or it is not one.
//
// Source: GDB manual, "Packets", "General Query Packets", "Stop Reply Packets"; one structure a packet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gdbserver/rsp/hex.h"

namespace mv::rsp {

struct Unknown {};    // answered by an empty reply: "not supported"
struct Malformed {};  // a packet we know, with arguments that make no sense

struct QuerySupported {  // qSupported:feature;feature...
  std::vector<std::string> features;
  bool has(std::string_view feature) const;
};
struct StartNoAckMode {};    // QStartNoAckMode
struct LldbClient {};        // QThreadSuffixSupported: only LLDB asks it
struct HostInfo {};          // qHostInfo: LLDB's too
struct WatchSupportInfo {};  // qWatchpointSupportInfo: LLDB's too
struct ExtendedMode {};      // !
struct HaltReason {};        // ?

struct ReadRegisters {};  // g
struct WriteRegisters {   // G XX...
  Bytes bytes;
};
struct ReadRegister {  // p n
  std::uint32_t number;
};
struct WriteRegister {  // P n=XX...
  std::uint32_t number;
  Bytes bytes;
};

struct ReadMemory {  // m addr,length (hex reply) or x addr,length (binary reply)
  std::uint32_t address;
  std::uint32_t length;
  bool binary;
};
struct WriteMemory {  // M addr,length:XX... or X addr,length:binary
  std::uint32_t address;
  Bytes bytes;
};
struct FlashErase {  // vFlashErase:addr,length
  std::uint32_t address;
  std::uint32_t length;
};
struct FlashWrite {  // vFlashWrite:addr:binary
  std::uint32_t address;
  Bytes bytes;
};
struct FlashDone {};  // vFlashDone
struct Checksum {     // qCRC:addr,length
  std::uint32_t address;
  std::uint32_t length;
};

struct Search {  // qSearch:memory:addr;length;pattern
  std::uint32_t address;
  std::uint32_t length;
  Bytes pattern;
};

// A thread as packets name it: a number, 0 for any, -1 for all; `p1.2` and the like if a client insists.
struct ThreadId {
  enum class Kind : std::uint8_t { kAny, kAll, kOne };
  Kind kind = Kind::kAny;
  std::uint32_t number = 0;  // kOne
};

struct ResumeQuery {};  // vCont?
struct Resume {         // vCont;action[:thread]..., c, s, C, S
  enum class Kind : std::uint8_t { kContinue, kStep, kRange, kStop };
  Kind kind;
  std::uint32_t start = 0;  // kRange: step while the pc is in [start, end)
  std::uint32_t end = 0;
  std::optional<std::uint32_t> address;  // `c addr`, `s addr`: where to go on
  ThreadId thread = {};                  // what it is for
};
struct Interrupt {};  // vCtrlC

// Z type,addr,kind[;Xlen,expression...][;cmds:persist,Xlen,expression...] (insert) or z type,addr,kind (remove).
// `persist` asks to keep the commands when the client leaves; breakpoints go with their session, so it means nothing.
struct Breakpoint {
  bool insert;
  std::uint8_t type;  // 0 software, 1 hardware, 2 write, 3 read, 4 access
  std::uint32_t address;
  std::uint32_t kind;
  std::vector<Bytes> conditions;  // agent expressions
  std::vector<Bytes> commands;
};

struct SetThread {  // H op thread
  bool registers;   // `g`: whose registers are meant; else who is resumed
  ThreadId thread;
};
struct ThreadAlive {  // T thread
  ThreadId thread;
};
struct CurrentThread {};    // qC
struct ThreadListFirst {};  // qfThreadInfo
struct ThreadListNext {};   // qsThreadInfo
struct ThreadExtraInfo {    // qThreadExtraInfo,thread
  ThreadId thread;
};
struct QueryAttached {};  // qAttached
struct QuerySymbol {};    // qSymbol::

struct Transfer {  // qXfer:object:read:annex:offset,length
  std::string object;
  std::string annex;
  std::uint32_t offset;
  std::uint32_t length;
};
struct Monitor {  // qRcmd,XX...
  std::string text;
};

struct HostFileRequest {  // vFile:operation:arguments
  enum class Operation : std::uint8_t { kSetRoot, kOpen, kRead, kStatus, kClose, kOther };
  Operation operation;
  std::string name;              // kOpen
  std::uint32_t flags = 0;       // kOpen
  std::uint32_t descriptor = 0;  // kRead, kStatus, kClose
  std::uint32_t count = 0;       // kRead
  std::uint32_t offset = 0;      // kRead
};

struct Detach {};  // D
struct Kill {      // k, vKill;pid
  bool replies;    // vKill wants an answer, k gets none
};
struct Restart {  // R XX, vRun;...
  bool replies;   // vRun wants a stop reply, R gets none
};

using Command =
    std::variant<Unknown, Malformed, QuerySupported, StartNoAckMode, LldbClient, HostInfo, WatchSupportInfo,
                 ExtendedMode, HaltReason, ReadRegisters, WriteRegisters, ReadRegister, WriteRegister, ReadMemory,
                 WriteMemory, FlashErase, FlashWrite, FlashDone, Checksum, Search, ResumeQuery, Resume, Interrupt,
                 Breakpoint, SetThread, ThreadAlive, CurrentThread, ThreadListFirst, ThreadListNext, ThreadExtraInfo,
                 QueryAttached, QuerySymbol, Transfer, Monitor, HostFileRequest, Detach, Kill, Restart>;

// The meaning of a packet's payload. Bounded by the payload's length.
Command parse_command(std::string_view payload);

}  // namespace mv::rsp
