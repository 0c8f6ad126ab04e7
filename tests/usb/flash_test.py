"""mvctl usb flash on the model of the boot loader, with dfu-util as an independent witness."""
import hashlib
import json
import struct
import subprocess
import tempfile
import unittest
import zlib
from pathlib import Path

from mock import BUILD, UsbTest, boot_loader

SERIAL = "207136863530"
FLASH_SIZE = 2 << 20


def pattern(size):
    return bytes((i * 7 + i // 256) & 0xFF for i in range(size))


def program(address, size=0x4321):
    """A raw image that begins with a vector table: stack pointer, reset handler."""
    return struct.pack("<II", 0x30040000, address + 0x101) + pattern(size)


def microvisor(board=b"stm32u585", load_address=0x0C110000, size=60000):
    """A signed image as boot/sign_image.py makes it; the signature is the boot stage's to check."""
    content = pattern(size)
    header = struct.pack("<4sIIII12s", b"MVIM", 2, len(content), load_address, 2 << 16 | 7, board)
    return header + hashlib.sha256(content).digest() + b"\x5a" * 64 + content


class FlashTest(UsbTest):
    def setUp(self):
        super().setUp()
        self.flash = self.folder / "flash.bin"
        self.options = self.folder / "options.bin"
        self.flash.write_bytes(b"\x55" * FLASH_SIZE)  # something was there before
        self.boot = self.file("boot.bin", program(0x0C100000))
        self.image = self.file("microvisor.bin", microvisor())

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def board(self, **settings):
        return boot_loader(serial=SERIAL, flash=self.flash, options=self.options, **settings)

    def flash_at(self, address, size):
        at = address - 0x0C000000
        return self.flash.read_bytes()[at:at + size]

    def run_flash(self, *arguments, code=0, **settings):
        return self.mvctl(self.board(**settings), "flash", *arguments, code=code)


class Writes(FlashTest):
    def test_boot_stage_and_microvisor_are_written_and_nothing_else(self):
        text = self.run_flash("-i", f"{self.boot}@boot-stage", "-i", self.image, "--yes")
        self.assertRegex(text, SERIAL + r" is flashed: [\d,]+ bytes, read back and compared")
        boot, image = self.boot.read_bytes(), self.image.read_bytes()
        self.assertEqual(self.flash_at(0x0C100000, len(boot)), boot)
        self.assertEqual(self.flash_at(0x0C10FF80, len(image)), image)
        self.assertEqual(self.flash_at(0x0C000000, 0x100000), b"\x55" * 0x100000)
        end = -(-(0x10FF80 + len(image)) // 8192) * 8192
        self.assertEqual(self.flash_at(0x0C000000 + end, 64), b"\x55" * 64)

    def test_dfu_util_reads_back_the_very_bytes(self):
        self.run_flash("-i", self.image, "--yes")
        back = self.folder / "back.bin"
        size = len(self.image.read_bytes())
        self.run_on(self.board(), "dfu-util", "-a", "0", "-s", f"0x0810FF80:{size}", "-U", back)
        self.assertEqual(back.read_bytes(), self.image.read_bytes())

    def test_what_dfu_util_wrote_is_verified(self):
        self.run_on(self.board(), "dfu-util", "-a", "0", "-s", "0x0810FF80", "-D", self.image)
        self.assertIn("holds what it should", self.run_flash("-i", self.image, "--verify-only"))
        content = bytearray(self.flash.read_bytes())
        content[0x10FF80 + 5000] ^= 1
        self.flash.write_bytes(content)
        text = self.run_flash("-i", self.image, "--verify-only", code=6)
        self.assertIn("differs from 0x0C111308 on", text)
        self.assertEqual(self.flash.read_bytes(), content)

    def test_the_identity_gets_a_length_and_a_checksum(self):
        identity = self.file("porch.identity", IDENTITY)
        self.run_flash("--identity", identity, "--yes")
        length, crc = struct.unpack("<II", self.flash_at(0x0C1FC000, 8))
        self.assertEqual(length, len(IDENTITY))
        self.assertEqual(crc, zlib.crc32(IDENTITY))
        self.assertEqual(self.flash_at(0x0C1FC008, length), IDENTITY)

    def test_the_json_says_what_was_done(self):
        done = self.json(self.board(), "flash", "-i", self.image, "--yes")
        self.assertEqual(done["serial"], SERIAL)
        self.assertEqual(done["regions"][0], {"what": "microvisor 0.2.7", "address": 0x0810FF80, "size": 60128})
        self.assertTrue(done["written"])


class OptionBytes(FlashTest):
    def test_the_microvisors_are_set_last_and_read_back(self):
        done = self.json(self.board(), "flash", "-i", self.image, "--option-bytes", "microvisor", "--yes")
        self.assertTrue(done["option_bytes_verified"])
        self.assertIn({"name": "TZEN", "before": 0, "after": 1}, done["option_bytes"])
        words = struct.unpack("<16I", self.options.read_bytes())
        self.assertEqual(words[0] >> 31, 1)
        self.assertEqual(words[3] & ~0x7F, 0x0C100000)
        self.assertEqual(self.flash_at(0x0C10FF80, 60128), self.image.read_bytes())

    def test_with_trustzone_on_secure_flash_is_not_even_tried(self):
        self.run_flash("--option-bytes", "microvisor", "--yes")
        before = self.flash.read_bytes()
        text = self.run_flash("-i", self.image, "--yes", code=6)
        self.assertIn("the boot loader runs Non-secure", text)
        self.assertEqual(self.flash.read_bytes(), before)

    def test_a_board_that_does_not_come_back_is_no_failure(self):
        done = self.json(self.board(no_return=True), "flash", "--option-bytes", "TZEN=1", "--yes")
        self.assertFalse(done["option_bytes_verified"])

    def test_no_return_is_refused(self):
        for word in ("RDP=0xCC", "BOOT_LOCK=1"):
            text = self.run_flash("--option-bytes", word, "--yes", code=2)
            self.assertIn("mvctl does not do that", text)

    def test_a_wrong_name_is_said_before_a_board_is_looked_for(self):
        self.assertIn("there is no option byte TZON", self.mvctl([], "flash", "--option-bytes", "TZON=1", code=2))


class Refuses(FlashTest):
    def tearDown(self):
        if self.flash.exists():
            self.assertEqual(self.flash.read_bytes(), b"\x55" * FLASH_SIZE, "nothing is written")

    def test_an_image_for_another_board(self):
        image = self.file("m.bin", microvisor(board=b"mps2-an505"))
        self.assertIn("is a microvisor for mps2-an505", self.run_flash("-i", image, "--yes", code=1))

    def test_a_damaged_image(self):
        content = bytearray(microvisor())
        content[-1] ^= 1
        self.assertIn("damaged", self.run_flash("-i", self.file("m.bin", bytes(content)), "--yes", code=1))

    def test_a_raw_image_without_or_with_a_wrong_address(self):
        self.assertIn("@boot-stage", self.run_flash("-i", self.boot, "--yes", code=1))
        self.assertIn("vector table", self.run_flash("-i", f"{self.boot}@0x0C000000", "--yes", code=1))

    def test_a_chip_that_is_another(self):
        memories = "@Internal Flash   /0x08000000/512*08Kg;@Option Bytes   /0x40022040/01*64 e"
        self.flash.unlink()
        text = self.mvctl(boot_loader(serial="9", memories=memories), "flash", "-i", self.image, "--yes", code=1)
        self.assertIn("is no stm32u585: its flash has 4096 KiB", text)

    def test_without_a_board_it_says_how_to_get_one(self):
        self.assertIn("BOOT0", self.mvctl([], "flash", "-i", self.image, "--yes", code=4))

    def test_without_a_terminal_and_yes(self):
        self.assertIn("--yes", self.run_flash("-i", self.image, code=2))

    def test_of_two_boards_it_wants_one_chosen(self):
        boards = self.board() + boot_loader(serial="3070")
        text = self.mvctl(boards, "flash", "-i", self.image, "--yes", code=2)
        self.assertIn("choose one with --serial:", text)
        self.assertRegex(text, r"3070 +\(1-2\)")

    def test_an_identity_that_is_none(self):
        text = self.run_flash("--identity", self.file("notes.txt", b"porch"), "--yes", code=1)
        self.assertIn("mvctl devices provision", text)

    def test_a_file_that_is_not_there(self):
        self.run_flash("-i", self.folder / "none.bin", "--yes", code=4)


class GoesWrong(FlashTest):
    def test_several_boards_one_is_chosen(self):
        other = self.folder / "other.bin"
        other.write_bytes(b"\x55" * FLASH_SIZE)
        boards = self.board() + boot_loader(serial="3070", flash=other)
        self.mvctl(boards, "flash", "-i", self.image, "--serial", "3070", "--yes")
        self.assertEqual(self.flash.read_bytes(), b"\x55" * FLASH_SIZE)
        self.assertEqual(other.read_bytes()[0x10FF80:0x10FF80 + 60128], self.image.read_bytes())

    def test_unplugged_in_the_middle_it_says_how_far_it_was_and_the_next_run_mends_it(self):
        text = self.run_flash("-i", self.image, "--yes", code=5, unplug_at=7)
        self.assertIn(SERIAL + " was unplugged while writing microvisor 0.2.7; 12,288 bytes were written", text)
        self.assertIn("nothing is bricked", text)
        self.run_flash("-i", self.image, "--yes")
        self.assertEqual(self.flash_at(0x0C10FF80, 60128), self.image.read_bytes())

    def test_a_bit_that_does_not_take_is_found(self):
        self.assertIn("differs from 0x0C110F80 on", self.run_flash("-i", self.image, "--yes", code=6, flip_at=3))

    def test_what_the_boot_loader_refuses_is_said_by_name(self):
        text = self.run_flash("-i", self.image, "--yes", code=6, refuse_at="2:11")
        self.assertIn("errVENDOR: the memory is protected", text)

    def test_a_failure_is_json_too(self):
        text = self.run_flash("-i", self.image, "--yes", "--output", "json", code=5, unplug_at=2)
        self.assertEqual(json.loads(text)["error"]["code"], 5)

    def test_a_slow_device_is_waited_for(self):
        boot = self.file("small.bin", program(0x0C100000, 600))
        self.run_flash("-i", f"{boot}@boot-stage", "--yes", poll=20, busy=3)


# A wire::Identity, as mvcloud makes it for a device; set by make_identity.
IDENTITY = b""


def make_identity():
    """Has a real cloud make a real identity."""
    with tempfile.TemporaryDirectory(prefix="mv-usb-cloud-") as folder:
        data, out = Path(folder) / "cloud", Path(folder) / "porch.identity"
        cloud = str(BUILD / "mvcloud")
        subprocess.run([cloud, "init", "--data", data, "--listen", "127.0.0.1:1", "--context-out", Path(folder) / "c.json"],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run([cloud, "provision", "porch", "--data", data, "--board", "stm32u585", "--out", out], check=True,
                       stdout=subprocess.DEVNULL)
        return out.read_bytes()


if __name__ == "__main__":
    IDENTITY = make_identity()
    unittest.main(verbosity=2)
