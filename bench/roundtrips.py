"""Round trips and bytes between mvctl and the device for each debug action, with the real GDB, through the real cloud.

Two proxies count. The one between mvctl and cloud sees the debug session alone and counts its turns: a turn is something
that mvctl sends, followed by something that comes back. The one between modem and cloud sees the air: all bytes of all
layers. Logging is off, so that nothing but the debug session is on the line.
"""
import re
import shutil
import time
from pathlib import Path

from counting_proxy import CountingProxy
from harness import Chain, Debugger, GdbPrompt

PROGRAM = Path(__file__).resolve().parent / "program"
SOURCE = PROGRAM / "actions.c"


def line(mark):
    """The line of the program with this mark."""
    for number, text in enumerate(SOURCE.read_text().splitlines(), 1):
        if text.endswith("MARK " + mark):
            return number
    raise KeyError(mark)


def at(mark):
    """Commands, not counted, that bring GDB to a line."""
    return [f"tbreak actions.c:{line(mark)}", "continue"]


class Action:
    """One row: GDB commands whose round trips are counted, after others that are not.

    `too_long` says that a plain tunnel would take an hour over it, and names the line that it ends at.
    """

    def __init__(self, name, budget, commands, before=(), expect=None, too_long=None):
        self.name, self.budget, self.before, self.expect = name, budget, list(before), expect
        self.too_long = too_long
        self.commands = [commands] if isinstance(commands, str) else list(commands)

    def check(self, text):
        if self.expect and not re.search(self.expect, text):
            raise AssertionError(f"{self.name}: GDB did not print /{self.expect}/:\n{text}")


def mi(*commands):
    return [f'interpreter-exec mi "{command}"' for command in commands]


EDITOR = mi("-thread-info", "-stack-list-frames 0 19", "-stack-list-variables --thread 1 --frame 0 --simple-values",
            "-data-list-register-names", "-data-list-register-values x")

ACTIONS = [
    Action("breakpoint set", 0, f"break actions.c:{line('simple')}"),
    Action("breakpoint disabled, enabled", 0, ["disable 1", "enable 1"]),
    Action("continue to breakpoint", 1, "continue", expect="Breakpoint 1, round_of_actions"),
    Action("breakpoint cleared", 0, "delete"),
    Action("next, simple line", 1, "next", expect=f"{line('second')}\t"),
    Action("step, simple line", 1, "step", expect=f"{line('arithmetic')}\t"),
    Action("next, arithmetic line with column info", 1, "next", expect=f"{line('loop')}\t"),
    Action("next, one-line loop of 64", 1, "next", expect=f"{line('call')}\t", too_long="call"),
    Action("next over a line with 1 call", 3, "next", expect=f"{line('calls')}\t"),
    Action("next over a line with 3 calls", 7, "next", expect=f"{line('into')}\t"),
    Action("step into", 2, "step", expect=r"scaled \("),
    Action("finish", 1, "finish", expect="Value returned"),
    Action("stepi", 1, "stepi"),
    Action("until", 1, "until", before=at("simple"), expect=f"{line('second')}\t"),
    Action("print a 192-byte global", 1, "print latest", before=at("after"), expect="values = "),
    Action("print it again", 0, "print latest", expect="values = "),
    Action("x/64wx buffer", 1, "x/64wx buffer", expect="<buffer"),
    Action("conditional breakpoint, 5 false hits and a true one", 1, "continue",
           before=["delete", *at("after"), f"break actions.c:{line('hit')} if number == 5"],
           expect=r"Breakpoint \d+, hit \(number=5\)"),
    Action("watchpoint set: GDB reads the value once", 1, "watch watched", before=[*at("quiet"), "delete"], expect="Hardware watchpoint"),
    Action("watchpoint hit", 3, "continue", expect="Old value = "),
    Action("backtrace, 11 frames", 0, "backtrace", before=["delete", *at("bottom")], expect=r"#11 .*main \(\)"),
    Action("info locals", 0, "info locals"),
    Action("up, info locals", 0, ["up", "info locals"], expect="#1 "),
    Action("info registers", 0, "info registers", expect="xpsr"),
    Action("info all-registers", 0, "info all-registers", expect="fpscr"),
    Action("disassemble", 0, "disassemble", expect="End of assembler dump"),
    Action("editor's refresh after a stop, 11 frames deep", 1, EDITOR,
           before=["tbreak depth if n == 0", "continue"], expect="frame={level=\"11\""),
]


