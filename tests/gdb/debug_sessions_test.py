"""Scripted sessions of the real GDB against the product's server and a device simulated on QEMU's stub.

usage: debug_sessions_test.py GDB_RIG [unittest options]
"""
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from gdb_session import Gdb, GdbSession, port_of, wait_until  # noqa: E402

RIG = ""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    """Whether the kernel lists a listener; connecting to ask would use up QEMU's only client."""
    return re.search(rf":{port:04X} [0-9A-F:]+ 0A", pathlib.Path("/proc/net/tcp").read_text()) is not None


class DebugSessions(GdbSession):
    delay = 0

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.elf = cls.folder / "program.elf"
        cls.key = cls.folder / "key.pem"
        program = HERE / "program"
        subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb", "-O0", "-g3", "-gno-column-info",
                        "-ffreestanding", "-nostdlib", f"-Wl,-T,{program / 'link.ld'}", "-Wl,--build-id", "-o", cls.elf,
                        program / "start.s", program / "main.c"], check=True)
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", cls.key], check=True)
        cls.find_marks(program / "main.c")

    def setUp(self):
        port = self.start_qemu()
        self.rig = self.spawn([RIG, str(port), self.key, self.elf, str(self.delay)], stdout=subprocess.PIPE, bufsize=0)
        self.port = port_of(self.rig)
        self.gdb = self.connect()

    def start_qemu(self):
        port = free_port()
        self.spawn(["qemu-system-arm", "-M", "mps2-an505", "-display", "none", "-monitor", "none", "-serial", "null",
                    "-S", "-gdb", f"tcp:127.0.0.1:{port}", "-kernel", self.elf])
        wait_until(lambda: listens(port), 20, "QEMU's start")
        return port

    def spawn(self, command, **options):
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, **options)

        def stop():
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()

        self.addCleanup(stop)
        return process

    def connect(self):
        gdb = Gdb(self.elf)
        self.addCleanup(gdb.close)
        gdb.do(f"target remote 127.0.0.1:{self.port}")
        return gdb

    def spin(self):
        """Runs the application into its loop with interrupts off."""
        self.run_to("spinning")
        pipe = self.rig.stdout.fileno()
        while select.select([pipe], [], [], 0)[0]:
            os.read(pipe, 4096)  # what was resumed before
        self.gdb.type("continue")
        self.assertIn(b"resumed", os.read(pipe, 4096))


class Sessions(DebugSessions):
    def test_breaks_by_function_and_by_line(self):
        self.gdb.do("break measure")
        self.assertRegex(self.gdb.do("continue"), r"Breakpoint 1, measure \(round=1\)")
        self.assertRegex(self.run_to("simple"), rf"{self.lines['simple']}\s+ticks = ticks \+ 1")
        self.assertRegex(self.gdb.do("continue"), r"Breakpoint 1, measure \(round=2\)")

    def test_steps_over_into_and_out(self):
        self.run_to("call")
        self.assertIn("MARK scale", self.gdb.do("step"))
        out = self.gdb.do("finish")
        self.assertIn("Value returned is $1 = 4", out)
        self.assertIn("MARK after", self.gdb.do("next"))
        self.assertIn("MARK simple", self.gdb.do("next"))

    def test_runs_until_past_a_loop(self):
        self.run_to("loop")
        self.gdb.do("next")
        self.assertIn("measure", self.gdb.do("advance measure"))
        self.assertIn("MARK call", self.gdb.do("until"))

    def test_steps_instructions(self):
        self.run_to("simple")
        before = int(self.gdb.do("print/d $pc").split("=")[1])
        self.gdb.do("stepi")
        after = int(self.gdb.do("print/d $pc").split("=")[1])
        self.assertIn(after - before, (2, 4))

    def test_unwinds_recursion(self):
        self.run_to("bottom")
        out = self.gdb.do("backtrace")
        self.assertRegex(out, r"#0 .*depth \(n=0\)")
        self.assertRegex(out, r"#10 .*depth \(n=10\)")
        self.assertRegex(out, r"#11 .*main \(\)")

    def test_shows_and_changes_locals_globals_and_registers(self):
        self.run_to("after")
        self.assertRegex(self.gdb.do("info locals"), r'now = \{raw = 1, scaled = 4, name = "now')
        self.gdb.do("set var now.scaled = 99")
        self.gdb.do("next")
        self.assertIn("scaled = 99", self.gdb.do("print latest"))
        self.gdb.do("set $r4 = 0x1234")
        self.assertRegex(self.gdb.do("info registers r4"), r"0x1234")
        self.gdb.do("stepi")
        self.assertRegex(self.gdb.do("info registers r4"), r"0x1234")
        self.assertRegex(self.gdb.do("x/4dw buffer"), r"0\s+1\s+2\s+3")

    def test_interrupts_an_application_that_spins_with_interrupts_off(self):
        self.spin()
        self.gdb.interrupt()
        out = self.gdb.read_prompt()
        self.assertIn("SIGINT", out)
        self.assertIn("spin ()", out)
        self.gdb.do("set var running = 0")
        self.assertIn("main ()", self.gdb.do("finish"))

    def test_detaches_and_attaches_again(self):
        self.run_to("bottom")
        self.assertIn("detached", self.gdb.do("detach"))
        self.gdb = self.connect()
        self.assertRegex(self.gdb.do("backtrace"), r"spin \(\)[\s\S]*main \(\)")

    def test_a_client_that_dies_leaves_the_application_running(self):
        self.run_to("call")
        self.gdb.close()
        self.gdb = self.connect()
        self.assertRegex(self.gdb.do("backtrace"), r"main \(\)")
        ticks = self.gdb.do("print ticks")
        self.gdb.do("stepi 40")  # the loop that counts is shorter
        self.assertNotEqual(ticks.split("=")[1], self.gdb.do("print ticks").split("=")[1])

    def test_a_cut_while_halted_is_only_a_pause(self):
        self.run_to("call")
        self.rig.send_signal(signal.SIGUSR1)
        self.assertIn("MARK scale", self.gdb.do("step"))
        self.assertRegex(self.gdb.do("backtrace"), r"#1 .*measure \(round=1\)")

    def test_a_cut_while_running_loses_no_stop(self):
        self.spin()
        self.rig.send_signal(signal.SIGUSR1)
        self.gdb.interrupt()
        out = self.gdb.read_prompt()
        self.assertIn("SIGINT", out)
        self.assertIn("spin ()", out)

    def test_refuses_more_breakpoints_than_the_device_has(self):
        self.run_to("call")
        for line in range(8):
            self.gdb.do(f"hbreak *({self.gdb_address('spin')} + {2 * line})")
        self.gdb.do(f"hbreak *({self.gdb_address('depth')})")
        self.assertRegex(self.gdb.do("continue"), r"[Cc]annot insert hardware breakpoint")

    def gdb_address(self, function):
        return re.search(r"0x[0-9a-f]+", self.gdb.do(f"print {function}")).group(0)

    def test_answers_monitor_commands_and_refuses_bad_addresses(self):
        self.assertIn("monitor status", self.gdb.do("monitor help"))
        self.assertIn("connected", self.gdb.do("monitor status"))
        self.assertIn("no such monitor command", self.gdb.do("monitor fly"))
        self.assertRegex(self.gdb.do("x/4xw 0x60000000"), r"Cannot access memory")

    def test_sections_compare_equal(self):
        self.assertRegex(self.gdb.do("compare-sections .text"), r"matched")


