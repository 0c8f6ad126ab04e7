#!/usr/bin/env python3
"""Runs the conformance program on the model of the STM32U585, over its serial line.

usage: conformance_test.py QEMU FOLDER [UNITTEST...]      FOLDER: the firmware of the board, built
Without the model the test is skipped (exit status 77), unless MV_MODEL=required."""
import os
import select
import subprocess
import sys
import time
import unittest

from conformance_items import items

DEADLINE = 20  # seconds; it takes one or two
SKIPPED = 77
QEMU, FOLDER = "", ""


def crc16(data):
    """CRC-16 of CCITT: polynomial 0x1021, begun with 0xffff."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


class Board:
    """The program on the model, and its serial line."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [QEMU, "-machine", "stm32u585", "-display", "none", "-monitor", "none", "-serial", "null", "-serial", "stdio",
             "-kernel", os.path.join(FOLDER, program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.text = b""

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def order(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def next_line(self):
        """The fields of the next line. Its check must be right."""
        end = time.monotonic() + DEADLINE
        while b"\r\n" not in self.text:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not piece:
                raise AssertionError("it fell silent after %r" % self.text)
            self.text += piece
        line, self.text = self.text.split(b"\r\n", 1)
        content, check = line.rsplit(b"\t*", 1)
        assert int(check, 16) == crc16(content), line
        return content.decode().split("\t")

    def run(self, order="run"):
        """What the start line says, {promise: verdict line}, the end line."""
        self.order(order)
        line = self.next_line()
        while line[0] == "ready":
            line = self.next_line()
        assert line[0] == "start", line
        start, verdicts = line[1:], {}
        for line in iter(self.next_line, None):
            if line[0] == "end":
                return start, verdicts, [int(count) for count in line[1:]]
            kind, number, paragraph, promise = line
            assert kind == "item", line
            verdict = self.next_line()
            assert verdict[1] == number, (line, verdict)
            verdicts["%s: %s" % (paragraph, promise)] = [verdict[0]] + verdict[2:]


class Model(unittest.TestCase):
    def board(self, program):
        board = Board(program)
        self.addCleanup(board.close)
        return board


class Conformance(Model):
    def test_every_item_of_the_source_holds_once(self):
        start, verdicts, (passed, failed, read) = self.board("selftest.elf").run()
        self.assertEqual(start, ["1", start[1], "stm32u585", "0x30010482", "0x00210034-0x4d455107-0x35383555", "model",
                                 str(len(items()))])
        self.assertEqual(sorted(verdicts), sorted("%s: %s" % (paragraph, promise) for _, paragraph, promise in items()))
        wrong = {name: verdict for name, verdict in verdicts.items() if verdict[0] not in ("pass", "read")}
        self.assertEqual(wrong, {})
        self.assertEqual((passed + read, failed), (len(items()), 0))

    def test_what_the_model_cannot_know_is_told_and_not_judged(self):
        _, verdicts, _ = self.board("selftest.elf").run("run *cycles*")
        self.assertEqual(verdicts, {})
        _, verdicts, _ = self.board("selftest.elf").run("run RM0456 7.3.?*")
        self.assertEqual({verdict[0] for verdict in verdicts.values()}, {"read"})
        self.assertEqual(len(verdicts), 2)
        for verdict in verdicts.values():
            self.assertRegex(verdict[1], "^[1-9][0-9]* cycles$")

    def test_it_runs_as_often_as_it_is_told_to(self):
        board = self.board("selftest.elf")
        runs = [board.run() for _ in range(3)]
        for start, verdicts, end in runs:
            self.assertEqual((start, list(verdicts), end), (runs[0][0], list(runs[0][1]), runs[0][2]))

    def test_an_order_that_is_none_is_answered(self):
        board = self.board("selftest.elf")
        self.assertEqual(board.next_line()[0], "ready")
        for order in ("walk", "running", "run" * 100):
            board.order(order)
            self.assertEqual(board.next_line(), ["what", "an order is: run, or: run GLOB"])
        board.order("\r\n\n")
        _, verdicts, end = board.run("run D1.2.21 CPUID: *")
        self.assertEqual((len(verdicts), end), (1, [1, 0, 0]))


class BrokenItems(Model):
    def test_whatever_an_item_does_the_rest_is_run(self):
        board = self.board("test-applications/broken-selftest.elf")
        start, verdicts, end = board.run()
        self.assertEqual(start[-1], "7")
        found = {name[len("broken: "):]: verdict for name, verdict in verdicts.items()}
        self.assertEqual(found["it holds"], ["pass", "", "", ""])
        check = found["a check does not hold"]
        self.assertEqual(check[:3], ["fail", "0x01000000", "0x00000000"])
        self.assertRegex(check[3], r"^broken_items\.cc:[0-9]+: reg\(kDemcr\) & kTrcena$")
        self.assertEqual(found["a number is out of its range"], ["fail", "7 apples", "8 to 9 apples", "the test"])
        self.assertRegex(found["it faults"][1], "^exception 3 at 0x0c10.*, CFSR 0x00010000")
        self.assertRegex(found["it faults in a handler"][1], "^exception 3 at 0x0c10")
        self.assertRegex(found["it does not end"][1], "^the watchdog reset the chip, RCC_CSR 0x")
        self.assertRegex(found["it resets the chip"][1], "^the chip was reset, RCC_CSR 0x")
        self.assertEqual(end, [1, 6, 0])

    def test_after_a_reset_of_its_own_it_waits_for_orders_as_before(self):
        board = self.board("test-applications/broken-selftest.elf")
        self.assertEqual(board.run("run *resets*")[2], [0, 1, 0])
        self.assertEqual(board.run("run *holds")[2], [1, 0, 0])


if __name__ == "__main__":
    QEMU, FOLDER = sys.argv[1:3]
    if not os.access(QEMU, os.X_OK):
        print("the model is not built: run scripts/build-qemu-stm32u585 (there is no %s)" % QEMU)
        sys.exit(1 if os.environ.get("MV_MODEL") == "required" else SKIPPED)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
