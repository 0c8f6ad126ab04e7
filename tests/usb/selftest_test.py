"""mvctl board selftest: the conformance program on the model of the chip, behind the serial port of an ST-LINK.

Without the model the tests are skipped (exit status 77), unless MV_MODEL=required."""
import fnmatch
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

from mock import BUILD, MVCTL, ROOT, UsbTest, boot_loader, serial_port

sys.path.insert(0, str(ROOT / "tests" / "firmware" / "conformance"))
from conformance_items import items  # noqa: E402
from conformance_test import crc16  # noqa: E402

QEMU = BUILD / "qemu-stm32u585"
FIRMWARE = BUILD / "firmware" / "stm32u585"
DEADLINE = 60  # seconds
BANK, FLASH = 1 << 20, 2 << 20
OPTIONS = FLASH + FLASH // 16  # where the model's file has the option bytes, from FLASH_OPTR on
SECWM1R1 = OPTIONS + 4 * 4


def until(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("still not: " + what)
        time.sleep(0.01)


def how_many(glob):
    return sum(fnmatch.fnmatchcase(f"{paragraph}: {promise}", glob) for _, paragraph, promise in items())


class SelftestTest(UsbTest):
    """A board 0035AA whose UART comes out at `self.uart`."""

    def setUp(self):
        super().setUp()
        self.uart = self.folder / "uart"

    def order(self, *arguments):
        """Starts the command; returns its process, with the mock's orders on its standard input."""
        boards = serial_port(serial="0035AA", socket=self.uart)
        process = subprocess.Popen(self.command(boards, MVCTL, "board", "selftest", *arguments), env=self.env, text=True,
                                   errors="replace", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        self.addCleanup(self.end, process)
        until(self.uart.exists, "the mock's socket is there")
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def outcome(self, process):
        """(exit code, what it printed)"""
        text, _ = process.communicate(timeout=DEADLINE)
        return process.returncode, text

    def power_on(self, machine="stm32u585", options=None):
        """The model with the real program; `options` is put over the option bytes: {offset in the file: word}."""
        content = bytearray(b"\xff" * (OPTIONS + 8192))
        program = (FIRMWARE / "selftest.bin").read_bytes()
        content[BANK:BANK + len(program)] = program
        for offset, word in (options or {}).items():
            struct.pack_into("<I", content, offset, word)
        (self.folder / "flash.bin").write_bytes(content)
        self.start_model(machine)

    def start_model(self, machine="stm32u585"):
        board = subprocess.Popen([QEMU, "-machine", f"{machine},flash={self.folder}/flash.bin", "-display", "none",
                                  "-monitor", "none", "-nodefaults", "-serial", "null", "-chardev",
                                  f"socket,id=uart,path={self.uart}", "-serial", "chardev:uart"],
                                 stdin=subprocess.DEVNULL)
        self.addCleanup(self.end, board)

    def play(self):
        """In place of a board: the other end of its UART, once an order has come."""
        line = socket.socket(socket.AF_UNIX)
        self.addCleanup(line.close)
        line.settimeout(DEADLINE)
        line.connect(str(self.uart))
        heard = b""
        while b"run\n" not in heard:
            heard += line.recv(100)
        return line

    @staticmethod
    def say(line, text):
        line.sendall(b"%s\t*%04x\r\n" % (text.encode(), crc16(text.encode())))


class OnTheModel(SelftestTest):
    def test_every_item_is_in_the_table_and_none_failed(self):
        run = self.order()
        self.power_on()
        code, text = self.outcome(run)
        self.assertEqual(code, 0, text)
        self.assertIn("0035AA: stm32u585 (a model), DBGMCU_IDCODE 0x30010482", text)
        rows = {line.split(None, 2)[0]: line for line in text.splitlines() if line.split()[1:2] in (["ok"], ["read"])}
        self.assertEqual(sorted(map(int, rows)), list(range(1, len(items()) + 1)))
        for _, paragraph, promise in items():
            self.assertTrue(any(paragraph in row and promise in row for row in rows.values()), promise)
        self.assertRegex(text, "%d ok, 0 failed, %d read" % (sum(" ok " in row[:12] for row in rows.values()),
                                                            sum(" read " in row[:12] for row in rows.values())))

    def test_a_secure_page_too_many_fails_and_the_exit_code_says_so(self):
        run = self.order("--serial", "0035", "--only", "RM0456 7.9*")
        self.power_on(options={SECWM1R1: 0xff80ff80})  # page 0 of bank 1
        code, text = self.outcome(run)
        self.assertEqual(code, 1, text)
        self.assertRegex(text, r"failed +RM0456 7\.9\.17 FLASH_SECWM1R1 .* 0x00000000 +0x0000007f")
        self.assertIn(f"1 of {how_many('RM0456 7.9*')} items do not hold on 0035AA", text)

    def test_another_nor_fails_and_json_has_every_item(self):
        run = self.order("--only", "*NOR*", "--output", "json")
        self.power_on("stm32u585,nor-size=33554432")
        code, text = self.outcome(run)
        self.assertEqual(code, 1, text)
        decoder, events = json.JSONDecoder(), []
        while text.strip():
            event, end = decoder.raw_decode(text.strip())
            events.append(event)
            text = text.strip()[end:]
        self.assertEqual([event["event"] for event in events[:-1]], ["start"] + how_many("*NOR*") * ["item"] + ["end"])
        self.assertTrue(events[0]["model"])
        failed = [event for event in events if event.get("result") == "failed"]
        self.assertEqual([(event["found"], event["expected"]) for event in failed], [("0x00000039", "0x0000003a"), ("32 MiB", "64 MiB")])
        self.assertEqual(events[-2]["failed"], 2)
        self.assertEqual(events[-1]["error"]["code"], 1)

    def test_without_a_board_the_model_is_started_and_nothing_of_it_stays(self):
        self.env["TMPDIR"] = str(self.folder)
        done = subprocess.run([MVCTL, "board", "selftest", "--emulated", "--only", "B14.5*", "--verbose"], env=self.env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(f"{how_many('B14.5*')} ok, 0 failed, 0 read", done.stdout)
        self.assertRegex(done.stdout, r"EXPECTED +SOURCE *\n")
        self.assertRegex(done.stdout, r"0x10000080 +0x10000080 +ARM 100230 FPB")
        self.assertEqual(list(self.folder.glob("mvctl-selftest-*")), [])

    def test_a_glob_that_fits_nothing_is_said(self):
        run = self.order("--only", "nothing")
        self.power_on()
        code, text = self.outcome(run)
        self.assertEqual(code, 4, text)
        self.assertIn("no item is called nothing", text)


class FromTheFirstStep(SelftestTest):
    def test_what_usb_flash_wrote_is_what_the_board_runs(self):
        flash = self.folder / "flash.bin"
        self.mvctl(boot_loader(flash=flash), "flash", "-i", f"{FIRMWARE}/selftest.bin@boot-stage", "--option-bytes",
                   "microvisor", "--yes")
        self.assertEqual(flash.stat().st_size, FLASH)
        run = self.order("--only", "RM0456*")
        self.start_model()
        code, text = self.outcome(run)
        self.assertEqual(code, 0, text)


class OverATty(SelftestTest):
    def test_the_kernels_port_does_as_well(self):
        board, port = pty.openpty()
        self.addCleanup(os.close, board)
        self.addCleanup(os.close, port)
        run = subprocess.Popen([MVCTL, "board", "selftest", "--tty", os.ttyname(port)], env=self.env, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(self.end, run)
        heard = b""
        while b"run\n" not in heard:
            heard += os.read(board, 100)
        for content in (b"start\t1\t0.1.0\tstm32u585\t0x30010482\t0x1-0x2-0x3\tchip\t1", b"item\t5\tB14.2 DWT\tit counts",
                        b"read\t5\t4 comparators\t\tARM 100230", b"end\t0\t0\t1"):
            os.write(board, b"%s\t*%04x\r\n" % (content, crc16(content)))
        code, text = self.outcome(run)
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"5 +read +B14\.2 DWT +it counts +4 comparators")
        self.assertIn("0 ok, 0 failed, 1 read; selftest 0.1.0", text)


class WhatCanGoWrong(SelftestTest):
    START = "start\t1\t0.1.0\tstm32u585\t0x30010482\t0x1-0x2-0x3\tchip\t2"
    ITEM = "item\t1\tB14.2 DWT\tit counts"

    def test_an_unplugged_board_is_told_with_the_item(self):
        run = self.order()
        line = self.play()
        self.say(line, self.START)
        self.say(line, self.ITEM)
        run.stdout.readline()  # who the board is: the run has begun
        run.stdin.write("unplug 0035AA\n")
        run.stdin.flush()
        code, text = self.outcome(run)
        self.assertEqual(code, 5, text)
        self.assertRegex(text, r"the board was unplugged (in item 1 \(B14\.2 DWT: it counts\)|before its first item)")
        self.assertIn("mvctl usb list", text)

    def test_a_damaged_line_is_told_with_its_place(self):
        run = self.order()
        line = self.play()
        self.say(line, self.START)
        self.say(line, self.ITEM)
        line.sendall(b"pass\t1\t0x0\t\t\t*0000\r\n")
        code, text = self.outcome(run)
        self.assertEqual(code, 6, text)
        self.assertIn("a line came damaged: its check is wrong, in item 1 (B14.2 DWT: it counts)", text)
        self.assertIn("run it again", text)

    def test_a_board_that_says_something_else_is_told_what_to_flash(self):
        run = self.order()
        line = self.play()
        line.sendall(b"microvisor 0.1.0 on stm32u585\r\n")
        code, text = self.outcome(run)
        self.assertEqual(code, 5, text)
        self.assertIn("something speaks on the line, but no run began within 10 s", text)
        self.assertIn("selftest.bin@boot-stage", text)

    def test_a_board_that_is_reset_in_the_middle_is_told(self):
        run = self.order()
        line = self.play()
        self.say(line, self.START)
        self.say(line, self.ITEM)
        self.say(line, "ready\t1\t0.1.0")
        code, text = self.outcome(run)
        self.assertEqual(code, 5, text)
        self.assertIn("the board began anew in item 1", text)

    def test_ctrl_c_ends_it_in_good_order(self):
        run = self.order()
        self.say(self.play(), self.START)
        run.stdout.readline()
        run.send_signal(signal.SIGINT)
        code, text = self.outcome(run)
        self.assertEqual(code, 1, text)
        self.assertIn("interrupted", text)

    def test_a_model_that_cannot_be_started_is_said(self):
        (self.folder / "empty").mkdir()
        for arguments, qemu, said in ((["--firmware", self.folder / "empty"], QEMU, "scripts/build firmware"),
                                      ([], "/bin/false", "the model could not be started"),
                                      ([], self.folder / "nothing", "scripts/build-qemu-stm32u585")):
            done = subprocess.run([MVCTL, "board", "selftest", "--emulated", *arguments], text=True,
                                  env=dict(self.env, MVCTL_QEMU_STM32U585=str(qemu)), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(said, done.stdout)

    def test_usage_is_checked_before_a_board_is_looked_for(self):
        for arguments in (["--emulated", "--tty", "/dev/ttyACM0"], ["--firmware", "x"], ["--only", "x" * 64]):
            done = subprocess.run([MVCTL, "board", "selftest", *arguments], env=self.env, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 2, done.stdout)


if __name__ == "__main__":
    if not os.access(QEMU, os.X_OK):
        print("the model is not built: run scripts/build-qemu-stm32u585 (there is no %s)" % QEMU)
        sys.exit(1 if os.environ.get("MV_MODEL") == "required" else 77)
    unittest.main(verbosity=2)
