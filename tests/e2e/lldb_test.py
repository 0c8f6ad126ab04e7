"""LLDB as a client: another dialect of the remote protocol, and another reader of the debug information."""
import signal
import subprocess
import unittest

from harness import CODE, RAM, ROOT, STACK, DebugTest, Process

LLDB = "lldb-14"
COUNTER = (ROOT / "examples" / "counter" / "counter.cc").read_text().split("\n")
TALLY = 1 + COUNTER.index("  into.sum = into.sum + value;")


class Lldb:
    """LLDB at its prompt: commands in, and what they print awaited in order."""

    def __init__(self, debugger, elf):
        self.debugger = debugger
        self.child = Process([LLDB, "--no-use-colors", "--no-lldbinit", str(elf)], stdin=subprocess.PIPE)
        self.seen = 0
        self.send("settings set plugin.process.gdb-remote.packet-timeout 300")
        self.send(f"gdb-remote 127.0.0.1:{debugger.port}")
        self.expect(r"Process 1 stopped")

    def send(self, command):
        self.child.process.stdin.write(command + "\n")
        self.child.process.stdin.flush()

    def expect(self, pattern):
        """Waits for `pattern` behind what was awaited before."""
        try:
            match = self.child.wait_for(f"(?s){pattern}", begin=self.seen)
        except AssertionError as error:
            raise AssertionError(f"{error}\nmvctl debug said:\n{self.debugger.server.text}") from None
        self.seen = match.end()
        return match

    def do(self, command, pattern):
        self.send(command)
        return self.expect(pattern)

    def close(self):
        self.child.process.stdin.close()
        self.child.stop()


class Sessions:
    """The sessions themselves; the classes below run them with and without delay."""

    def setUp(self):
        super().setUp()
        self.lldb = Lldb(self.debugger, self.elf)
        self.addCleanup(self.lldb.close)

    def test_breaks_by_line_and_shows_source_backtrace_and_locals(self):
        self.lldb.do(f"breakpoint set --file counter.cc --line {TALLY}", r"Breakpoint 1: where = .*counter\.cc:")
        self.lldb.do("continue", rf"stop reason = breakpoint 1\.1\n.*tally\(.*value=\d+.*counter\.cc:{TALLY}")
        self.lldb.do("bt", r"frame #1: [^\n]*count_once[^\n]*\n +frame #2: [^\n]*main at counter\.cc")
        self.lldb.do("frame variable", r"count = \d+.*value = \d+")
        self.lldb.do("detach", r"Process 1 detached")
        self.assert_runs_on(r"counter: round \d+")

    def test_steps_line_by_line_into_over_and_out(self):
        self.lldb.do("breakpoint set --name count_once", r"Breakpoint 1")
        self.lldb.do("continue", r"-> \d+[^\n]*value = round % 7")
        self.lldb.do("thread step-over", r"stop reason = step over.*-> \d+[^\n]*product = factorial\(value\)")
        self.lldb.do("thread step-in", r"stop reason = step in.*factorial\(n=\d+\)")
        self.lldb.do("thread step-out", r"stop reason = step out.*Return value: [^\n]*= \d+")
        self.lldb.do("thread step-inst", r"stop reason = instruction step into")
        self.lldb.do("detach", r"Process 1 detached")

    def test_stops_in_an_interrupt_handler(self):
        self.lldb.do("breakpoint set --name SysTick_Handler", r"Breakpoint 1")
        self.lldb.do("continue", r"stop reason = breakpoint 1\.1\n[^\n]*SysTick_Handler")
        self.lldb.do("print ticks", r"\$0 = \d+")

    def test_reads_memory_and_registers_and_writes_both(self):
        self.lldb.do("breakpoint set --name tally", r"Breakpoint 1")
        self.lldb.do("continue", r"stop reason = breakpoint 1\.1")
        self.lldb.do("expression statistics.largest = 123456", r"= 123456")
        self.lldb.do("memory read --size 4 --format x --count 3 &statistics", r"0x[0-9a-f]{8} .*0x0001e240")
        self.lldb.send("register write r4 77")
        self.lldb.do("register read r4 pc", rf"r4 = 0x0000004d.*pc = {CODE}")
        self.lldb.do("register read --all", rf"system:.*msplim = {STACK}")

    def test_a_watchpoint_shows_the_value_before_and_after(self):
        self.lldb.do("watchpoint set variable statistics.count", rf"Watchpoint 1: addr = {RAM}0004 size = 4")
        self.lldb.send("continue")
        values = self.lldb.expect(r"Watchpoint 1 hit:\nold value: (\d+)\nnew value: (\d+)")
        self.assertEqual(int(values.group(2)), int(values.group(1)) + 1)
        self.lldb.expect(r"stop reason = watchpoint 1\n[^\n]*tally")

    def test_what_the_device_cannot_give_is_not_made_up(self):
        registers = self.lldb.do("register read --all", r"xpsr = .*psplim = 0x[0-9a-f]+").group()
        self.assertNotIn("0xcccccccc", registers)

    def test_ctrl_c_stops_a_running_application(self):
        self.lldb.send("continue")
        self.lldb.expect(r"Process 1 resuming")
        self.chain.wait_device("bench", lambda device: device["state"] == "running", what="running")
        self.lldb.child.process.send_signal(signal.SIGINT)
        self.lldb.expect(r"stop reason = signal SIGINT")
        self.lldb.do("bt", r"main at counter\.cc")

    def test_quitting_leaves_the_application_running(self):
        self.lldb.do("breakpoint set --name tally", r"Breakpoint 1")
        self.lldb.do("continue", r"stop reason = breakpoint 1\.1")
        self.lldb.send("settings set auto-confirm true")
        self.lldb.send("quit")
        self.assert_runs_on(r"counter: round \d+")


class OverAFastLink(Sessions, DebugTest):
    pass


class With150MillisecondsEachWay(Sessions, DebugTest):
    device_options = ("--delay", "150ms")


if __name__ == "__main__":
    unittest.main(verbosity=2)
