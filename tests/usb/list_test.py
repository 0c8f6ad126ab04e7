"""mvctl usb list, as libusb shows it the boards."""
import unittest

from mock import UsbTest, boot_loader, serial_port


class List(UsbTest):
    def test_boards_are_listed_with_what_can_be_done(self):
        boards = boot_loader(serial="207136863530") + serial_port(serial="0035001F3431511837393330", product="374e")
        text = self.mvctl(boards, "list")
        self.assertRegex(text, r"207136863530 +1-1 +0483:df11 +STM32 boot loader +flash \(2\.0 MiB\)")
        self.assertRegex(text, r"0035001F3431511837393330 +1-2 +0483:374e +STLINK-V3 +bridge")

    def test_the_json_has_every_memory(self):
        board = self.json(boot_loader(serial="2071"), "list")["boards"][0]
        self.assertEqual(board["kind"], "boot-loader")
        self.assertEqual(board["actions"], ["flash"])
        flash, options, otp = board["memories"]
        self.assertEqual((flash["name"], flash["address"], flash["size"], flash["sector"]),
                         ("Internal Flash", 0x08000000, 2 << 20, 8192))
        self.assertEqual((options["name"], options["address"], options["size"]), ("Option Bytes", 0x40022040, 64))
        self.assertEqual(otp["name"], "OTP Memory")

    def test_a_layout_that_is_none_is_no_memory(self):
        boards = boot_loader(serial="1", memories="@Internal Flash /0x08000000/99999999*08Kg")
        self.assertEqual(self.json(boards, "list")["boards"][0]["memories"], [])

    def test_without_a_board_it_says_how_to_get_one(self):
        self.assertIn("BOOT0", self.mvctl([], "list"))

    def test_dfu_util_sees_the_same_boot_loader(self):
        text = self.run_on(boot_loader(serial="207136863530"), "dfu-util", "-l")
        self.assertIn('alt=0, name="@Internal Flash   /0x08000000/256*08Kg", serial="207136863530"', text)
        self.assertIn('alt=1, name="@Option Bytes   /0x40022040/01*64 e"', text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
