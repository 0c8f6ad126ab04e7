"""The real GDB against the device's own agent: breakpoints whose conditions and commands the device evaluates.

usage: breakpoint_programs_test.py GDB_SERIAL_RIG FIRMWARE_FOLDER [unittest options]
"""
import os
import pathlib
import re
import select
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "firmware")]

from debug_device import DebugDevice  # noqa: E402
from gdb_session import DeviceSession  # noqa: E402

RIG = ""
FIRMWARE = ""
SOURCE = HERE.parent / "firmware" / "apps" / "conditions.c"


class Programs(DeviceSession):
    @classmethod
    def setUpClass(cls):
        cls.elf = os.path.join(FIRMWARE, "test-applications", "app-conditions.elf")
        cls.find_marks(SOURCE)

    def setUp(self):
        port = self.start(RIG, DebugDevice(FIRMWARE, "conditions"), self.elf)
        self.gdb.do(f"directory {HERE.parents[1]}")  # the firmware names its sources from there
        self.gdb.do(f"target remote 127.0.0.1:{port}")

    def set(self, command):
        """A breakpoint or dprintf; GDB must find everything that is named in it."""
        self.assertRegex(self.gdb.do(command), r"(breakpoint|Breakpoint|Dprintf) \d+ at")

    def run_to(self, mark):
        self.set(f"tbreak {self.at(mark)}")
        self.assertRegex(self.gdb.do("continue"), "MARK " + mark)

    def continue_for(self, messages):
        """Goes on to the next stop, for so many messages.

        One is for the application to go on and stop, whatever is hit on the way. GDB evaluates a condition once more
        when it is told of a stop: one for the globals that it reads. From a breakpoint it steps first: one more.
        """
        out, cost = self.cost("continue")
        self.assertLessEqual(cost, messages, out)
        return out

    def read_until(self, text, seconds=20):
        """What GDB prints while the application runs."""
        out = b""
        end = time.monotonic() + seconds
        while text.encode() not in out:
            ready, _, _ = select.select([self.gdb.process.stdout], [], [], max(0, end - time.monotonic()))
            self.assertTrue(ready, f"GDB did not print {text!r} but {out!r}")
            out += os.read(self.gdb.process.stdout.fileno(), 65536)
        return out.decode()


class Conditions(Programs):
    def test_five_false_hits_and_a_true_one_are_one_message(self):
        self.run_to("round")
        rounds = self.value("rounds")
        self.set(f"break {self.at('local')} if step == 5")
        self.assertIn("MARK local", self.continue_for(1))
        self.assertEqual(self.value("step"), 5)
        self.assertEqual(self.value("rounds"), rounds + 1)

    def test_a_local_a_register_and_members(self):
        for condition, messages, check, expected in (
                ("product == 12", 1, "step", 4),
                ("$sp != 0 && $r7 == $r7 && step > 6", 1, "step", 7),
                ("motor->id == 1 && motor->next->speed == -7 && step == 2", 2, "step", 2),
                ("(rounds & 3) == 1 && !step", 2, "rounds & 3", 1),
                ("name[1] == 117 && step % 4 == 3", 2, "step % 4", 3)):
            with self.subTest(condition=condition):
                self.gdb.do("delete")
                self.run_to("round")
                self.set(f"break {self.at('return')} if {condition}")
                self.assertIn("MARK return", self.continue_for(messages))
                self.assertEqual(self.value(check), expected)

    def test_one_that_is_changed_takes_effect_with_the_next_continue(self):
        self.run_to("round")
        self.set(f"break {self.at('local')} if step == 2")
        self.continue_for(1)
        self.gdb.do("condition 2 step == 7")
        self.assertIn("MARK local", self.gdb.do("continue"))
        self.assertEqual(self.value("step"), 7)
        self.gdb.do("condition 2")
        self.gdb.do("continue")
        self.assertEqual(self.value("step"), 8)

    def test_two_breakpoints_on_one_line(self):
        self.run_to("round")
        self.set(f"break {self.at('local')} if step == 6")
        self.set(f"break {self.at('local')} if step == 3")
        self.assertIn("Breakpoint 3,", self.continue_for(1))
        self.assertIn("Breakpoint 2,", self.gdb.do("continue"))
        self.assertEqual(self.value("step"), 6)

    def test_a_division_by_zero_stops_and_says_why(self):
        self.run_to("round")
        self.set(f"break {self.at('local')} if step / zero == 1")
        out = self.continue_for(2)
        self.assertRegex(out, r"\[device\] breakpoint at 0x[0-9a-f]{8}: its condition cannot be evaluated: division by zero")
        self.assertEqual(self.value("step"), 0)

    def test_one_that_is_too_long_for_the_device_is_left_to_gdb(self):
        self.gdb.do("set breakpoint always-inserted on")
        self.run_to("round")
        self.set(f"break {self.at('local')} if step == 2" + "".join(f" || step == {n}" for n in range(100, 180)))
        out, cost = self.cost("continue")
        self.assertIn("MARK local", out)
        self.assertEqual(self.value("step"), 2)
        self.assertGreater(cost, 2)
        self.assertRegex(self.gdb.do("monitor status"), r"conditions +0 of 16")

    def test_an_interrupt_handler(self):
        self.run_to("round")
        handled = self.value("handled")
        self.set(f"break {self.at('handler')} if handled == {handled + 4}")
        self.assertIn("MARK handler", self.continue_for(2))
        self.assertEqual(self.value("handled"), handled + 4)
        self.assertRegex(self.gdb.do("backtrace"), r"on_tick[\s\S]*<signal handler called>[\s\S]*main")

    def test_steps_pass_over_those_that_do_not_hold(self):
        self.run_to("drive")
        for mark in ("local", "return", "handler"):
            self.set(f"break {self.at(mark)} if rounds == 0")
        self.assertIn("MARK local", self.gdb.do("next"))
        self.assertIn("MARK return", self.gdb.do("next"))
        self.set(f"tbreak {self.at('call')} if step == 3")
        self.gdb.do("continue")
        self.gdb.do("next")
        self.assertIn("MARK call", self.gdb.do("next"))
        self.assertEqual(self.value("step"), 4)

    def test_control_c_while_one_is_hit_all_the_time(self):
        self.run_to("round")
        self.gdb.do("set dprintf-style agent")
        for mark in ("drive", "local", "return"):
            self.set(f"break {self.at(mark)} if step == 99")
        self.set(f'dprintf {self.at("round")},"round %u\\n",rounds')
        self.gdb.type("continue")
        self.read_until("round ")
        self.gdb.interrupt()
        self.assertIn("SIGINT", self.gdb.read_prompt())


