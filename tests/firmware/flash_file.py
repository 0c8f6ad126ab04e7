"""Composes the 16 MiB file that is the emulated board's flash (firmware-agent/core/platform/flash_map.h)."""
import os
import re
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLASH_MAP = os.path.join(ROOT, "firmware-agent", "core", "platform", "flash_map.h")


def areas():
    """Name -> (offset, size), read from the header, so that there is one map."""
    with open(FLASH_MAP, encoding="utf-8") as file:
        found = re.findall(r"Area k(\w+) = \{(0x[0-9a-fA-F]+), (0x[0-9a-fA-F]+)\}", file.read())
    return {name: (int(offset, 16), int(size, 16)) for name, offset, size in found}


def flash_size():
    with open(FLASH_MAP, encoding="utf-8") as file:
        return int(re.search(r"kFlashSize = (0x[0-9a-fA-F]+)", file.read()).group(1), 16)


def place(flash, area, content):
    offset, size = areas()[area]
    if len(content) > size:
        raise ValueError("%s takes %d bytes, its area in flash has %d" % (area, len(content), size))
    flash[offset:offset + len(content)] = content


def identity_area(message):
    """A serialised wire::Identity as the identity area holds it: length, CRC-32, message."""
    return len(message).to_bytes(4, "little") + zlib.crc32(message).to_bytes(4, "little") + message


def compose(path, microvisor, application=None, identity=None, seed=None):
    """Writes a fresh flash file. All contents are bytes; `seed` goes to the entropy seed's area as it is."""
    flash = bytearray(b"\xff" * flash_size())
    place(flash, "Microvisor", microvisor)
    if application is not None:
        place(flash, "Application", application)
    if identity is not None:
        place(flash, "Identity", identity_area(identity))
    if seed is not None:
        place(flash, "EntropySeed", seed)
    with open(path, "wb") as file:
        file.write(flash)
