"""Clients that misbehave: whatever comes, mvctl debug answers or hangs up, and the application runs on."""
import os
import random
import re
import socket
import struct
import subprocess
import threading
import time
import unittest
from pathlib import Path

from harness import ChainTest, Debugger

PATIENCE = 30  # seconds until the next client must be served
MEMORY = 128 << 20  # bytes of mvctl, at most
NO_ACK = "QStartNoAckMode"


def framed(payload):
    data = payload if isinstance(payload, bytes) else payload.encode()
    return b"$" + data + b"#%02x" % (sum(data) & 0xFF)


class HungUp(Exception):
    pass


class Client:
    """A bare connection to mvctl debug."""

    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.bytes = b""
        self.acks = True

    def raw(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise HungUp from error

    def more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError as error:
            raise HungUp from error
        if not data:
            raise HungUp
        self.bytes += data

    def nacks(self, count):
        """Waits for so many '-'."""
        while self.bytes.count(b"-") < count:
            self.more()
        self.bytes = b""

    def reply(self):
        """The next packet that is neither console text nor a notification."""
        while True:
            match = re.search(rb"([$%])([^#]*)#..", self.bytes, re.DOTALL)
            if not match:
                self.more()
                continue
            self.bytes = self.bytes[match.end():]
            if match[1] == b"$" and self.acks:
                self.raw(b"+")
            if match[1] == b"$" and not re.fullmatch(rb"O[0-9a-f]+", match[2]):
                return match[2]

    def ask(self, payload):
        self.raw(framed(payload))
        answer = self.reply()
        if payload == NO_ACK:
            self.acks = False
        return answer

    def kill(self):
        """Gone without a word: the kernel sends a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


class Recorder:
    """Stands between a GDB and mvctl debug and keeps what GDB asked, packet by packet."""

    def __init__(self, port):
        self.port = port
        self.asked = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listening = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", self.port))
        back = threading.Thread(target=self.pass_on, args=(server, client), daemon=True)
        back.start()
        self.pass_on(client, server, keep=True)
        back.join(PATIENCE)
        client.close()
        server.close()

    def pass_on(self, source, sink, keep=False):
        while data := source.recv(65536):
            if keep:
                self.asked += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def packets(self):
        self.thread.join(PATIENCE)
        self.listener.close()
        return [payload.decode("latin-1") for payload in re.findall(rb"\$([^#]*)#..", self.asked, re.DOTALL)]


class ClientWeather(ChainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chain.deploy(cls.chain.project("counter"), "bench")
        cls.elf = next((cls.chain.home / "projects").rglob("counter.elf"))
        nm = subprocess.run(["arm-none-eabi-nm", "--demangle", cls.elf], check=True, capture_output=True, text=True)
        cls.ticks = re.search(r"^([0-9a-f]+) . \(anonymous namespace\)::ticks$", nm.stdout, re.MULTILINE).group(1)
        cls.main = re.search(r"^([0-9a-f]+) T main$", nm.stdout, re.MULTILINE).group(1)
        cls.seed = int(os.environ.get("MV_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"\nseed {cls.seed} (MV_SEED={cls.seed} repeats it)")

    def setUp(self):
        self.chance = random.Random(self.seed)
        self.debugger = Debugger(self.chain, "bench", "--elf", str(self.elf))
        self.addCleanup(self.debugger.close)
        self.debugger.server.wait_for(r"^session ")
        self.last_ticks = None
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.assert_serves_and_runs()
        self.assertIsNone(self.debugger.server.process.poll(), self.debugger.server.text)
        status = Path(f"/proc/{self.debugger.server.process.pid}/status").read_text()
        self.assertLess(int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) << 10, MEMORY)

    def client(self, **options):
        self.clients.append(Client(self.debugger.port, **options))
        return self.clients[-1]

    def read_ticks(self):
        """What a new driver reads of the application's clock; nothing while an earlier client is still being let go."""
        client = Client(self.debugger.port)
        try:
            client.ask(NO_ACK)
            if client.ask(f"Z1,{self.main},2") != b"OK":  # an observer may not
                return None
            value = client.ask(f"m{self.ticks},4")
            client.ask("D")
            return value
        except HungUp:
            return None
        finally:
            client.close()

    def assert_serves_and_runs(self):
        """The next client may drive, and the application's clock goes on: nobody left it halted."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            value = self.read_ticks()
            if value is not None and self.last_ticks not in (None, value):
                self.last_ticks = value
                return
            self.last_ticks = value or self.last_ticks
        self.fail(f"after {PATIENCE} s the application stands still, or nobody is let in\n{self.debugger.server.text}")

    def test_noise(self):
        for length in (1, 100, 10000, 100000):
            client = self.client()
            try:
                client.raw(self.chance.randbytes(length))
                client.raw(framed("qC"))
            except HungUp:
                pass
            client.close()
            self.assert_serves_and_runs()

    def test_half_a_packet(self):
        whole = framed(f"m{self.ticks},4")
        for length in range(len(whole)):
            client = self.client()
            client.raw(whole[:length])
            client.kill()
        client = self.client()
        client.raw(whole[:5])
        self.assertTrue(client.ask("qSupported").startswith(b"PacketSize="), "a new packet ends one that was given up")

    def test_packets_of_a_mebibyte(self):
        client = self.client()
        for payload in (b"x" * (1 << 20), f"M{self.ticks},80000:".encode() + b"00" * (1 << 19), b"}" * (1 << 20),
                        b"qSupported:" + b"a;" * (1 << 19)):
            client.raw(framed(payload))
            client.nacks(1)
        self.assertTrue(client.ask("?").startswith(b"T"))

    def test_wrong_checksums(self):
        client = self.client()
        client.raw(b"$?#00" * 1000)
        client.nacks(1000)
        self.assertTrue(client.ask("?").startswith(b"T"))
        client.ask(NO_ACK)
        client.raw(b"$?#00" * 1000)
        self.assertTrue(client.ask("qSupported").startswith(b"PacketSize="), "no-ack mode says nothing of them")

    def test_a_client_that_stops_reading(self):
        client = self.client(receive_buffer=4096)
        client.ask(NO_ACK)
        deadline = time.monotonic() + PATIENCE
        with self.assertRaises(HungUp):
            while time.monotonic() < deadline:
                client.raw(framed(f"m{self.main},1000"))

    def test_a_client_that_sends_ahead_of_every_answer(self):
        client = self.client()
        client.ask(NO_ACK)
        client.raw(framed("vCont;c") + framed("g") * 1000)
        with self.assertRaises(HungUp):
            while True:
                client.more()

    def test_a_client_that_asks_again_and_again_for_the_last_packet(self):
        client = self.client()
        client.ask("g")
        with self.assertRaises((HungUp, TimeoutError)):
            client.socket.settimeout(5)
            client.raw(b"-" * (1 << 20))
            client.raw(b"-" * (1 << 20))
            while True:
                client.more()

    def test_ten_connects_a_second(self):
        pace = threading.Event()
        for number in range(30):
            client = Client(self.debugger.port)
            if number % 3 == 0:
                client.raw(framed("?"))
            if number % 3 == 1:
                client.raw(framed("vCont;c")[:-1])
            client.kill() if number % 2 else client.close()
            pace.wait(0.1)

    def test_more_clients_than_are_taken(self):
        clients = [self.client() for _ in range(40)]
        self.assertTrue(clients[0].ask("?").startswith(b"T"))
        for client in reversed(clients):
            client.kill()

    def test_a_client_killed_at_every_packet_of_a_session(self):
        recorder = Recorder(self.debugger.port)
        port, self.debugger.port = self.debugger.port, recorder.listening
        out = self.debugger.gdb(self.elf, "set trust-readonly-sections on", "break tally", "continue", "next", "print into",
                                "finish", "watch statistics.sum", "continue", "set var statistics.largest = 1", "delete",
                                "detach")
        self.debugger.port = port
        packets = recorder.packets()
        self.assertRegex(out, r"Breakpoint 1, .*tally")
        self.assertGreater(len(packets), 40, packets)
        for end in range(len(packets)):
            with self.subTest(killed_at=packets[end]):
                client = Client(port)
                for packet in packets[:end]:
                    client.ask(packet)
                whole = framed(packets[end].encode("latin-1"))
                client.raw(whole[:self.chance.randint(1, len(whole))])
                client.kill()
                self.assert_serves_and_runs()
        print(f"killed at {len(packets)} packets")


if __name__ == "__main__":
    unittest.main(verbosity=2)
