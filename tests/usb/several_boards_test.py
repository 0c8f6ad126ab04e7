"""mvctl usb bridge with two boards at once: each has a modem of its own, and one that is unplugged does not disturb the other."""
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

from mock import MVCTL, UsbTest, serial_port

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from harness import Process  # noqa: E402

FIRST, SECOND = "0035AA", "0099BB"


class Uart:
    """The board's side of a line."""

    def __init__(self, path, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def ask(self, command, answer, timeout=30):
        """Says `command` until `answer` comes: what is said before the modem has power is lost."""
        deadline = time.monotonic() + timeout
        heard = b""
        self.socket.settimeout(0.5)
        while answer not in heard:
            if time.monotonic() > deadline:
                raise AssertionError(f"{answer} did not come after {command}, but {heard}")
            self.socket.sendall(command + b"\r")
            try:
                heard += self.socket.recv(4096)
            except TimeoutError:
                pass
        return heard

    def close(self):
        self.socket.close()


class TwoBoards(UsbTest):
    def bridge(self, *choice):
        lines = {serial: self.folder / f"{serial}.sock" for serial in (FIRST, SECOND)}
        boards = [word for serial, line in lines.items() for word in serial_port(serial=serial, socket=line)]
        mock = Process(self.command(boards, MVCTL, "usb", "bridge", "--output", "json", *choice), env=self.env,
                       stdin=subprocess.PIPE)
        self.addCleanup(mock.process.stdin.close)
        self.addCleanup(mock.stop)
        return mock, lines

    def wait_for(self, mock, event, serial, begin=0):
        mock.wait_for(rf'"event":"{event}","board":"{serial}"', 60, begin)

    def uart(self, line):
        uart = Uart(line)
        self.addCleanup(uart.close)
        return uart

    def order(self, mock, line):
        mock.process.stdin.write(line + "\n")
        mock.process.stdin.flush()

    def check_both(self, *choice):
        mock, lines = self.bridge(*choice)
        for serial in (FIRST, SECOND):
            self.wait_for(mock, "attached", serial)
        first, second = self.uart(lines[FIRST]), self.uart(lines[SECOND])
        first.ask(b"AT", b"OK")
        second.ask(b"AT+CGMM", b"BG95-M3")

        begin = len(mock.text)
        self.order(mock, "unplug " + FIRST)
        self.wait_for(mock, "detached", FIRST, begin)
        second.ask(b"AT+CSQ", b"+CSQ:")
        self.assertNotIn(f'"detached","board":"{SECOND}"', mock.text)

        begin = len(mock.text)
        self.order(mock, "plug " + FIRST)
        self.wait_for(mock, "attached", FIRST, begin)
        second.ask(b"AT+CEREG?", b"+CEREG: 0,1")

    def test_all_bridges_every_board_by_its_serial_number(self):
        self.check_both("--all")

    def test_several_serials_bridge_those(self):
        self.check_both("--serial", FIRST, "--serial", SECOND)

    def test_of_two_boards_it_wants_one_chosen(self):
        mock, _ = self.bridge()
        self.assertEqual(mock.process.wait(60), 2, mock.text)

    def test_a_serial_that_is_not_there_is_said(self):
        mock, _ = self.bridge("--serial", FIRST, "--serial", "77")
        self.assertEqual(mock.process.wait(60), 4, mock.text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
