"""`mvctl trace`: values at a line of a real application that runs on, through the whole chain."""
import json
import re
import signal
import time
import unittest
from pathlib import Path

from harness import ChainTest, Debugger, GdbPrompt, Process, MVCTL

PROGRAM = Path(__file__).resolve().parent / "trace"
SOURCE = PROGRAM / "trace.c"


def line(text):
    """The number of the one line of the program that holds `text`."""
    found = [number for number, each in enumerate(SOURCE.read_text().splitlines(), 1) if text in each]
    assert len(found) == 1, (text, found)
    return found[0]


class TraceTest(ChainTest):
    """A device that runs the program, and traces of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls.chain.copy_project(PROGRAM)
        cls.chain.deploy(cls.project, "bench")
        cls.elf = next(cls.project.rglob("trace.elf"))
        cls.chain.wait_online("bench")

    def options(self, *expressions, at="MARK measured"):
        place = f"trace.c:{line(at)}" if at.startswith("MARK") else at
        return ["trace", "bench", "--key", "dev", "--elf", str(self.elf), "--at", place,
                *(word for each in expressions for word in ("--expr", each))]

    def records(self, *expressions, count=1, at="MARK measured", more=()):
        """Runs a trace to its end: what it says of each hit, as JSON."""
        out = self.chain.mvctl(*self.options(*expressions, at=at), "--count", count, "--output", "json", *more)
        return [json.loads(each) for each in out.splitlines()]

    def values(self, *expressions, **options):
        """Of one hit, in order; what has no value is given by why."""
        entries = self.records(*expressions, **options)[0]["values"]
        return [entry.get("value", entry.get("problem")) for entry in entries]

    def fails(self, *arguments, at="MARK measured", code=2):
        done = self.chain.run(*self.options(*arguments, at=at), "--count", "1")
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout


class Trace(TraceTest):
    def assert_undisturbed(self):
        """The application runs on, and no hit holds it: as much time passes between two as its own clock says."""
        self.assertEqual(self.chain.device("bench")["state"], "running")
        in_step = 0
        hits = self.records("round", "ticks", count=10)
        for before, after in zip(hits, hits[1:]):
            self.assertEqual(after["values"][0]["value"], before["values"][0]["value"] + 1)
            ticks = after["values"][1]["value"] - before["values"][1]["value"]
            passed = (after["uptime_us"] - before["uptime_us"]) / 1e4
            self.assertGreaterEqual(ticks, 10)  # a round waits for so many
            self.assertGreater(passed, 0)
            in_step += abs(ticks - 10) < 3 and abs(passed - ticks) < 3
        # But for those where the host did not let the device run.
        self.assertGreater(in_step, 0, hits)

    def test_values_of_every_kind_are_right(self):
        round_, raw, wide, real, array, text, pointed, enumerator, byte, structure, total = self.values(
            "round, now.raw, history[2] * 1000000000LL, ratio", "history, name, cursor->unit, mode", "level", "now", "total")
        self.assertEqual(raw, round_)
        self.assertEqual(wide, 30_000_000_000)
        self.assertEqual(real, 0.25)
        self.assertEqual(array, "{10, 20, 30, 40}")
        self.assertRegex(text, r'^"porch\\000*')
        self.assertRegex(pointed, r'^"mV')
        self.assertEqual(enumerator, "WARM")
        self.assertIsInstance(byte, int)
        self.assertRegex(structure, rf'^{{raw = {round_}, scaled = {round_ / 2:g}, unit = "mV')
        self.assertGreater(total, 0x100000000)

    def test_floating_point_is_computed_of_what_the_device_read(self):
        temp, half, product, both, truth = self.values(
            "temp, (float)temp/10", "gain * 2", "ratio*now.scaled + *&gain", "mode == WARM")
        self.assertAlmostEqual(half, temp / 10, places=4)
        self.assertEqual(product, 3.0)
        self.assertAlmostEqual(both, 0.25 * (temp / 10) + 1.5, places=4)
        self.assertIn(truth, (1, True))

    def test_what_optimised_code_has_in_registers_is_found_and_what_it_lost_is_said(self):
        round_, factor, lost = self.values("round", "factor", "unused", at="MARK optimised")
        self.assertGreater(round_, 0)
        self.assertEqual(factor, 1.5)
        self.assertEqual(lost, "optimised out")

    def test_strings_are_followed(self):
        [text] = self.values("greeting")
        self.assertRegex(text, r'^0x[0-9a-f]+ (<.*> )?"hello"$')

    def test_a_null_pointer_is_said_and_spoils_nothing_else(self):
        first, broken, last = self.values("round", "nothing->scaled", "gain")
        self.assertGreater(first, 0)
        self.assertRegex(broken, r"^cannot access memory at address 0x4$")
        self.assertEqual(last, 1.5)

    def test_hits_come_one_a_round_with_the_devices_time_while_the_application_runs_on(self):
        hits = self.records("round", count=5)
        self.assertEqual([hit["hit"] for hit in hits], [1, 2, 3, 4, 5])
        self.assert_undisturbed()

    def test_a_condition_is_evaluated_on_the_device(self):
        hits = self.records("round", count=2, more=("--if", "round % 7 == 3"))
        self.assertEqual([hit["values"][0]["value"] % 7 for hit in hits], [3, 3])
        self.assertEqual([hit["hit"] for hit in hits], [1, 2])  # the others are no hits

    def test_lines_for_a_person(self):
        out = self.chain.mvctl(*self.options("round, (float)temp/10"), "--count", 1)
        self.assertRegex(out, rf"(?m)^trace +.*trace\.c:{line('MARK measured')} in measure; the application runs on")
        self.assertRegex(out, r"(?m)^\+\d+\.\d{6} s  round = \d+  \(float\)temp/10 = [\d.]+$")

    def test_a_duration_ends_it(self):
        began = time.monotonic()
        out = self.chain.mvctl(*self.options("round"), "--for", "3s", "--output", "json")
        self.assertGreater(len(out.splitlines()), 3)
        self.assertGreater(time.monotonic() - began, 3)

    def test_what_cannot_be_traced_is_said_before_the_device_is_asked(self):
        self.assertRegex(self.fails("nosuch"), r'nosuch cannot be traced at trace\.c:\d+: no symbol "nosuch" in current')
        self.assertRegex(self.fails("nosuch * 2.0"), r'no symbol "nosuch"')
        self.assertRegex(self.fails("ticks = 3"), r"ticks = 3 changes something: a trace only reads")
        self.assertRegex(self.fails("ticks++"), r"changes something")
        self.assertRegex(self.fails("gain * work(1)"), r"calls work: a trace only reads")
        self.assertRegex(self.fails("work(1)"), r"calls work")
        self.assertRegex(self.fails("ticks,,round"), r"an expression is missing")
        self.assertRegex(self.fails("ticks +"), r"a syntax error in expression")
        self.assertRegex(self.fails("ticks", at="trace.c:9999"), r"no line 9999 in file")
        self.assertRegex(self.fails("ticks", at="nosuch.c:1"), r"no source file named nosuch\.c")
        empty = line("// The tests find lines by")
        self.assertRegex(self.fails("ticks", at=f"trace.c:{empty}"), rf"trace\.c:{empty} has no code\n +the next line")
        out = self.chain.run(*self.options("ticks"), "--if", "gain > 3", "--count", "1")
        self.assertEqual(out.returncode, 2)
        self.assertRegex(out.stdout, r"the condition cannot be evaluated on the device")

    def test_too_much_is_refused(self):
        self.assertRegex(self.fails(", ".join(f"cursor->raw + {n}" for n in range(40)), code=6), r"too much to collect")

    def test_one_debugger_at_a_time(self):
        debugger = Debugger(self.chain, "bench", "--elf", str(self.elf))
        self.addCleanup(debugger.close)
        gdb = GdbPrompt(self.elf, debugger.port)
        self.addCleanup(gdb.close)
        self.assertRegex(self.fails("ticks", code=6), r"somebody debugs|debugs the device already")
        gdb.send("detach")

    def test_ctrl_c_takes_the_tracepoint_out_and_the_application_runs_on(self):
        trace = Process([MVCTL, *self.options("round")], env=self.chain.env)
        self.addCleanup(trace.stop)
        trace.wait_for(r"round = \d+")
        self.assertEqual(trace.stop(signal.SIGINT), 0)
        self.assert_undisturbed()
        debugger = Debugger(self.chain, "bench", "--elf", str(self.elf))  # the session is free, no patch is left
        self.addCleanup(debugger.close)
        out = debugger.gdb(self.elf, "compare-sections .text", "detach")
        self.assertRegex(out, r"Section \.text.*: matched")


    def test_a_trace_that_was_killed_makes_room_for_the_next(self):
        events = self.chain.spawn("events", "--device", "bench")
        self.addCleanup(events.stop)
        trace = Process([MVCTL, *self.options("round")], env=self.chain.env)
        self.addCleanup(trace.stop)
        trace.wait_for(r"round = \d+")
        trace.stop(signal.SIGKILL)
        events.wait_for(r"debug +debugger detached: ")
        self.assertEqual(self.records("round")[0]["hit"], 1)  # its own tracepoint, not the one that was left
        self.assert_undisturbed()


class SlowLine(TraceTest):
    device_options = ("--rate", "4000")

    def test_hits_that_find_no_room_are_counted(self):
        records = self.records("i", "name", "history", count=300, at="MARK burst")
        lost = sum(record.get("lost", 0) for record in records)
        hits = [record for record in records if "hit" in record]
        self.assertEqual(len(hits), 300)
        self.assertGreater(lost, 0)
        self.assertTrue(all("faster" in record["why"] for record in records if "lost" in record))
        self.assertEqual(hits[-1]["hit"], len(hits) + lost)  # nothing is missing without a word
        for hit in hits:
            i = hit["values"][0]["value"]
            self.assertEqual((hit["hit"] - 1) % 2000, i)


class LostLink(ChainTest):
    def setUp(self):
        self.project = self.chain.copy_project(PROGRAM)
        self.chain.deploy(self.project, "bench")
        self.elf = next(self.project.rglob("trace.elf"))
        self.chain.wait_online("bench")
        self.trace = Process([MVCTL, "trace", "bench", "--key", "dev", "--elf", self.elf, "--at",
                              f"trace.c:{line('MARK measured')}", "--expr", "round"], env=self.chain.env)
        self.addCleanup(self.trace.stop)
        self.trace.wait_for(r"round = \d+")

    def test_a_trace_goes_on_when_the_link_is_back(self):
        self.chain.stop_cloud()
        self.trace.wait_for(r"the link to the device was lost; connecting again")
        self.chain.serve()
        back = self.trace.wait_for(r"the device is connected again")
        self.trace.wait_for(r"round = \d+", begin=back.end())
        rounds = [int(number) for number in re.findall(r"round = (\d+)", self.trace.text)]
        self.assertEqual(rounds, sorted(set(rounds)))
        self.assertEqual(self.trace.stop(signal.SIGINT), 0)


class Crash(ChainTest):
    def test_a_crash_is_a_crash_and_ends_the_trace(self):
        project = self.chain.copy_project(PROGRAM)
        source = project / "trace.c"
        source.write_text(source.read_text().replace("crash_wanted) __asm", "crash_wanted || round == 40) __asm"))
        self.chain.mvctl("deploy", project, "--device", "bench", "--key", "dev", "--debug-key", "dev",
                         "--minimum-restart-interval", "60000")
        elf = next(project.rglob("trace.elf"))
        self.chain.wait_device("bench", lambda device: device["state"] == "running", what="running")
        trace = ["trace", "bench", "--key", "dev", "--elf", elf, "--at", f"trace.c:{line('MARK measured')}", "--expr", "round"]
        done = self.chain.run(*trace)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"round = 40\n(?s:.*)the application ended, and the trace with it")
        self.assertRegex(done.stdout, r"mvctl crashes show bench")
        deadline = time.monotonic() + 60
        while not self.chain.json("crashes", "list", "bench")["crashes"]:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        self.assertRegex(self.chain.json("crashes", "show", "bench", "--elf", elf)["cause"], r"undefined instruction")
        again = self.chain.run(*trace)
        self.assertEqual(again.returncode, 6, again.stdout)
        self.assertRegex(again.stdout, r"bench: the application ended and waits for its restart: try again when it runs\n"
                                       r" +if it crashes, see why:  mvctl crashes show bench")


if __name__ == "__main__":
    unittest.main(verbosity=2)
