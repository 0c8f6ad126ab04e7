"""Runs the real chain for a test: mvcloud, an emulated device, mvctl and GDB, each a real process.

Everything lives in a temporary folder; every process is ended by its own id; every wait has a deadline and a condition.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MV_BUILD_DIR", ROOT / "build"))
MVCTL = BUILD / "mvctl"
MVCLOUD = BUILD / "mvcloud"
BOARD = os.environ.get("MV_E2E_BOARD", "mps2-an505")  # what the devices are
FIRMWARE = BUILD / "firmware" / BOARD
# Where an application, its variables and its main stack lie on the board, as the beginning of eight digits.
CODE, RAM, STACK = {"mps2-an505": ("0x0010", "0x2820", "0x2827"), "stm32u585": ("0x0800", "0x2000", "0x2007")}[BOARD]
PATIENCE = 300  # seconds: only what will never come takes so long, also on a machine that stands still now and then
GDB = shutil.which("gdb-multiarch") or "arm-none-eabi-gdb"


def free_port():
    """A port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A child process whose output is collected as it comes."""

    def __init__(self, command, env=None, cwd=None, stdin=None):
        self.command = [str(part) for part in command]
        self.process = subprocess.Popen(self.command, env=env, cwd=cwd, stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace")
        self._text = ""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self._text += line
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    @property
    def text(self):
        with self._changed:
            return self._text

    def wait_for(self, pattern, timeout=PATIENCE, begin=0):
        """Waits until the output from `begin` on matches; fails with it if the process ends or time runs out first."""
        search = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                match = search.search(self._text, begin)
                if match:
                    return match
                left = deadline - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self._reader.is_alive()):
                    raise AssertionError(f"{self.command} did not print /{pattern}/:\n{self._text}")
                self._changed.wait(min(left, 0.5))

    def stop(self, with_signal=signal.SIGTERM, timeout=60):
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(timeout)
        self.process.stdout.close()
        return self.process.returncode


class Chain:
    """One cloud and its devices, with a home of their own."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="mv-e2e-"))
        self.port = free_port()
        self.env = dict(os.environ, HOME=str(self.home), XDG_CONFIG_HOME=str(self.home / "config"),
                        XDG_STATE_HOME=str(self.home / "state"), XDG_CACHE_HOME=str(self.home / "cache"),
                        MVCTL_FIRMWARE_DIR=str(FIRMWARE), MVCTL_BOARD=BOARD, NO_COLOR="1")
        for name in ("MVCTL_CLOUD", "MVCTL_TOKEN", "MVCTL_CA"):
            self.env.pop(name, None)
        self.cloud = None
        self.devices = []

    # The cloud.

    def start(self):
        data = self.home / "cloud"
        context = self.home / "context.json"
        subprocess.run([MVCLOUD, "init", "--data", data, "--listen", f"127.0.0.1:{self.port}", "--context-out", context],
                       check=True, env=self.env, stdout=subprocess.DEVNULL, timeout=PATIENCE)
        self.serve()
        self.mvctl("context", "create", "test", "--from", context)
        self.mvctl("keys", "create", "dev")
        self.mvctl("signers", "add", "dev")

    def serve(self):
        self.cloud = Process([MVCLOUD, "serve", "--data", self.home / "cloud"], env=self.env)
        self.cloud.wait_for(r"listening on|serving")

    def stop_cloud(self, with_signal=signal.SIGTERM):
        code = self.cloud.stop(with_signal)
        self.cloud = None
        return code

    # mvctl.

    def run(self, *arguments, timeout=PATIENCE, cwd=None):
        return subprocess.run([str(MVCTL), *map(str, arguments)], env=self.env, cwd=cwd, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, errors="replace")

    def mvctl(self, *arguments, timeout=PATIENCE, cwd=None):
        done = self.run(*arguments, timeout=timeout, cwd=cwd)
        if done.returncode != 0:
            raise AssertionError(f"mvctl {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stdout}\n"
                                 f"{self.diagnosis()}")
        return done.stdout

    def json(self, *arguments, timeout=PATIENCE):
        return json.loads(self.mvctl(*arguments, "--output", "json", timeout=timeout))

    def spawn(self, *arguments):
        return Process([MVCTL, *arguments], env=self.env)

    # Devices.

    def start_device(self, name, *options):
        self.devices.append(name)
        return self.mvctl("emulator", "start", name, "--board", BOARD, *options)

    def device(self, name):
        return self.json("devices", "show", name)

    def wait_device(self, name, condition, timeout=PATIENCE, what="the state that was waited for"):
        """Polls what the cloud says of the device until `condition` holds."""
        deadline = time.monotonic() + timeout
        while True:
            device = self.device(name)
            if condition(device):
                return device
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} did not reach {what}: {json.dumps(device, indent=1)}\n{self.diagnosis()}")
            threading.Event().wait(0.1)

    def diagnosis(self):
        """The last words of every device and of the cloud, for a failure's message."""
        words = []
        for log in sorted((self.home / "state").rglob("*.log")):
            text = log.read_text(errors="replace").rstrip()
            if text:
                words.append(f"--- {log.parent.name}/{log.name}:\n{text[-1500:]}")
        if self.cloud:
            words.append(f"--- mvcloud:\n{self.cloud.text[-2000:]}")
        return "\n".join(words)

    def wait_online(self, name, timeout=PATIENCE):
        return self.wait_device(name, lambda device: device["connection"]["state"] == "online", timeout, "online")

    # Projects.

    def project(self, example):
        """A private copy of an example, so that a test may change it."""
        return self.copy_project(ROOT / "examples" / example)

    def copy_project(self, source):
        copy = self.home / "projects" / "examples" / source.name
        if not copy.exists():
            shutil.copytree(source, copy)
            common = copy.parent / "common"
            if not common.exists():
                shutil.copytree(ROOT / "examples" / "common", common)
            agent = self.home / "projects" / "firmware-agent"
            if not agent.exists():
                agent.symlink_to(ROOT / "firmware-agent")
        return copy

    def deploy(self, project, device, *options, timeout=PATIENCE):
        return self.mvctl("deploy", project, "--device", device, "--key", "dev", "--debug-key", "dev", "--wait",
                          *options, timeout=timeout)

    def close(self):
        for name in self.devices:
            self.run("emulator", "stop", name)
        if self.cloud:
            self.cloud.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Debugger:
    """`mvctl debug` with a scripted GDB on its port; `cloud` is another address to reach the cloud by."""

    def __init__(self, chain, device, *options, cloud=None):
        self.chain = chain
        chain.wait_online(device)
        env = dict(chain.env, MVCTL_CLOUD=cloud) if cloud else chain.env
        self.server = Process([MVCTL, "debug", device, "--key", "dev", "--port", "0", *options], env=env)
        self.port = int(self.server.wait_for(r"^Listening on port (\d+)").group(1))

    def gdb(self, elf, *commands, timeout=PATIENCE):
        """Runs GDB with `commands` after connecting and returns what it printed. Without `elf` it asks the server for it."""
        line = [GDB, "-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off",
                "-ex", "set style enabled off", "-ex", "set tcp auto-retry on",
                "-ex", f"target remote 127.0.0.1:{self.port}"]
        for command in commands:
            line += ["-ex", command]
        if elf:
            line.append(str(elf))
        done = subprocess.run(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=timeout, errors="replace")
        return done.stdout

    def close(self):
        return self.server.stop(signal.SIGINT)


