#!/usr/bin/python3
"""Checks that includes point one way, as docs/architecture.md says: each folder includes only those it may."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Folder -> the folders it may include besides itself.
HOST = {
    "wire": set(),
    "bundle": {"wire", "delta"},
    "delta": {"wire"},
    "transport": {"wire"},
    "gdbserver": {"wire", "transport"},
    "cloud": {"wire", "bundle", "delta", "transport"},
    "emulator": {"wire", "transport"},
    "usb": {"wire", "transport", "bundle"},
    "cli": {"wire", "bundle", "delta", "transport", "gdbserver", "emulator", "usb"},
}
# Boards may see core's interfaces and arch; core sees no board and no register.
FIRMWARE = {
    "core": {"wire", "core", "sdk"},
    "arch": {"wire", "core", "arch", "sdk"},
    "boards": {"wire", "core", "arch", "boards", "sdk"},
    "boot": {"wire", "core", "arch", "boards", "boot"},
    "sdk": {"sdk"},
}
# What the schemas generate belongs to `wire`; the host includes the flash maps too.
SHARED = {"emulator": {"core/platform/flash_map.h", "boards/stm32u585/flash_layout.h"}}

# Tests of the portable core, and what only they use, run on the fakes of the host board, and on what the host makes.
FAKES = ("boards/host/", "delta/encoder.h", "bundle/sealed_layer.h")
TEST_STEMS = ("_test", "_fuzz", "_fixture", "_rig")

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
SOURCES = {".h", ".hpp", ".cc", ".cpp", ".c", ".S"}


def sources(folder):
    return [path for path in sorted(folder.rglob("*")) if path.suffix in SOURCES]


def check(folder, allowed, rooms, exceptions=frozenset()):
    """Yields a sentence for each include in `folder` that names one of `rooms` outside `allowed`."""
    for path in sources(folder):
        for include in INCLUDE.findall(path.read_text(encoding="utf-8")):
            room = include.split("/")[0]
            if include.startswith(FAKES) and path.stem.endswith(TEST_STEMS):
                continue
            if "/" in include and room in rooms and room not in allowed and include not in exceptions:
                yield f"{path.relative_to(ROOT)} includes \"{include}\": {folder.name} may include {sorted(allowed)}"


def main():
    rooms = set(HOST) | set(FIRMWARE)
    broken = []
    counted = 0
    for name, allowed in HOST.items():
        folder = ROOT / "src" / name
        counted += len(sources(folder))
        broken += check(folder, allowed | {name}, rooms, SHARED.get(name, frozenset()))
    for name, allowed in FIRMWARE.items():
        folder = ROOT / "firmware-agent" / name
        counted += len(sources(folder))
        broken += check(folder, allowed | {name}, rooms)
    if counted == 0:
        broken.append("no sources found: the check looked in the wrong place")
    print("\n".join(broken) if broken else f"{counted} files, every include points the right way")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