class Commands(Programs):
    def setUp(self):
        super().setUp()
        self.gdb.do("set dprintf-style agent")

    def test_dprintf_prints_while_the_application_runs(self):
        self.run_to("round")
        rounds = self.value("rounds")
        self.set(f'dprintf {self.at("local")},"step %d of %s, %#x\\n",step,name,motor->id')
        self.set(f"break {self.at('round')} if rounds == {rounds + 3}")
        out = self.continue_for(3)
        expected = [f"step {step} of pump, 0x1" for _ in range(3) for step in range(10)]
        self.assertEqual(re.findall(r"step \d of pump, 0x1", out), expected)
        self.assertEqual(self.value("rounds"), rounds + 3)

    def test_dprintf_with_a_condition(self):
        self.run_to("round")
        rounds = self.value("rounds")
        self.set(f'dprintf {self.at("local")},"at %d\\n",step')
        self.gdb.do("condition 2 step % 5 == 4")
        self.set(f"break {self.at('round')} if rounds == {rounds + 2}")
        self.assertEqual(re.findall(r"at \d", self.continue_for(3)), ["at 4", "at 9"] * 2)

    def test_dprintf_in_a_stepped_function_prints_once(self):
        self.run_to("call")
        self.set(f'dprintf {self.at("local")},"at %d\\n",step')
        self.assertEqual(len(re.findall(r"at \d", self.gdb.do("next"))), 1)

    def test_dprintf_that_cannot_print_says_why_and_goes_on(self):
        self.run_to("round")
        rounds = self.value("rounds")
        self.set(f'dprintf {self.at("round")},"%s\\n",(char*)0x60000000')
        self.set(f"break {self.at('drive')} if rounds == {rounds + 2}")
        out = self.continue_for(3)
        self.assertEqual(len(re.findall(r"cannot be carried out: an address is not memory of the application", out)), 1)

    def test_of_a_flood_no_line_is_lost_untold(self):
        self.run_to("round")
        rounds = self.value("rounds")
        self.set(f'dprintf {self.at("local")},"{"x" * 200} %d\\n",step')
        self.set(f"break {self.at('round')} if rounds == {rounds + 30}")
        out = self.continue_for(3)
        missing = re.findall(r"\[mvctl\] (\d+) lines are missing here", out)  # none, if the port was fast enough
        self.assertEqual(len(re.findall(r"x{200} \d", out)) + sum(map(int, missing)), 300)

    def test_a_deleted_one_prints_no_more(self):
        self.gdb.do("set breakpoint always-inserted on")
        self.run_to("round")
        self.set(f'dprintf {self.at("local")},"at %d\\n",step')
        self.assertRegex(self.gdb.do("monitor status"), r"conditions +1 of 16")
        self.set(f"tbreak {self.at('round')}")
        self.assertIn("at 9", self.gdb.do("continue"))
        self.gdb.do("delete")
        self.assertRegex(self.gdb.do("monitor status"), r"conditions +0 of 16")
        self.set(f"tbreak {self.at('round')}")
        self.assertNotIn("at 9", self.gdb.do("continue"))


if __name__ == "__main__":
    RIG = os.path.abspath(sys.argv.pop(1))
    FIRMWARE = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
