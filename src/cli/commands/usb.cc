// mvctl usb: boards that hang on this machine's USB.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "cli/usb_boards.h"

namespace mv::cli {
namespace {

using nlohmann::ordered_json;
using usb::Board;

std::string name_of(const Board& board) {
  if (board.kind == Board::Kind::kStLink) return std::string(usb::st_link_name(board.usb.product));
  if (board.kind == Board::Kind::kBootLoader) return std::string(kind_name(board.kind));
  return board.usb.product_name.empty() ? std::string(kind_name(board.kind)) : printable(board.usb.product_name);
}

std::string what_it_can(const Board& board) {
  if (!board.usb.may_open) return "no permission";
  if (const auto* flash = usb::find_memory(board, "Internal Flash")) {
    return "flash (" + human_size(flash->layout.size()) + ")";
  }
  if (board.can_flash()) return "flash";
  return board.can_bridge() ? "bridge" : "-";
}

ordered_json memory_document(const usb::DfuMemory& memory) {
  const auto& first = memory.layout.runs().front();
  return {{"name", memory.layout.name()},
          {"alternate", memory.alternate},
          {"address", first.address},
          {"size", memory.layout.size()},
          {"sector", first.sector_size}};
}

std::string kind_word(Board::Kind kind) {
  switch (kind) {
    case Board::Kind::kBootLoader:
      return "boot-loader";
    case Board::Kind::kStLink:
      return "st-link";
    case Board::Kind::kSerial:
      return "serial-port";
  }
  return {};
}

ordered_json board_document(const Board& board) {
  ordered_json memories = ordered_json::array();
  for (const usb::DfuMemory& memory : board.memories) memories.push_back(memory_document(memory));
  ordered_json actions = ordered_json::array();
  if (board.can_flash()) actions.push_back("flash");
  if (board.can_bridge() && board.usb.may_open) actions.push_back("bridge");
  return {{"serial", board.usb.serial},
          {"path", board.usb.path},
          {"node", board.usb.node},
          {"id", usb::id_text(board.usb)},
          {"kind", kind_word(board.kind)},
          {"name", name_of(board)},
          {"permitted", board.usb.may_open},
          {"actions", actions},
          {"memories", memories},
          {"serial_ports", board.serial.size()}};
}

Result list(Program& program) {
  const auto bus = open_usb();
  if (!bus) return tl::make_unexpected(bus.error());
  const auto boards = list_boards(**bus);
  if (!boards) return tl::make_unexpected(boards.error());
  Table table({"SERIAL", "PATH", "ID", "BOARD", "CAN"});
  ordered_json documents = ordered_json::array();
  for (const Board& board : *boards) {
    table.row({board.usb.serial.empty() ? "-" : printable(board.usb.serial), board.usb.path, usb::id_text(board.usb),
               name_of(board), what_it_can(board)});
    documents.push_back(board_document(board));
  }
  program.output().result({{"boards", documents}},
                          boards->empty() ? "no board on USB: for its boot loader, hold BOOT0 while it gets power"
                                          : table.text(program.output()));
  if (std::ranges::any_of(*boards, [](const Board& board) { return !board.usb.may_open; })) {
    program.output().warning("this user may not open every board\n" + permission_hint());
  }
  return {};
}

}  // namespace

void add_usb(Command& root, Program& program) {
  Command& family = root.add("usb", "boards on this machine's USB: what is there, first image, a way to the cloud");
  family.example("mvctl usb list", "which boards are plugged in, and what can be done with each");
  family.example("mvctl usb list --output json", "the same for a program");
  Command& show = family.add("list", "which boards are plugged in, and what can be done with each");
  show.describe(
      "Lists STM32 microcontrollers in their ROM boot loader, ST-LINK probes, and every other USB serial port. A board "
      "whose node this user may not open is listed with what the kernel tells everybody.");
  show.example("mvctl usb list", "a table of all of them");
  show.example("mvctl usb list --output json", "the same for a program");
  show.run([&program] { return list(program); });
  add_usb_flash(family, program);
  add_usb_bridge(family, program);
}

}  // namespace mv::cli