class RoundTrips(DebugSessions):
    """How many messages an action sends to the device. `monitor status` itself costs none."""

    def assert_cost(self, command, budget, expected="^"):
        out, cost = self.cost(command)
        self.assertRegex(out, expected)
        self.assertLessEqual(cost, budget, f"{command} cost {cost} round trips: {out}")

    def test_budgets(self):
        self.assertLessEqual(self.round_trips(), 3)  # probe, digest, attach
        self.assert_cost("break measure", 0)
        self.assert_cost("continue", 1, "Breakpoint 1, measure")
        self.assert_cost("info locals", 0)
        self.assert_cost("info all-registers", 0)
        self.assert_cost("disassemble", 0)
        self.assert_cost("next", 2, "MARK call")  # off a breakpoint: a step and a range, as GDB asks
        self.assert_cost("step", 2, "MARK scale")
        self.assert_cost("finish", 1, "Value returned")
        self.assert_cost("next", 3)
        self.run_to("simple")
        self.assert_cost("next", 1, "MARK second")
        self.assert_cost("stepi", 1)
        self.gdb.do("delete")
        self.run_to("bottom")
        self.assert_cost("backtrace", 0, "#11")
        self.assert_cost("up", 0)
        self.assert_cost("print latest", 1)
        self.assert_cost("print latest", 0)
        self.assert_cost("x/64xw buffer", 1)

    def test_a_loop_on_one_line_is_stepped_on_the_device(self):
        self.run_to("loop")
        self.assert_cost("next", 3)


class Keys(DebugSessions):
    def setUp(self):
        self.qemu_port = self.start_qemu()

    def test_a_key_that_the_device_does_not_know_is_refused_with_a_sentence(self):
        other = self.folder / "other.pem"
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", other], check=True)
        done = subprocess.run([RIG, str(self.qemu_port), other, self.elf, "0", self.key], capture_output=True, text=True,
                              timeout=30)
        self.assertIn("the device refused the debug key", done.stderr)

    def test_a_key_of_another_kind_is_refused_before_anything_is_sent(self):
        rsa = self.folder / "rsa.pem"
        subprocess.run(["openssl", "genrsa", "-out", rsa, "2048"], check=True, stderr=subprocess.DEVNULL)
        done = subprocess.run([RIG, str(self.qemu_port), self.key, self.elf, "0", rsa], capture_output=True, text=True,
                              timeout=30)
        self.assertIn("is not a P-256 key", done.stderr)


class Over150MillisecondsEachWay(DebugSessions):
    delay = 150

    def test_steps_and_unwinds_without_a_time_out(self):
        self.run_to("call")
        started = time.monotonic()
        self.assertIn("MARK scale", self.gdb.do("step"))
        self.assertRegex(self.gdb.do("backtrace"), r"#2 .*main \(\)")
        self.assertLess(time.monotonic() - started, 3)


class LaterThanGdbWaits(DebugSessions):
    delay = 1200  # each way; GDB alone gives up on a reply after 2 s

    def test_late_answers_do_not_confuse_gdb(self):
        self.run_to("call")
        out = self.gdb.do("x/4dw buffer")
        self.assertRegex(out, r"0\s+1\s+2\s+3")
        self.assertNotIn("Ignoring packet error", out)


if __name__ == "__main__":
    RIG = sys.argv.pop(1)
    unittest.main(verbosity=2)
