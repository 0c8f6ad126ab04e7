#!/bin/sh
# Links twice: as it comes, and then with everything where the build before had it (mvctl bundle layout).
#
# usage: link_with_layout.sh MVCTL BEFORE.map FOLDER LINKED.map COMMAND...
#   BEFORE.map  of the build before, as it was released
#   FOLDER      where the linker looks first for layout_*.ld
#   LINKED.map  that COMMAND, the link, writes
set -eu
mvctl=$1 before=$2 folder=$3 linked=$4
shift 4
if [ ! -r "$before" ]; then
  echo "MV_LAYOUT_FROM: $before is not there: give the .map of the build that devices run, or nothing" >&2
  exit 1
fi
if [ "$before" -ef "$linked" ]; then
  echo "MV_LAYOUT_FROM: $before is what this link writes: give a copy of the .map of the build that devices run" >&2
  exit 1
fi
mkdir -p "$folder"
forget_layout() {
  for part in flash data bss; do : >"$folder/layout_$part.ld"; done
}
forget_layout
"$@"
"$mvctl" bundle layout --before "$before" --linked "$linked" --out "$folder"
"$@" && exit
echo "MV_LAYOUT_FROM: with everything where $before has it the program does not link, so it was linked without; its update is larger" >&2
forget_layout
"$@"
