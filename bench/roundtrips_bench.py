"""Round trips and bytes between mvctl and the device for each debug action, with the real GDB, through the real cloud.

A proxy between modem and cloud delays and counts. A turn is something down followed by something up. Logging is off, so
that nothing but the debug session is on the line.
"""
import re
import subprocess

import report
from counting_proxy import CountingProxy
from harness import GDB, Chain, Debugger, Process

DELAY = 0.05  # seconds each way: far apart enough that one answer's pieces are one turn

# (action, GDB command, budget of round trips, pattern that ends it)
ACTIONS = [
    ("breakpoint set", "break tally", 0),
    ("continue to breakpoint", "continue", 1),
    ("backtrace", "backtrace", 0),
    ("info locals", "info locals", 0),
    ("info registers", "info registers", 0),
    ("next, simple line", "next", 1),
    ("step, simple line", "step", 1),
    ("stepi", "stepi", 1),
    ("finish", "finish", 1),
    ("print a global", "print statistics", 1),
    ("print it again", "print statistics", 0),
    ("x/16xw of RAM", "x/16xw &statistics", 1),
    ("next over a call", "next", 3),
    ("breakpoint cleared", "delete", 0),
]


class Session:
    """GDB as a person uses it: one command at a time, each ended by an echo of its own."""

    def __init__(self, elf, port):
        self.child = Process([GDB, "-nx", "-q", elf], stdin=subprocess.PIPE)
        self.number = 0
        self.send("set pagination off")
        self.send("set confirm off")
        self.send("set style enabled off")
        self.send(f"target remote 127.0.0.1:{port}")

    def send(self, command, timeout=120):
        self.number += 1
        self.child.process.stdin.write(f"{command}\necho done-{self.number}\\n\n")
        self.child.process.stdin.flush()
        self.child.wait_for(rf"done-{self.number}\b", timeout)

    def close(self):
        self.child.process.stdin.close()
        self.child.stop()


def measure(chain):
    proxy = CountingProxy(chain.port, DELAY)
    chain.start_device("bench", "--dial", f"127.0.0.1:{proxy.port}")
    chain.deploy(chain.project("counter"), "bench", timeout=300)
    chain.mvctl("devices", "update", "bench", "--logging", "off")
    elf = next((chain.home / "projects").rglob("counter.elf"))
    debugger = Debugger(chain, "bench", "--elf", str(elf))
    rows = []

    def row(action, budget):
        rows.append({"action": action, "round_trips": proxy.turns, "bytes_up": proxy.up, "bytes_down": proxy.down,
                     "budget": budget, "ok": proxy.turns <= budget})
        proxy.reset()

    debugger.server.wait_for(r"session +", 60)
    proxy.reset()
    session = Session(elf, debugger.port)
    row("connect, first stop shown", 2)
    for action, command, budget in ACTIONS:
        session.send(command)
        row(action, budget)
    session.send("detach")
    session.close()
    debugger.close()
    proxy.close()
    return rows


def main():
    options = report.arguments(__doc__)
    chain = Chain()
    try:
        chain.start()
        report.report("roundtrips", measure(chain), options.json)
    finally:
        chain.close()


if __name__ == "__main__":
    main()