WITHOUT_ELF = "disassemble without ELF, the first time"
LOAD_CHANGED = "load of a changed program: one deploy"


class Rig:
    """The chain with both proxies, the program on the device, and `mvctl debug` ready."""

    def __init__(self, chain, delay):
        chain.start()
        self.air = CountingProxy(chain.port, 0)
        self.session = CountingProxy(chain.port, delay, asks="client")
        chain.start_device("bench", "--dial", f"127.0.0.1:{self.air.port}")
        project = chain.copy_project(PROGRAM)
        chain.deploy(project, "bench", timeout=300)
        chain.mvctl("devices", "update", "bench", "--logging", "off")
        self.chain, self.project = chain, project
        self.elf = next(project.rglob("actions.elf"))
        self.debugger = Debugger(chain, "bench", "--elf", str(self.elf), cloud=f"https://127.0.0.1:{self.session.port}")
        self.debugger.server.wait_for(r"flash +\d+ bytes of the ELF are what the device runs", 60)

    def change(self):
        """Builds the program anew with one constant changed."""
        source = self.project / "actions.c"
        source.write_text(source.read_text().replace("simple + 2;", "simple + 9;"))
        self.chain.mvctl("deploy", self.project, "--build-only", "--key", "dev", timeout=300)

    def orders(self):
        """How often the device was told to run something."""
        return self.chain.cloud.text.count("target: the device is to run")

    @staticmethod
    def requests(session):
        return int(re.search(r"round trips +(\d+)", session.send("monitor status")).group(1))

    def reset(self):
        self.air.reset()
        self.session.reset()
        self.began = time.monotonic()

    def close(self):
        self.debugger.close()
        self.session.close()
        self.air.close()


def load(rig, session, name, budget, deploys):
    """A row for GDB's `load`: the debug session's requests as mvctl counts them, since its other ones go to the cloud."""
    requests, orders = rig.requests(session), rig.orders()
    rig.reset()
    text = session.send("load")
    row = counted(rig, name, budget)
    row["round_trips"] = rig.requests(session) - requests
    row["ok"] = row["round_trips"] <= budget and rig.orders() - orders == deploys
    sent = re.search(r"last load .*?([\d,]+) of [\d,]+ bytes differ", session.send("monitor status"))
    row["sent"] = int(sent.group(1).replace(",", "")) if sent else 0
    if not re.search("Start address 0x", text):
        raise AssertionError(f"{name}: GDB did not load:\n{text}")
    return row


def disassemble(rig, name, budget):
    """A row for a session of its own, without the ELF on mvctl's side."""
    debugger = Debugger(rig.chain, "bench", cloud=f"https://127.0.0.1:{rig.session.port}")
    debugger.server.wait_for(r"no ELF of this build found", 60)
    session = GdbPrompt(rig.elf, debugger.port)
    rig.reset()
    text = session.send("disassemble round_of_actions")
    row = counted(rig, name, budget)
    if "End of assembler dump" not in text:
        raise AssertionError(f"{name}: GDB did not disassemble:\n{text}")
    session.send("detach")
    session.close()
    debugger.close()
    return row


def run(rig, action, session):
    for command in action.before:
        session.send(command)
    rig.reset()
    text = "".join(session.send(command) for command in action.commands)
    row = counted(rig, action.name, action.budget)
    action.check(text)
    return row


def counted(rig, name, budget):
    turns = rig.session.turns
    return {"action": name, "round_trips": turns, "budget": budget, "ok": turns <= budget, "bytes_up": rig.air.up,
            "bytes_down": rig.air.down, "seconds": round(time.monotonic() - rig.began, 2)}


def measure(delay):
    """A row for each action; `delay` is seconds each way between mvctl and cloud, enough to tell turns apart."""
    chain = Chain()
    try:
        rig = Rig(chain, delay)
        rig.reset()
        session = GdbPrompt(rig.elf, rig.debugger.port)
        rows = [counted(rig, "connect, first stop shown", 2)]
        rows += [run(rig, action, session) for action in ACTIONS]
        session.send("delete")
        rig.change()
        rows.append(load(rig, session, LOAD_CHANGED, 2, deploys=1))
        rows.append(load(rig, session, "load of an unchanged program", 3, deploys=0))
        session.send("detach")
        session.close()
        rig.debugger.close()
        shutil.rmtree(chain.home / "cache")
        rows.append(disassemble(rig, WITHOUT_ELF, 4))
        rows.append(disassemble(rig, "disassemble without ELF, in a later session", 0))
        rig.close()
        return rows
    finally:
        chain.close()
