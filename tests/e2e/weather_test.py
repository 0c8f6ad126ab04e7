"""Bad weather: what breaks while somebody works, and what they then see. Nothing is lost, nothing is stuck."""
import re
import signal
import subprocess
import unittest

from harness import GDB, PATIENCE, ChainTest, Debugger, Process


class Gdb:
    """A GDB that a test talks to: commands in, output awaited, Ctrl-C when wanted."""

    def __init__(self, debugger, elf):
        self.debugger = debugger
        self.child = Process([GDB, "-nx", "-q", str(elf)], stdin=subprocess.PIPE)
        for command in ("set pagination off", "set confirm off", "set style enabled off",
                        f"target remote 127.0.0.1:{debugger.port}"):
            self.send(command)

    def send(self, command):
        self.child.process.stdin.write(command + "\n")
        self.child.process.stdin.flush()

    def expect(self, pattern):
        try:
            return self.child.wait_for(pattern)
        except AssertionError as error:
            raise AssertionError(f"{error}\nmvctl debug said:\n{self.debugger.server.text}\n"
                                 f"{self.debugger.chain.diagnosis()}") from None

    def let_run(self, command):
        """Sends a command that lets the application run, once its halt was reported: `interrupt` waits for the next report."""
        self.debugger.chain.wait_device("bench", lambda device: device["state"] == "halted", what="halted")
        self.send(command)

    def interrupt(self):
        """Ctrl-C, once the device reports that the application runs: GDB loses one that comes while it resumes."""
        self.debugger.chain.wait_device("bench", lambda device: device["state"] == "running", what="running")
        self.child.process.send_signal(signal.SIGINT)

    def close(self):
        self.child.process.stdin.close()
        self.child.stop()


