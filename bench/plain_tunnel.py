"""The yardstick: the same GDB, the same program and the same commands, with the remote protocol simply piped.

QEMU's own stub stands for any probe's server. The program runs on the bare machine, where the stub sees it alone.
"""
import subprocess
import tempfile
import time
from pathlib import Path

from counting_proxy import CountingProxy
from harness import GdbPrompt, Process, ROOT

BARE = ROOT / "tests" / "gdb" / "program"  # start-up code and memory of the bare machine
PATIENCE = 600  # seconds for one command: a condition that is false nine times takes some 400 round trips


def build(folder, source):
    elf = Path(folder) / "actions.elf"
    subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb", "-O0", "-g3", "-ffreestanding", "-nostdlib",
                    "-T", BARE / "link.ld", "-o", elf, BARE / "start.s", source], check=True)
    return elf


class PlainTunnel:
    """QEMU with the program, behind a proxy that delays by `delay` seconds each way and counts turns."""

    def __init__(self, folder, source, delay):
        self.elf = build(folder, source)
        socket = Path(folder) / "stub"
        self.machine = Process(["qemu-system-arm", "-M", "mps2-an505", "-display", "none", "-monitor", "none",
                                "-serial", "null", "-S", "-kernel", self.elf,
                                "-chardev", f"socket,id=stub,path={socket},server=on,wait=off", "-gdb", "chardev:stub"])
        deadline = time.monotonic() + 20
        while not socket.exists():
            if self.machine.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("QEMU did not start: " + self.machine.text)
            time.sleep(0.01)
        self.session = CountingProxy(str(socket), delay, asks="client")

    def connect(self):
        return GdbPrompt(self.elf, self.session.port)

    def close(self):
        self.session.close()
        self.machine.stop()


def measure(actions, at, source, delay):
    """Round trips and seconds by the name of the action; `at` makes the commands that bring GDB to a line."""
    rows = {}
    with tempfile.TemporaryDirectory(prefix="mv-plain-") as folder:
        tunnel = PlainTunnel(folder, source, delay)
        try:
            began = time.monotonic()
            gdb = tunnel.connect()
            rows["connect, first stop shown"] = (tunnel.session.turns, time.monotonic() - began)
            for action in actions:
                rows[action.name] = one(tunnel, gdb, action, at)
            gdb.close()
        finally:
            tunnel.close()
    return rows


def one(tunnel, gdb, action, at):
    if action.too_long:
        for command in at(action.too_long):
            gdb.send(command, PATIENCE)
        return None, None
    for command in action.before:
        gdb.send(command, PATIENCE)
    tunnel.session.reset()
    began = time.monotonic()
    text = "".join(gdb.send(command, PATIENCE) for command in action.commands)
    action.check(text)
    return tunnel.session.turns, time.monotonic() - began
