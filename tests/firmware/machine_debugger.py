"""The emulated machine's own debug port (QEMU's GDB server), which a device in the field does not have.

For tests that need to break what runs on the Secure side. Only what they use of GDB's remote protocol.
"""
import socket
import time


class MachineDebugger:
    """Stops the machine when it connects; `detach` lets it run on."""

    def __init__(self, path, deadline):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(deadline)
        end = time.monotonic() + deadline
        while True:
            try:
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)  # QEMU has not opened it yet
        self.bytes = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, packet):
        body = packet.encode()
        self.socket.sendall(b"$" + body + b"#%02x" % (sum(body) & 0xff))

    def reply(self):
        """The next packet's contents; acknowledged."""
        while True:
            start = self.bytes.find(b"$")
            end = self.bytes.find(b"#", start)
            if start >= 0 and end >= 0 and len(self.bytes) >= end + 3:
                body = self.bytes[start + 1:end].decode()
                self.bytes = self.bytes[end + 3:]
                self.socket.sendall(b"+")
                return body
            more = self.socket.recv(4096)
            if not more:
                raise AssertionError("QEMU closed its debug port")
            self.bytes += more

    def ask(self, packet, wanted="OK"):
        self.send(packet)
        got = self.reply()
        while got.startswith("T02") and wanted != "T02":
            got = self.reply()  # that the machine stopped when we connected
        if not got.startswith(wanted):
            raise AssertionError("%s was answered by %r" % (packet, got))

    def run_to(self, address):
        self.ask("Z1,%x,2" % address)
        self.ask("c", "T05")
        self.ask("z1,%x,2" % address)

    def write(self, address, data):
        self.ask("M%x,%x:%s" % (address, len(data), data.hex()))

    def detach(self):
        self.ask("D")
