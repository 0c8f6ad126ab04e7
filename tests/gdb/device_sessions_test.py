"""Scripted sessions of the real GDB with the device's own code in QEMU: watchpoints, and the corners of stepping.

usage: device_sessions_test.py GDB_SERIAL_RIG FIRMWARE_FOLDER [unittest options]
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
FIRMWARE_TESTS = HERE.parent / "firmware"
sys.path[:0] = [str(HERE), str(FIRMWARE_TESTS)]

from debug_device import DebugDevice  # noqa: E402
from gdb_session import DeviceSession  # noqa: E402

RIG = FIRMWARE = ""


class ProgramSession(DeviceSession):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.application = str(pathlib.Path(folder.name) / "program")
        cls.elf = cls.application + ".elf"
        source = HERE / "device_program" / "main.c"
        apps = FIRMWARE_TESTS / "apps"
        board = apps / "boards" / "mps2-an505"
        subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb", "-O0", "-g3", "-gno-column-info",
                        "-ffreestanding", "-nostdlib", "-I", apps, "-I", board, "-L", board, "-T", apps / "app.ld", "-o", cls.elf,
                        apps / "app.c", source], check=True)
        subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", cls.elf, cls.application + ".bin"], check=True)
        cls.find_marks(source)

    def setUp(self):
        port = self.start(RIG, DebugDevice(FIRMWARE, self.application, elf=self.elf), self.elf)
        self.gdb.do(f"target extended-remote 127.0.0.1:{port}")
        self.gdb.do("monitor reset")
        self.gdb.do("maintenance flush register-cache")
        self.run_to("busy")

    def assert_no_secure_frames(self):
        out = self.gdb.do("backtrace")
        self.assertNotRegex(out, r"0x1[0-9a-f]{7}|0x3[0-9a-f]{7}")
        self.assertRegex(out, r"main \(\)|Reset_Handler")


class Watchpoints(ProgramSession):
    def expect_change(self, out, expression, old, new):
        self.assertRegex(out, rf"atchpoint \d+: {re.escape(expression)}\s+Old value = {old}\s+New value = {new}\s")

    def test_watches_a_global(self):
        self.assertEqual(self.value("rounds"), 1)
        out, cost = self.cost("watch rounds")
        self.assertEqual(cost, 0)
        self.assertIn("Hardware watchpoint", out)
        for old in range(1, 5):
            out, cost = self.cost("continue")
            self.expect_change(out, "rounds", old, old + 1)
            self.assertLessEqual(cost, 3)
        self.assertRegex(self.gdb.do("info watchpoints"), r"already hit 4 times")

    def test_watches_a_member_whose_neighbours_change(self):
        self.gdb.do("watch shared.quiet")
        for new in (8, 16, 24):
            out, cost = self.cost("continue")
            self.expect_change(out, "shared.quiet", new - 8, new)
            self.assertLessEqual(cost, 3)
        self.assertEqual(self.value("rounds"), 24)
        self.assertRegex(self.gdb.do("info watchpoints"), r"already hit 3 times")

    def test_watches_one_of_two_bytes(self):
        self.gdb.do("watch shared.right")
        self.gdb.do("continue")
        self.assertEqual(self.value("rounds"), 4)
        self.gdb.do("continue")
        self.assertEqual(self.value("rounds"), 12)
        self.assertRegex(self.gdb.do("info watchpoints"), r"already hit 2 times")

    def test_watches_reads(self):
        self.gdb.do("rwatch shared.busy")
        self.gdb.do("watch shared.quiet")
        out = self.gdb.do("continue")  # busy is written each round and never read
        self.expect_change(out, "shared.quiet", 0, 8)
        self.gdb.do("delete")
        self.gdb.do("rwatch rounds")
        self.assertRegex(self.gdb.do("continue"), r"read watchpoint \d+: rounds\s+Value = 8\s")

    def test_watches_accesses(self):
        self.gdb.do("awatch shared.from_handler")
        out = self.gdb.do("continue")
        self.assertRegex(out, r"access \(read/write\) watchpoint \d+: shared.from_handler\s+Value = \d+")
        out = self.gdb.do("continue")
        self.assertRegex(out, r"access \(read/write\) watchpoint \d+: shared.from_handler\s+Old value = \d+\s+New value")

    def test_watches_a_write_in_an_interrupt_handler(self):
        self.gdb.do("watch shared.from_handler")
        before = self.value("shared.from_handler")
        out = self.gdb.do("continue")
        self.expect_change(out, "shared.from_handler", before, before + 1)
        out = self.gdb.do("backtrace")
        self.assertRegex(out, r"#0 .*on_tick \(\)")
        self.assertRegex(out, r"signal handler called")
        self.assertRegex(out, r"main \(\)")

    def test_watches_a_local_until_it_is_gone(self):
        self.run_to("local")
        self.gdb.do("watch sum")
        rounds = self.value("rounds")
        self.expect_change(self.gdb.do("continue"), "sum", 0, rounds)
        self.expect_change(self.gdb.do("continue"), "sum", rounds, 2 * rounds)
        self.assertRegex(self.gdb.do("continue"), r"deleted because the program has left the block")

    def test_watches_with_a_condition(self):
        self.gdb.do("watch rounds if rounds == 5")
        self.expect_change(self.gdb.do("continue"), "rounds", 4, 5)
        self.assertRegex(self.gdb.do("info watchpoints"), r"already hit 1 time")

    def test_a_deleted_watchpoint_is_gone(self):
        self.gdb.do("watch rounds")
        self.gdb.do("continue")
        self.gdb.do("delete")
        self.assertRegex(self.run_to("wait"), r"Temporary breakpoint .* main \(\)")

    def test_stops_at_a_breakpoint_right_behind_the_store(self):
        self.gdb.do("watch shared.right")
        self.gdb.do(f"break main.c:{self.lines['call leaf']}")
        stops = [self.gdb.do("continue") for _ in range(5)]
        self.assertEqual(["atchpoint" in out for out in stops], [False, False, False, True, False])
        self.assertEqual(["Breakpoint" in out for out in stops], [True] * 5)  # GDB tells both at once
        self.assertEqual(self.value("rounds"), 5)

    def test_system_calls_reach_watched_memory(self):
        self.gdb.do("watch now")
        before = self.value("now")
        self.assertRegex(self.run_to("svc"), r"Temporary breakpoint")  # what the Secure side writes is not reported
        self.assertGreater(self.value("now"), before)
        self.assertEqual(self.value("result"), 0)

    def test_refuses_what_cannot_be_watched(self):
        self.gdb.do("watch *(int*)0x100000")
        self.assertRegex(self.gdb.do("continue"), r"[Cc]ould not insert hardware watchpoint")
        self.gdb.do("delete")
        for n in range(5):
            self.gdb.do(f"watch ((char*)&now)[{n}]")
        self.assertRegex(self.gdb.do("continue"), r"[Cc]ould not insert hardware watchpoint")

    def test_tells_how_it_watches(self):
        self.assertRegex(self.gdb.do("monitor help"), r"watch, rwatch and awatch: 4 at once, up to 256 bytes")


class Stepping(ProgramSession):
    def test_steps_over_and_through_a_system_call(self):
        self.run_to("system call")
        before = self.value("now")
        self.assertIn("MARK svc", self.gdb.do("next"))
        self.assertGreater(self.value("now"), before)
        self.run_to("veneer")
        for _ in range(30):
            self.gdb.do("stepi")
            self.assertRegex(self.gdb.do("print/x $pc"), r"0x10[0-9a-f]{4}\s")
            self.assert_no_secure_frames()
            if "main ()" in self.gdb.do("frame"):
                break
        self.assertIn("main ()", self.gdb.do("frame"))

    def test_finishes_out_of_a_function_that_made_a_system_call(self):
        self.run_to("veneer")
        self.assertRegex(self.gdb.do("finish"), r"Value returned is \$\d+ = 0")

    def test_steps_over_a_supervisor_call(self):
        self.run_to("svc")
        before = self.value("served")
        self.assertIn("MARK call local", self.gdb.do("next"))
        self.assertEqual(self.value("served"), before + 1)

    def test_steps_into_the_handler_of_a_supervisor_call_with_a_breakpoint_and_out(self):
        self.run_to("svc")
        self.gdb.do("tbreak SVC_Handler")
        self.assertIn("SVC_Handler", self.gdb.do("next"))
        self.assertRegex(self.gdb.do("backtrace"), r"#1 +<signal handler called>\n#2 .*main \(\)")
        out = ""
        for _ in range(8):
            out = self.gdb.do("next")
            if "main ()" in out:
                break
        self.assertIn("main ()", out)

    def test_steps_into_a_leaf_and_back_by_instructions(self):
        self.run_to("call leaf")
        self.assertIn("MARK leaf", self.gdb.do("step"))
        for _ in range(20):
            self.gdb.do("stepi")
            if "main ()" in self.gdb.do("frame"):
                break
        self.assertIn("main ()", self.gdb.do("frame"))

    def test_steps_over_a_tail_call_and_a_table(self):
        self.run_to("call tail")
        self.assertIn("MARK table", self.gdb.do("next"))
        self.assertEqual(self.value("result"), 3 * (self.value("rounds") + 1))
        self.assertIn("MARK system call", self.gdb.do("next"))
        self.assertIn(self.value("result"), (20, 30))
        self.gdb.do("tbreak *halfword_table")
        self.gdb.do("continue")
        for _ in range(6):
            self.gdb.do("stepi")
        self.assertIn("main ()", self.gdb.do("frame"))

    def test_finishes_out_of_a_tail_call(self):
        self.gdb.do("tbreak tail_end")
        self.gdb.do("continue")
        self.assertRegex(self.gdb.do("finish"), r"Value returned is \$\d+ = 6")

    def test_breaks_and_steps_where_interrupts_are_masked(self):
        self.run_to("masked")
        self.assertEqual(self.value("$primask"), 1)
        before = self.value("result")
        self.gdb.do("next")
        self.gdb.do("next")
        self.assertEqual(self.value("result"), before + 2)

    def test_steps_over_atomics_it_blocks_and_waits(self):
        self.run_to("atomic")
        before = self.value("result")
        self.assertIn("MARK it", self.gdb.do("next"))
        self.assertEqual(self.value("result"), before + 1)
        self.assertIn("MARK wait", self.gdb.do("next"))
        self.assertIn("MARK end", self.gdb.do("next"))

    def test_steps_out_of_an_interrupt_handler(self):
        self.run_to("handler")
        out = ""
        for _ in range(12):
            out = self.gdb.do("next")
            if re.search(r"main \(\)|MARK (?!handler)", out) and "on_tick" not in out:
                break
        self.assertNotIn("on_tick", self.gdb.do("frame"))

    def test_steps_without_interrupts_unless_told_otherwise(self):
        self.run_to("busy")
        before = self.value("shared.from_handler")
        for _ in range(20):
            self.gdb.do("stepi")
        self.assertEqual(self.value("shared.from_handler"), before)
        self.assertIn("are taken", self.gdb.do("monitor step-interrupts on"))
        for _ in range(20):
            self.gdb.do("stepi")
            self.assertNotIn("on_tick", self.gdb.do("frame"))
        self.assertGreater(self.value("shared.from_handler"), before)
        self.assertIn("wait", self.gdb.do("monitor step-interrupts off"))

    def test_steps_of_code_that_a_handler_runs_too_stay_in_their_own_call(self):
        self.run_to("call common")
        self.gdb.do("monitor step-interrupts on")
        before = self.value("handled")
        functions = []
        while "common" not in functions or functions[-1] != "main":
            self.gdb.do("stepi")  # ticks come meanwhile, and their handler runs through the same code
            self.assertEqual(self.value("$xpsr % 512"), 0)
            functions.append("common" if "common (" in self.gdb.do("frame") else "main")
            self.assertLess(len(functions), 40)
        self.assertGreater(self.value("handled"), before)


if __name__ == "__main__":
    RIG, FIRMWARE = sys.argv.pop(1), str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
