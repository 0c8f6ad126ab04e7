"""One emulated board under test: QEMU as a child, its consoles as streams to wait on."""
import os
import re
import select
import shlex
import signal
import subprocess
import tempfile
import time

import boards
from machine_debugger import MachineDebugger

QEMU = shlex.split(os.environ.get("MV_QEMU", ""))  # another than the board's, and options for it
DEADLINE = 20  # seconds that a line may take; only a failing test waits so long


class Stream:
    """What QEMU writes to one serial port. A FIFO, so that reading can wait without polling."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.text = ""

    def read(self, timeout):
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if ready:
            self.text += os.read(self.fd, 65536).decode("utf-8", "replace")
        return bool(ready)

    def close(self):
        os.close(self.fd)


class Device:
    """`microvisor` is the signed image, `application` the raw image or None. Use it in a `with` block."""

    def __init__(self, firmware, microvisor="microvisor.bin", application=None, flash=None, identity=None,
                 edit=None):
        self.firmware = firmware
        self.board = boards.board_of(firmware)
        self.folder = tempfile.TemporaryDirectory(prefix="mv-firmware-test-")
        self.flash = flash or self.path("flash")
        if flash is None:
            app = application and self.load(os.path.join("test-applications", application + ".bin"))
            boards.compose(self.board, self.flash, firmware, self.load(microvisor), app, identity)
        if edit:
            edit(self.board, self.flash)
        self.console = Stream(self.path("console"))
        self.application = Stream(self.path("application"))
        self.process = None

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def load(self, name):
        with open(os.path.join(self.firmware, name), "rb") as file:
            return file.read()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        self.console.close()
        self.application.close()
        self.folder.cleanup()

    def link(self):
        """What QEMU connects the modem's serial port to."""
        return "null"

    def start(self):
        self.process = subprocess.Popen([
            *(QEMU or [self.board.qemu]), *self.board.machine(self.firmware, self.flash), "-display", "none", "-monitor",
            "none", "-serial", self.link(), "-serial", "file:" + self.console.path, "-serial",
            "file:" + self.application.path,
            "-gdb", "unix:%s,server=on,wait=off" % self.path("debugger"),
        ], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def debugger(self):
        """The machine's own debug port; stops the machine."""
        return MachineDebugger(self.path("debugger"), DEADLINE)

    def cpu_seconds(self):
        """CPU time that QEMU has taken so far."""
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self):
        """As a power cut would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()

    def wait_for(self, stream, pattern, count=1):
        """Waits until `pattern` was written `count` times; returns its last match. Fails with all that was written."""
        end = time.monotonic() + DEADLINE
        while True:
            matches = list(re.finditer(pattern, stream.text))
            if len(matches) >= count:
                return matches[count - 1]
            left = end - time.monotonic()
            if left <= 0 or self.process.poll() is not None:
                raise AssertionError(self.story(pattern, count))
            stream.read(min(left, 0.5))

    def story(self, pattern, count):
        for stream in (self.console, self.application):
            stream.read(0)
        if self.process.poll() is None:
            state = "it runs"
        else:
            state = "it ended with %d: %s" % (self.process.returncode, self.process.stderr.read(2000))
        return "no %r (%d times) from the device; %s\n--- console\n%s\n--- application\n%s" % (
            pattern, count, state, self.console.text, self.application.text)
