"""The threads of an application with a real-time operating system, as the real GDB shows them."""
import re
import unittest
from pathlib import Path

from harness import ChainTest, Debugger, GdbPrompt

PROGRAM = Path(__file__).resolve().parent / "threads"
SOURCE = PROGRAM / "threads.c"


def line(text):
    """The number of the one line of the program that holds `text`."""
    found = [number for number, each in enumerate(SOURCE.read_text().splitlines(), 1) if text in each]
    assert len(found) == 1, (text, found)
    return found[0]


class Threads(ChainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        project = cls.chain.copy_project(PROGRAM)
        cls.chain.deploy(project, "bench")
        cls.elf = next(project.rglob("threads.elf"))

    def setUp(self):
        self.debugger = Debugger(self.chain, "bench", "--elf", str(self.elf))
        self.addCleanup(self.debugger.close)
        self.gdb = GdbPrompt(self.elf, self.debugger.port)
        self.addCleanup(self.gdb.close)

    def stop_in_worker(self):
        """Until all threads have run once and the worker works."""
        self.gdb.send("tbreak worker")
        self.gdb.send("monitor reset")
        self.gdb.send("maintenance flush register-cache")
        self.assertRegex(self.gdb.send("continue"), r"worker \(\) at ")
        self.assertRegex(self.gdb.send("tbreak work"), r"breakpoint")
        self.assertRegex(self.gdb.send("continue"), r"work \(amount=1\)")

    def number(self, name):
        """GDB's number of a thread."""
        return re.search(rf'(\d+) +Thread \S+ "{name}"', self.gdb.send("info threads")).group(1)

    def test_lists_names_and_states(self):
        self.stop_in_worker()
        out = self.gdb.send("info threads")
        self.assertRegex(out, r'\* \d+ +Thread \S+ "worker" \(running, priority 1\) +work \(amount=1\)')
        self.assertRegex(out, r' "blinker" \(blocked, priority 2\) .*yield \(\)')
        self.assertRegex(out, r' "waiter" \(blocked, priority 2\) .*yield \(\)')
        self.assertRegex(out, r' "idle" \(ready, priority 0\) .*idle \(\)')
        self.assertEqual(len(re.findall(r"Thread \S+ \"", out)), 4)

    def test_shows_where_a_blocked_thread_waits(self):
        self.stop_in_worker()
        out = self.gdb.send(f"thread {self.number('blinker')}")
        self.assertRegex(out, r"Switching to thread \d+")
        out = self.gdb.send("backtrace")
        self.assertRegex(out, r"#1 .*thread_sleep \(ticks=2\)")
        self.assertRegex(out, rf"#2 .*blink \(phase=0.5\) at \S+:{line('MARK asleep')}")
        self.assertRegex(out, r"#3 .*blinker \(\)")
        self.gdb.send("frame 2")
        self.assertRegex(self.gdb.send("info locals"), r"next = 1\b")
        self.assertRegex(self.gdb.send("print $r4 = 1"), r"registers can be written of the running thread only")
        self.gdb.send(f"thread {self.number('waiter')}")
        self.assertRegex(self.gdb.send("backtrace"), rf"#2 .*waiter \(\) at \S+:{line('MARK waiting')}")

    def test_backtraces_of_all_threads_at_once(self):
        self.stop_in_worker()
        out = self.gdb.send("thread apply all backtrace")
        for function in ("blinker", "worker", "waiter", "idle"):
            self.assertRegex(out, rf"#\d .*\b{function} \(\) at ")

    def test_a_repeated_stop_costs_no_round_trip_more_and_a_look_at_all_threads_one(self):
        self.stop_in_worker()
        self.gdb.send("stepi")
        before = self.round_trips()
        for _ in range(4):
            self.gdb.send("stepi")  # GDB asks for the list of threads at each stop it shows
        self.assertEqual(self.round_trips() - before, 4)
        self.gdb.send("info threads")
        before = self.round_trips()
        for _ in range(4):
            self.gdb.send("stepi")
            self.assertEqual(len(re.findall(r'Thread \S+ "', self.gdb.send("info threads"))), 4)
        self.assertLessEqual(self.round_trips() - before, 4 * 2)

    def round_trips(self):
        return int(re.search(r"round trips +(\d+)", self.gdb.send("monitor status")).group(1))

    def test_stepping_stays_in_the_thread(self):
        self.stop_in_worker()
        self.assertRegex(self.gdb.send("next"), r"worked = worked \+ doubled")
        self.assertRegex(self.gdb.send("finish"), r"Value returned is \$\d+ = 2")
        self.assertRegex(self.gdb.send("next"), r"again = work\(done\)")
        self.assertRegex(self.gdb.send("step"), r"work \(amount=2\)")
        # A call that sleeps: the others run meanwhile, through the same code, and the step ends in its own thread.
        self.gdb.send("delete")
        self.gdb.send("tbreak blink")
        self.assertRegex(self.gdb.send("continue"), r"blink \(phase=[\d.]+\)")
        self.assertRegex(self.gdb.send("next"), r"MARK asleep")
        self.assertRegex(self.gdb.send("next"), r"return next")
        self.assertRegex(self.gdb.send("info threads"), r'\* \d+ +Thread \S+ "blinker" \(running, priority 2\)')

    def test_before_the_scheduler_runs_there_is_the_application(self):
        self.gdb.send(f"tbreak {line('MARK start')}")
        self.gdb.send("monitor reset")
        self.gdb.send("maintenance flush register-cache")
        self.gdb.send("continue")
        out = self.gdb.send("info threads")
        self.assertRegex(out, r'\* \d+ +Thread \S+ "application" .*main \(\)')
        self.assertEqual(len(re.findall(r"Thread \S+ \"", out)), 1)

    def test_a_list_that_makes_no_sense_leaves_the_running_thread(self):
        self.stop_in_worker()
        self.gdb.send("set var xDelayedTaskList1.uxNumberOfItems = 1000")
        out = self.gdb.send("info threads")
        self.assertRegex(out, r"the threads of FreeRTOS cannot be shown: a list says that it has more than 64 threads")
        self.assertRegex(out, r"work \(amount=1\)")
        self.gdb.send("set var xDelayedTaskList1.uxNumberOfItems = 1")
        self.assertRegex(self.gdb.send("info threads"), r'"blinker" \(blocked')


if __name__ == "__main__":
    unittest.main(verbosity=2)
