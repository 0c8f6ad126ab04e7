#!/usr/bin/python3
"""Builds all examples for both boards, from one source, looks where they lie, and runs one.

usage: examples_test.py FIRMWARE [UNITTEST...]      FIRMWARE: the folder with the built firmware of each board
"""
import os
import struct
import subprocess
import sys
import tempfile
import unittest

import boards
from device import Device

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLCHAIN = os.path.join(ROOT, "firmware-agent", "sdk", "cmake", "arm-none-eabi.cmake")
FIRMWARE = ""
EXAMPLES = {"blinky", "counter", "crasher", "notifier", "ticker"}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def segments(elf):
    """(address, size in memory) of each loaded segment."""
    lines = run("arm-none-eabi-readelf", "-lW", elf).splitlines()
    rows = [line.split() for line in lines if line.strip().startswith("LOAD")]
    return [(int(row[2], 16), int(row[5], 16)) for row in rows if int(row[5], 16)]


class Examples(unittest.TestCase):
    def build(self, board):
        folder = tempfile.TemporaryDirectory(prefix="mv-examples-")
        self.addCleanup(folder.cleanup)
        run("cmake", "-S", os.path.join(ROOT, "examples"), "-B", folder.name, "-G", "Ninja",
            "-DCMAKE_TOOLCHAIN_FILE=" + TOOLCHAIN, "-DMV_BOARD=" + board)
        run("ninja", "-C", folder.name)
        return {name: os.path.join(folder.name, name, name + ".elf") for name in os.listdir(os.path.join(ROOT, "examples"))
                if os.path.isfile(os.path.join(folder.name, name, name + ".elf"))}

    def check(self, board, flash, ram):
        built = self.build(board)
        self.assertEqual(set(built), EXAMPLES)
        for name, elf in built.items():
            for address, size in segments(elf):
                start, room = (flash, 0x100000) if address < ram else (ram, 0x80000)
                self.assertTrue(start <= address and address + size <= start + room, (name, hex(address), size))
            with open(elf[:-4] + ".bin", "rb") as file:
                stack, entry = struct.unpack("<2I", file.read(8))
            self.assertEqual(stack, ram + 0x80000, name)
            self.assertTrue(flash < entry < flash + 0x100000 and entry % 2 == 1, (name, hex(entry)))

    def test_for_stm32u585_they_lie_in_its_flash_and_ram(self):
        self.check("stm32u585", 0x08000000, 0x20000000)

    def test_for_mps2_an505_they_lie_where_the_emulated_board_runs_them(self):
        self.check("mps2-an505", 0x00100000, 0x28200000)

    def run_notifier(self, name):
        firmware = os.path.join(FIRMWARE, name)
        why = boards.missing(boards.board_of(firmware))
        if why:
            self.skipTest(why)
        with open(self.build(name)["notifier"][:-4] + ".bin", "rb") as file:
            application = file.read()

        def put_application(board, flash):
            with open(flash, "r+b") as file:
                file.seek(board.areas["Application"][0])
                file.write(application)

        with Device(firmware, edit=put_application) as device:
            device.wait_for(device.application, "notifier: told by itself")

    def test_notifier_is_told_on_mps2_an505(self):
        self.run_notifier("mps2-an505")

    def test_notifier_is_told_on_stm32u585(self):
        self.run_notifier("stm32u585")


if __name__ == "__main__":
    FIRMWARE = sys.argv.pop(1)
    unittest.main()
