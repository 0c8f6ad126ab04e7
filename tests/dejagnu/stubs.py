"""The two stubs that are compared, and the server that the DejaGnu board asks for a program."""
import hashlib
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path += [str(ROOT / "tests" / "e2e"), str(ROOT / "bench")]
from counting_proxy import CountingProxy  # noqa: E402
from harness import GDB, Chain, Debugger, free_port  # noqa: E402


class QemuStub:
    """The reference: each program on a bare machine of its own, stopped at its reset by QEMU."""

    name = "QEMU"
    linker_script = HERE / "qemu.ld"

    def __init__(self):
        self.machine = None

    def load(self, elf):
        """Where GDB finds `elf`, as the board wants it."""
        self.close()
        port = free_port()
        self.machine = subprocess.Popen(
            ["qemu-system-arm", "-machine", "mps2-an505", "-nographic", "-monitor", "none", "-serial", "none",
             "-semihosting-config", "enable=on,target=native", "-kernel", elf, "-S", "-gdb", f"tcp:127.0.0.1:{port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: has_socket(port, LISTENING), "QEMU does not listen")
        return f"{port} fresh"

    def close(self):
        if self.machine:
            self.machine.kill()
            self.machine.wait()
        self.machine = None


class MvctlStub:
    """The candidate: each program is bundled, signed and deployed to the device, then debugged through the cloud."""

    name = "mvctl"
    linker_script = ROOT / "firmware-agent" / "sdk" / "ld" / "mps2-an505.ld"

    def __init__(self, round_trip=0.0):
        """`round_trip`: seconds between `mvctl debug` and the cloud."""
        self.debugger = None
        self.deployed = None
        self.deploys = 0
        self.far = None
        self.chain = Chain()
        try:
            self.chain.start()
            self.chain.start_device("bench")
            self.chain.wait_online("bench")
            if round_trip:
                self.far = CountingProxy(self.chain.port, round_trip / 2)
        except BaseException:
            self.close()
            raise

    def load(self, elf):
        """Where GDB finds `elf`, as the board wants it."""
        digest = hashlib.sha256(Path(elf).read_bytes()).hexdigest()
        if digest != self.deployed:
            self.leave()
            self.deploy(elf)
            self.deployed = digest
        if self.debugger and self.debugger.server.process.poll() is not None:
            print(f"mvctl debug ended by itself:\n{self.debugger.server.text}{self.chain.diagnosis()}", file=sys.stderr)
            self.leave()
        if self.debugger and has_socket(self.debugger.port, ESTABLISHED):  # a script left its GDB behind, which would drive
            self.leave()
        if self.debugger is None:
            cloud = f"https://127.0.0.1:{self.far.port}" if self.far else None
            self.debugger = Debugger(self.chain, "bench", "--elf", elf, cloud=cloud)
        return f"{self.debugger.port} running"

    def deploy(self, elf):
        self.deploys += 1
        bundle = self.chain.home / "program.zip"
        self.chain.mvctl("bundle", "create", elf, "--out", bundle, "--key", "dev", "--debug-key", "dev", "--name",
                         "program", "--version", f"1.0.{self.deploys}", "--git-revision", "none")
        self.chain.mvctl("deploy", bundle, "--device", "bench", "--wait")

    def leave(self):
        if self.debugger:
            self.debugger.close()
        self.debugger = None

    def close(self):
        self.leave()
        if self.far:
            self.far.close()
        self.chain.close()


LISTENING, ESTABLISHED = "0A", "01"  # states of /proc/net/tcp


def has_socket(port, state):
    """Whether a socket of 127.0.0.1 at `port` is in this state. Asks the kernel: connecting would use up a client's place."""
    address = f"0100007F:{port:04X}"
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[1] == address and row[3] == state for row in rows)


def wait_until(condition, what, timeout=20):
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {timeout} s in vain: {what}")
        time.sleep(0.01)


def is_linked(elf):
    """Whether it is a program, and not an object file that a script only looks at."""
    with open(elf, "rb") as file:
        return int.from_bytes(file.read(18)[16:], "little") == 2  # e_type is ET_EXEC


class ProgramServer:
    """Gives the board a stub for each ELF that it names, one request a connection."""

    def __init__(self, stub):
        self.stub = stub
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rw") as lines:
                print(self.answer(lines.readline().strip()), file=lines)

    def answer(self, elf):
        try:
            return self.stub.load(elf) if is_linked(elf) else "unlinked"
        except Exception as error:  # whatever it is, the test that wanted the program has to hear of it
            print(f"{elf}: {error}", file=sys.stderr)
            return "error " + " ".join(str(error).split())

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