class GdbPrompt:
    """GDB as a person uses it: commands typed one after the other."""

    def __init__(self, elf, port):
        self.child = Process([GDB, "-nx", "-q", elf], stdin=subprocess.PIPE)
        self.number = 0
        for setting in ("pagination off", "confirm off", "style enabled off", "width 0"):
            self.send("set " + setting)
        self.send(f"target remote 127.0.0.1:{port}")

    def type(self, command):
        self.child.process.stdin.write(command + "\n")
        self.child.process.stdin.flush()

    def wait_for(self, pattern, timeout=PATIENCE):
        return self.child.wait_for(pattern, timeout)

    def send(self, command, timeout=PATIENCE):
        """Types a command and returns what GDB printed upon it."""
        begin = len(self.child.text)
        self.number += 1
        self.type(f"{command}\necho done-{self.number}\\n")
        self.wait_for(rf"done-{self.number}\b", timeout)
        return self.child.text[begin:]

    def close(self):
        self.child.process.stdin.close()
        self.child.stop()


class ChainTest(unittest.TestCase):
    """A test with a cloud and one device called `bench`, shared by the cases of the class."""

    device_options = ()

    @classmethod
    def setUpClass(cls):
        cls.chain = Chain()
        cls.addClassCleanup(cls.chain.close)
        cls.chain.start()
        cls.chain.start_device("bench", *cls.device_options)

    def assert_runs_on(self, line):
        """The application, which logs such a line each second, runs: three of them cannot all be of the last second."""
        log = self.chain.spawn("logs", "bench", "--since", "1s")
        self.addCleanup(log.stop)
        log.wait_for(rf"(?s)({line}.*?){{3}}", 30)


class DebugTest(ChainTest):
    """A chain whose device runs examples/counter, built here, and `mvctl debug` on it for each case."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        project = cls.chain.project("counter")
        cls.chain.deploy(project, "bench")
        cls.elf = next(project.rglob("counter.elf"))

    def setUp(self):
        self.debugger = Debugger(self.chain, "bench", "--elf", str(self.elf))
        self.addCleanup(self.debugger.close)