class Weather(ChainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chain.deploy(cls.chain.project("counter"), "bench")
        cls.elf = next((cls.chain.home / "projects").rglob("counter.elf"))

    def debug(self):
        debugger = Debugger(self.chain, "bench", "--elf", str(self.elf))
        self.addCleanup(debugger.close)
        return debugger

    def session(self):
        gdb = Gdb(self.debug(), self.elf)
        self.addCleanup(gdb.close)
        return gdb

    def test_ctrl_c_stops_a_running_application(self):
        gdb = self.session()
        gdb.let_run("continue")
        gdb.expect(r"Continuing\.")
        gdb.interrupt()
        gdb.expect(r"Program received signal SIGINT")
        gdb.send("print statistics.count")
        gdb.expect(r"\$1 = \d+")

    def test_ctrl_c_stops_an_application_that_spins_with_interrupts_off(self):
        gdb = self.session()
        gdb.send("break tally")
        gdb.send("continue")
        gdb.expect(r"Breakpoint 1, ")
        gdb.send("set var $primask = 1")
        gdb.send("delete")
        gdb.let_run("jump wait_for_tick")
        gdb.expect(r"Continuing at")
        gdb.interrupt()
        gdb.expect(r"Program received signal SIGINT")
        gdb.send("print $primask")
        gdb.expect(r"\$1 = 1")
        gdb.send("set var $primask = 0")
        gdb.send("detach")
        gdb.expect(r"detached")

    def test_a_halt_survives_the_loss_of_the_link(self):
        gdb = self.session()
        gdb.send("break tally")
        gdb.send("continue")
        gdb.expect(r"Breakpoint 1, ")
        self.chain.mvctl("emulator", "modem", "bench", "--carrier-loss", "3s")
        gdb.send("print statistics.count")
        gdb.expect(r"\$1 = \d+")
        gdb.send("next")
        gdb.expect(r"into\.sum = into\.sum")
        gdb.send("detach")

    def test_a_halt_survives_a_restart_of_the_cloud(self):
        gdb = self.session()
        gdb.send("break tally")
        gdb.send("continue")
        gdb.expect(r"Breakpoint 1, ")
        self.chain.stop_cloud(signal.SIGKILL)
        self.chain.serve()
        gdb.send("next")
        gdb.expect(r"into\.sum = into\.sum")
        gdb.send("detach")

    def test_a_second_debugger_is_told_who_is_in_the_way(self):
        first = self.session()
        first.send("break tally")
        first.send("continue")
        first.expect(r"Breakpoint 1, ")
        second = self.chain.run("debug", "bench", "--key", "dev", "--port", "0")
        self.assertNotEqual(second.returncode, 0)
        self.assertRegex(second.stdout, r"(?i)another debugger|already|busy")

    def test_a_wrong_key_is_refused_with_a_sentence(self):
        self.chain.mvctl("keys", "create", "stranger")
        done = self.chain.run("debug", "bench", "--key", "stranger", "--port", "0")
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertRegex(done.stdout, r"refused the key|not the debug key")

    def test_an_unknown_device_is_not_found(self):
        done = self.chain.run("debug", "nobody", "--key", "dev")
        self.assertEqual(done.returncode, 4, done.stdout)

    def test_a_file_of_another_kind_is_no_elf_and_no_key(self):
        wrong = self.chain.home / "notes.txt"
        wrong.write_text("neither an ELF nor a key")
        for option in ("--elf", "--key"):
            for file, code in ((wrong, 1), (self.chain.home / "nothing", 4)):
                done = self.chain.run("debug", "bench", option, str(file), "--port", "0")
                self.assertEqual(done.returncode, code, done.stdout)
                self.assertIn(str(file), done.stdout)

    def test_an_offline_device_is_said_to_be_offline(self):
        self.chain.start_device("dark")
        self.chain.mvctl("emulator", "kill", "dark")
        self.chain.wait_device("dark", lambda one: one["connection"]["state"] == "offline", 90, "offline")
        done = self.chain.run("debug", "dark", "--key", "dev", "--port", "0")
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertRegex(done.stdout, r"offline")

    def test_a_bundle_without_a_debug_key_cannot_be_debugged(self):
        self.chain.start_device("closed")
        self.chain.mvctl("deploy", self.chain.project("ticker"), "--device", "closed", "--key", "dev", "--wait")
        done = self.chain.run("debug", "closed", "--key", "dev", "--port", "0")
        self.assertEqual(done.returncode, 6, done.stdout)
        self.assertRegex(done.stdout, r"carries no debug key")

    def test_a_deploy_survives_a_restart_of_the_cloud(self):
        source = self.chain.project("counter") / "counter.cc"
        source.write_text(source.read_text().replace("kStep = 1;", "kStep = 3;"))
        deploy = self.chain.spawn("deploy", self.chain.project("counter"), "--device", "bench", "--key", "dev",
                                  "--debug-key", "dev", "--wait", "--timeout", "290s")
        self.addCleanup(deploy.stop)
        deploy.wait_for(r"staging|plan|signed")
        self.chain.stop_cloud(signal.SIGKILL)
        self.chain.serve()
        self.assertEqual(deploy.process.wait(PATIENCE), 0, deploy.text + self.chain.diagnosis())

    def test_a_deploy_survives_a_device_that_vanishes(self):
        source = self.chain.project("blinky")
        deploy = self.chain.spawn("deploy", source, "--device", "bench", "--key", "dev", "--debug-key", "dev", "--wait",
                                  "--timeout", "290s")
        self.addCleanup(deploy.stop)
        deploy.wait_for(r"staging|plan|signed")
        self.chain.mvctl("emulator", "kill", "bench")
        self.chain.mvctl("emulator", "power-on", "bench")
        self.assertEqual(deploy.process.wait(PATIENCE), 0, deploy.text + self.chain.diagnosis())
        self.chain.deploy(self.chain.project("counter"), "bench")

    def test_logs_written_offline_arrive_once_the_link_is_back(self):
        self.chain.mvctl("emulator", "modem", "bench", "--carrier-loss", "6s")
        logs = self.chain.spawn("logs", "bench", "--since", "1m", "--output", "json")
        self.addCleanup(logs.stop)
        logs.wait_for(r"counter: round \d+")
        first = int(re.search(r"counter: round (\d+)", logs.text).group(1))
        for later in range(1, 5):
            logs.wait_for(rf"counter: round {first + 20 * later}\b")
        seen = {int(number) for number in re.findall(r"counter: round (\d+)", logs.text)}
        ordered = sorted(seen)
        self.assertEqual(ordered, list(range(ordered[0], ordered[-1] + 1, 20)), "a line was lost")


if __name__ == "__main__":
    unittest.main(verbosity=2)
