"""What the sessions with the real GDB have in common: a GDB at whose prompt we type, and places in the program by name."""
import os
import pathlib
import re
import select
import signal
import subprocess
import time
import unittest

GDB = "gdb-multiarch"
PROMPT = "(gdb) "


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        select.select([], [], [], 0.02)


class Gdb:
    """A GDB at whose prompt we type."""

    def __init__(self, elf):
        self.process = subprocess.Popen(
            [GDB, "-nx", "-q", "-ex", "set pagination off", "-ex", "set confirm off", "-ex", "set style enabled off",
             "-ex", "set width 0", str(elf)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.read_prompt()

    def read_prompt(self, seconds=30):
        out = b""
        end = time.monotonic() + seconds
        while not out.endswith(PROMPT.encode()):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError("GDB did not come back, it printed: " + out.decode(errors="replace"))
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise AssertionError("GDB ended: " + out.decode(errors="replace"))
            out += piece
        return out.decode(errors="replace")[:-len(PROMPT)]

    def type(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def do(self, command):
        self.type(command)
        return self.read_prompt()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def port_of(rig):
    """The port that a rig of ours says it listens on."""
    return int(re.fullmatch(rb"Listening on port (\d+)\n", rig.stdout.readline()).group(1))


class GdbSession(unittest.TestCase):
    """`self.gdb` is the GDB; `MARK name` in a comment of the program is a place to run to."""

    @classmethod
    def find_marks(cls, source):
        source = pathlib.Path(source)
        cls.source = source.name
        cls.lines = {}
        for number, text in enumerate(source.read_text().splitlines(), 1):
            if "MARK " in text:
                cls.lines[text.split("MARK ")[1].strip()] = number

    def at(self, mark):
        return f"{self.source}:{self.lines[mark]}"

    def run_to(self, mark):
        self.gdb.do(f"tbreak {self.at(mark)}")
        return self.gdb.do("continue")

    def value(self, expression):
        return int(self.gdb.do(f"print/d {expression}").split("=")[1])

    def round_trips(self):
        return int(re.search(r"round trips +(\d+)", self.gdb.do("monitor status")).group(1))

    def cost(self, command):
        """What a command prints, and how many messages it sent to the device."""
        before = self.round_trips()
        out = self.gdb.do(command)
        return out, self.round_trips() - before


class DeviceSession(GdbSession):
    """A GDB on the device's own code in QEMU, over its serial port."""

    def start(self, rig, device, elf):
        """Boots `device` (a DebugDevice) and serves it with the program `rig`. Returns the port."""
        self.device = device
        device.__enter__()
        self.addCleanup(device.__exit__)
        serial = device.socket.fileno()
        server = subprocess.Popen([rig, str(serial), elf], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0,
                                  pass_fds=[serial])
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        port = port_of(server)
        self.gdb = Gdb(elf)
        self.addCleanup(self.gdb.close)
        return port
