"""A device under test whose debug agent is asked over the modem's serial port, without link and TLS."""
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time

from device import DEADLINE, Device
import boards

SCHEMAS = os.path.join(boards.ROOT, "src")
PC, SP, XPSR = 15, 13, 16  # indices of Stop.registers


def agent_messages():
    """The agent's messages as Python classes, made from the schema."""
    with tempfile.TemporaryDirectory() as folder:
        schema = os.path.join(SCHEMAS, "wire", "proto", "agent.proto")
        subprocess.run(["protoc", "-I", os.path.dirname(schema), "--python_out", folder, schema], check=True)
        sys.path.insert(0, folder)
        import agent_pb2
        sys.path.remove(folder)
        return agent_pb2


agent = agent_messages()


def symbols(elf):
    lines = subprocess.run(["arm-none-eabi-nm", elf], check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: int(value, 16) & ~1 for value, _, name in (line.split() for line in lines if len(line.split()) == 3)}


class Stop:
    def __init__(self, message):
        self.message = message
        self.reason = message.reason
        self.registers = struct.unpack("<17I", message.registers) if message.registers else ()
        self.system = struct.unpack("<8I", message.system) if message.system else ()

    @property
    def pc(self):
        return self.registers[PC]


class DebugDevice(Device):
    """A device whose agent listens on the modem's port."""

    def __init__(self, firmware, application, elf=None, **options):
        super().__init__(firmware, microvisor=os.path.join("test-applications", "debug-serial.bin"),
                         application=application, **options)
        self.at = symbols(elf or os.path.join(firmware, "test-applications", "app-%s.elf" % application))
        self.sequence = 0
        self.bytes = b""
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path("link"))
        self.server.listen()
        self.socket = None

    def link(self):
        return "unix:" + self.path("link")

    def start(self):
        super().start()
        self.server.settimeout(DEADLINE)
        self.socket, _ = self.server.accept()
        self.wait_for(self.console, "application: started")

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.socket.close()
        self.server.close()

    def send(self, request):
        body = request.SerializeToString()
        self.socket.sendall(len(body).to_bytes(2, "big") + body)

    def receive(self, timeout=DEADLINE):
        end = time.monotonic() + timeout
        while len(self.bytes) < 2 or len(self.bytes) < 2 + int.from_bytes(self.bytes[:2], "big"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise AssertionError("no reply from the agent\n--- console\n" + self.console.text)
            self.bytes += self.socket.recv(4096)
        size = int.from_bytes(self.bytes[:2], "big")
        reply = agent.AgentReply()
        reply.ParseFromString(self.bytes[2:2 + size])
        self.bytes = self.bytes[2 + size:]
        return reply

    def begin(self, **fields):
        """Sends a numbered request: its field's name and contents."""
        self.sequence += 1
        request = agent.AgentRequest(sequence=self.sequence, **fields)
        self.send(request)
        return self.sequence

    def ask(self, **fields):
        number = self.begin(**fields)
        reply = self.receive()
        assert reply.sequence == number, (reply, number)
        assert reply.error == agent.AGENT_OK, reply
        return reply

    def attach(self, halt=True):
        self.send(agent.AgentRequest(attach=agent.AttachRequest(session=b"0123456789abcdef", halt=halt)))
        reply = self.receive()
        assert reply.error == agent.AGENT_OK, reply
        self.sequence = 0
        return reply.attached

    def run(self, insert=(), remove=()):
        return Stop(self.ask(resume=agent.ResumeRequest(insert=insert, remove=remove)).stopped)

    def step(self):
        return Stop(self.ask(resume=agent.ResumeRequest(mode=agent.RESUME_STEP)).stopped)

    def step_range(self, start, end, remove=()):
        resume = agent.ResumeRequest(mode=agent.RESUME_STEP_RANGE, ranges=[agent.Range(start=start, end=end)],
                                     remove=remove)
        return Stop(self.ask(resume=resume).stopped)

    def word(self, address):
        reply = self.ask(read=agent.ReadRequest(ranges=[agent.ReadRange(address=address, length=4)]))
        return struct.unpack("<I", reply.read.ranges[0].data)[0]

    def write_word(self, address, value):
        self.ask(write=agent.WriteRequest(address=address, data=struct.pack("<I", value)))

    def interrupt(self):
        self.send(agent.AgentRequest(interrupt=agent.InterruptRequest()))
