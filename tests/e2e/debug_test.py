"""GDB sessions, with the real GDB, against the emulated device through the cloud."""
import re
import sys
import time
import unittest
from pathlib import Path

from harness import CODE, PATIENCE, ChainTest, DebugTest, Debugger, GdbPrompt

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from counting_proxy import CountingProxy  # noqa: E402


TICKS = "'(anonymous namespace)::ticks'"  # found without a frame, too


def changes(gdb, expression):
    """Whether GDB sees the value of an expression change."""
    deadline = time.monotonic() + PATIENCE
    seen = set()
    while len(seen) < 2 and time.monotonic() < deadline:
        gdb.send("maintenance flush dcache")
        seen.add(re.search(r"\$\d+ = (\d+)", gdb.send("print " + expression)).group(1))
    return len(seen) == 2


class Sessions:
    """The sessions themselves; the classes below run them with and without delay."""

    def gdb(self, *commands):
        return self.debugger.gdb(self.elf, *commands)

    def test_breaks_by_line_and_shows_source_backtrace_and_locals(self):
        out = self.gdb("break tally", "continue", "backtrace", "info args", "up", "info locals", "detach")
        self.assertRegex(out, r"Breakpoint 1, .*tally \(into=.*, value=\d+\) at .*counter\.cc:\d+")
        self.assertRegex(out, r"#1 .*count_once \(round=\d+\)")
        self.assertRegex(out, r"#2 .*main \(\)")
        self.assertRegex(out, r"product = \d+")

    def test_steps_line_by_line_into_over_and_out(self):
        out = self.gdb("break count_once", "continue", "next", "step", "finish", "next", "detach")
        self.assertRegex(out, r"const std::uint32_t value = round % 7;")
        self.assertRegex(out, r"const std::uint32_t product = factorial\(value\);")
        self.assertRegex(out, r"factorial \(n=\d+\)")
        self.assertRegex(out, r"Value returned is \$1 = \d+")

    def test_unwinds_recursion(self):
        out = self.gdb("break factorial if n == 4", "continue", "delete", "break factorial if n == 1", "continue",
                       "backtrace", "detach")
        for frame in range(4):
            self.assertRegex(out, rf"#{frame} .*factorial \(n={frame + 1}\)")

    def test_prints_on_the_device_without_stopping(self):
        out = self.gdb("set dprintf-style agent", "break report", "continue", 'dprintf tally,"tally %u\\n",value',
                       "continue", "monitor status", "detach")
        self.assertEqual(len(re.findall(r"tally \d+", out)), 20)  # one a round, 20 rounds a report

    def test_stops_in_an_interrupt_handler(self):
        out = self.gdb("break SysTick_Handler", *["continue", "backtrace"] * 6, "print ticks", "detach")
        self.assertRegex(out, r"Breakpoint 1, .*SysTick_Handler \(\)")
        self.assertRegex(out, r"\$1 = \d+")
        self.assertEqual(len(re.findall(r"#1 +<signal handler called>\n#2 .* at .*counter\.cc", out)), 6, out)

    def test_writes_variables_and_reads_memory(self):
        out = self.gdb("break report", "continue", "set var statistics.largest = 123456", "print statistics",
                       "x/4xw &statistics", "print/x $sp", "info registers", "detach")
        self.assertRegex(out, r"largest = 123456")
        self.assertRegex(out, r"0x0001e240")
        self.assertRegex(out, r"xpsr +0x")

    def test_runs_until_a_line_and_steps_instructions(self):
        out = self.gdb("break count_once", "continue", "until", "stepi", "print $pc", "nexti", "detach")
        self.assertRegex(out, rf"\$1 = \(.*\) {hex(int(CODE, 16))}[0-9a-f]+ <.*count_once")

    def test_attaches_again_without_a_new_deploy(self):
        self.assertRegex(self.gdb("break tally", "continue", "detach"), r"Breakpoint 1, ")
        self.assertRegex(self.gdb("break report", "continue", "detach"), r"Breakpoint 1, ")

    def test_drives_again_after_it_disconnected_a_moment_ago(self):
        out = self.gdb("break tally", "disconnect", f"target remote 127.0.0.1:{self.debugger.port}",
                       "monitor reset halt", "continue", "detach")
        self.assertRegex(out, r"stands at its first instruction")
        self.assertRegex(out, r"Breakpoint 1, ")

    def test_answers_monitor_commands(self):
        out = self.gdb("monitor help", "monitor status", "monitor reset halt", "stepi", "print $pc", "detach")
        self.assertRegex(out, r"reset")
        self.assertRegex(out, r"Reset_Handler")

    def test_kill_leaves_the_application_running(self):
        self.gdb("break tally", "continue", "kill")
        self.chain.wait_device("bench", lambda device: device["state"] == "running", what="running after kill")


class OverAFastLink(Sessions, DebugTest):
    def test_gdb_without_a_file_gets_the_elf_from_mvctl(self):
        out = self.debugger.gdb(None, "break tally", "continue", "backtrace", "detach")
        self.assertRegex(out, r"Breakpoint 1, .*tally \(into=.*, value=\d+\) at .*counter\.cc:\d+")

    def test_a_second_gdb_reads_while_the_first_has_the_application_running(self):
        first = GdbPrompt(self.elf, self.debugger.port)
        self.addCleanup(first.close)
        first.type("continue &")
        self.chain.wait_device("bench", lambda device: device["state"] == "running", what="running")
        second = GdbPrompt(self.elf, self.debugger.port)
        self.addCleanup(second.close)
        self.assertTrue(changes(second, TICKS))
        self.assertRegex(second.send(f"print {TICKS} = 0"), r"Cannot access memory")  # GDB 13's words for a refusal
        second.send("detach")
        self.chain.wait_device("bench", lambda device: device["state"] == "running", what="still running")
        first.type("interrupt")
        first.wait_for(r"Program received signal SIGINT")
        first.type("detach")


class FarFromTheCloud(DebugTest):
    """With a second each way between mvctl and cloud the session stands long after GDB would have given up."""

    def setUp(self):
        self.proxy = CountingProxy(self.chain.port, 1.0)
        self.addCleanup(self.proxy.close)
        self.debugger = Debugger(self.chain, "bench", "--elf", str(self.elf),
                                 cloud=f"https://127.0.0.1:{self.proxy.port}")
        self.addCleanup(self.debugger.close)

    def test_a_gdb_that_comes_early_is_kept_patient(self):
        self.assertNotIn("device", self.debugger.server.text)
        out = self.debugger.gdb(self.elf, "print $pc", "detach")
        self.assertNotRegex(out, "timed out|Ignoring packet error")
        self.assertRegex(out, r"\$1 = \(.*\) 0x", self.debugger.server.text)


class ReadOnly(ChainTest):
    def test_looks_at_a_running_application_and_cannot_halt_it(self):
        self.chain.deploy(self.chain.project("counter"), "bench")
        elf = next((self.chain.home / "projects").rglob("counter.elf"))
        debugger = Debugger(self.chain, "bench", "--elf", str(elf), "--read-only")
        self.addCleanup(debugger.close)
        gdb = GdbPrompt(elf, debugger.port)
        self.addCleanup(gdb.close)
        self.assertTrue(changes(gdb, TICKS))
        out = gdb.send("continue")
        self.assertRegex(out, r"this GDB may only read")
        self.assertEqual(self.chain.device("bench")["state"], "running")


class With150MillisecondsEachWay(Sessions, DebugTest):
    device_options = ("--delay", "150ms")


if __name__ == "__main__":
    unittest.main(verbosity=2)
