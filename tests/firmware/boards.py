"""The boards that tests run the firmware on: which QEMU, how the flash file looks, where things are."""
import os
import re
import shutil
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLASH_MAP = os.path.join(ROOT, "firmware-agent", "core", "platform", "flash_map.h")
U585_LAYOUT = os.path.join(ROOT, "firmware-agent", "boards", "stm32u585", "flash_layout.h")


def numbers(path, pattern):
    """Name -> its numbers, read from a header of the firmware, so that there is one map."""
    with open(path, encoding="utf-8") as file:
        return {name: [int(value, 0) for value in values] for name, *values in re.findall(pattern, file.read())}


def identity_area(message):
    """A serialised wire::Identity as the identity area holds it: length, CRC-32, message."""
    return len(message).to_bytes(4, "little") + zlib.crc32(message).to_bytes(4, "little") + message


class Mps2:
    """QEMU's mps2-an505: the 16 MiB that the flash map describes are one file."""
    name = "mps2-an505"
    application = 0x00100000  # where it runs
    ram_end = 0x28280000
    veneers = 0x100c0000
    secure_code = "0x100[1-4]"  # how addresses of the microvisor begin
    qemu = "qemu-system-arm"

    def __init__(self):
        self.areas = numbers(FLASH_MAP, r"Area k(\w+) = \{(0x[0-9a-fA-F]+), (0x[0-9a-fA-F]+)\}")
        self.size = numbers(FLASH_MAP, r"k(FlashSize) = (0x[0-9a-fA-F]+)")["FlashSize"][0]

    def machine(self, firmware, flash):
        return ["-machine", "mps2-an505,memory-backend=nv", "-object",
                "memory-backend-file,id=nv,size=16M,share=on,mem-path=" + flash,
                "-kernel", os.path.join(firmware, "boot-rom.elf")]

    def factory(self, firmware):
        """What a factory writes besides the microvisor: area -> content."""
        return {}

    def prepare(self, flash):
        """Whatever a fresh flash file needs beside it."""


class Stm32u585:
    """Our machine: 2 MiB of flash with a map of its state behind it, and the NOR in a file of its own."""
    name = "stm32u585"
    application = 0x08000000
    ram_end = 0x20080000
    veneers = 0x0c1fe000
    secure_code = "0x0c1[1-4]"
    qemu = os.environ.get("MVCTL_QEMU_STM32U585") or os.path.join(ROOT, "build", "qemu-stm32u585")

    def __init__(self):
        at = {name: values[0] for name, values in numbers(U585_LAYOUT, r"k(\w+) = (0x[0-9a-fA-F]+|\d+);").items()}
        self.size = 0x200000 + 0x200000 // 16 + 0x2000
        image = at["Image"] - at["HeaderSize"]
        self.areas = {"Application": (0, 0x100000), "BootStage": (at["BootStage"], at["BootStageRoom"]),
                      "Microvisor": (image, at["HeaderSize"] + at["ImageRoom"]), "Identity": (at["IdentityPage"], 0x2000)}

    def machine(self, firmware, flash):
        return ["-machine", "stm32u585,flash=%s,nor=%s.nor" % (flash, flash)]

    def factory(self, firmware):
        with open(os.path.join(firmware, "boot-rom.bin"), "rb") as file:
            return {"BootStage": file.read()}

    def prepare(self, flash):
        with open(flash + ".nor", "wb"):
            pass


def board_of(firmware):
    """The board that a firmware folder is built for."""
    with open(os.path.join(firmware, "board.txt"), encoding="ascii") as file:
        name = file.read().strip()
    return {"mps2-an505": Mps2, "stm32u585": Stm32u585}[name]()


def missing(board):
    """Why its tests cannot run here, or None."""
    return None if shutil.which(board.qemu) else "no %s: scripts/build-qemu-stm32u585 builds it" % board.qemu


def compose(board, path, firmware, microvisor, application=None, identity=None):
    """Writes a fresh flash file. All contents are bytes."""
    flash = bytearray(b"\xff" * board.size)
    contents = {"Microvisor": microvisor, "Application": application, **board.factory(firmware)}
    if identity is not None:
        contents["Identity"] = identity_area(identity)
    for area, content in contents.items():
        offset, size = board.areas[area]
        if len(content or b"") > size:
            raise ValueError("%s takes %d bytes, its area in flash has %d" % (area, len(content), size))
        flash[offset:offset + len(content or b"")] = content or b""
    with open(path, "wb") as file:
        file.write(flash)
    board.prepare(path)
