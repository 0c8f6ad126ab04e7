"""GDB sessions over the board's serial line, with no cloud between: mvctl debug --usb plays the modem and calls."""
import json
import os
import signal
import subprocess
import unittest

from bridge_test import USB_MOCK, BridgeTest, PtyWire
from harness import FIRMWARE, MVCTL, PATIENCE, Debugger, GdbPrompt, Process


class LineDebugger(Debugger):
    """`mvctl debug --usb`, in a process that has been started."""

    def __init__(self, chain, server):
        self.chain = chain
        self.server = server
        self.port = int(server.wait_for(r"^Listening on port (\d+)").group(1))


class DebugUsbTest(BridgeTest):
    """A device that runs examples/counter; its cloud is gone once it has been deployed to."""

    @classmethod
    def deploy(cls, *options):
        cls.chain.wait_online("bench")
        cls.chain.mvctl("deploy", cls.chain.project("counter"), "--device", "bench", "--key", "dev", "--wait", *options)
        cls.elf = next((cls.chain.home / "projects").rglob("counter.elf"))


class OverATty(DebugUsbTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.link = cls.chain.home / "ttyBoard"
        cls.wire = PtyWire(cls.chain.home / "uart.sock", cls.link)
        cls.addClassCleanup(cls.wire.close)
        cls.wire.plug()
        cls.machine = cls.power_on(cls.chain.home / "uart.sock")
        with cls.bridge():
            cls.deploy("--debug-key", "dev")
        cls.chain.stop_cloud()

    @classmethod
    def bridge(cls):
        class Bridge:
            def __enter__(self):
                self.process = cls.chain.spawn("usb", "bridge", "--tty", cls.link)
                self.process.wait_for("is connected to")

            def __exit__(self, *_):
                self.process.stop()

        return Bridge()

    def debug(self, *options):
        server = self.chain.spawn("debug", "--usb", "--tty", self.link, "--port", "0", *options)
        self.addCleanup(server.stop, signal.SIGINT)
        return LineDebugger(self.chain, server)

    def refused(self, code, text, *options):
        done = self.chain.run("debug", "--usb", "--tty", self.link, "--port", "0", *options)
        self.assertEqual(done.returncode, code, done.stdout)
        self.assertIn(text, done.stdout)

    def test_breaks_steps_reads_writes_and_lets_the_application_run(self):
        debugger = self.debug("--elf", self.elf)
        out = debugger.gdb(self.elf, "break tally", "continue", "backtrace", "up", "info locals", "finish", "next", "step",
                           "delete", "break report", "continue", "set var statistics.largest = 123456", "print statistics",
                           "x/4xw &statistics", "stepi", "detach")
        self.assertRegex(out, r"Breakpoint 1, .*tally \(into=.*, value=\d+\) at .*counter\.cc:\d+")
        self.assertRegex(out, r"#1 .*count_once \(round=\d+\)")
        self.assertRegex(out, r"product = \d+")
        self.assertRegex(out, r"Breakpoint 2, .*report")
        self.assertRegex(out, r"largest = 123456")
        self.assertRegex(out, r"0x0001e240")
        self.assertRegex(debugger.server.text, r"is UV[0-9a-f]{32}; ELF \S+counter\.elf matches")
        # It ran on after the detach: it comes by again.
        out = debugger.gdb(self.elf, "break tally", "continue", "detach")
        self.assertRegex(out, r"Breakpoint 1, ")
        self.assertEqual(debugger.close(), 0)

    def test_interrupts_a_running_application(self):
        debugger = self.debug("--elf", self.elf)
        gdb = GdbPrompt(self.elf, debugger.port)
        self.addCleanup(gdb.close)
        gdb.type("continue &")
        gdb.wait_for("Continuing")
        gdb.type("interrupt")
        gdb.wait_for("Program received signal SIGINT")
        gdb.send("detach")

    def test_a_second_debugger_finds_the_line_busy(self):
        debugger = self.debug("--elf", self.elf)
        debugger.server.wait_for("end-to-end encrypted")
        self.refused(1, "busy")
        self.assertRegex(debugger.gdb(self.elf, "break tally", "continue", "detach"), r"Breakpoint 1, ")

    def test_a_wrong_debug_key_is_refused(self):
        self.chain.mvctl("keys", "create", "stranger")
        self.refused(6, "the device refused the debug key", "--key", "stranger")

    def test_an_elf_of_another_build_is_refused(self):
        self.refused(1, "source lines would be wrong", "--elf", FIRMWARE / "test-applications" / "load-test.elf")

    def test_a_board_that_is_unplugged_ends_the_session(self):
        debugger = self.debug("--elf", self.elf)
        gdb = GdbPrompt(self.elf, debugger.port)
        self.addCleanup(gdb.close)
        gdb.send("break tally")
        gdb.send("continue")
        self.wire.unplug()
        debugger.server.wait_for("ttyBoard was unplugged")
        self.assertEqual(debugger.server.process.wait(30), 5)
        self.wire.plug()
        out = self.debug("--elf", self.elf).gdb(self.elf, "print $pc", "detach")
        self.assertRegex(out, r"\$1 = \(.*\) 0x")

    def test_a_device_that_is_gone_is_said_and_one_that_restarts_is_called_again(self):
        debugger = self.debug("--elf", self.elf)
        self.assertRegex(debugger.gdb(self.elf, "break tally", "continue", "detach"), r"Breakpoint 1, ")
        self.machine.stop()
        self.assertRegex(debugger.gdb(self.elf, "detach"),
                         r"Could not read registers; remote failure reply '.*the device says nothing on its serial line")
        type(self).machine = self.power_on(self.chain.home / "uart.sock")
        self.assertRegex(debugger.gdb(self.elf, "break tally", "continue", "detach"), r"Breakpoint 1, ", debugger.server.text)

    def test_no_secret_of_the_cloud_is_needed_but_its_certificate_is(self):
        contexts = json.loads((self.chain.home / "config" / "mvctl" / "config.json").read_text())["contexts"]
        env = dict(self.chain.env, XDG_CONFIG_HOME=str(self.chain.home / "elsewhere"), MVCTL_CLOUD="https://127.0.0.1:9",
                   MVCTL_CA=contexts["test"]["ca_certificate"])
        command = [MVCTL, "debug", "--usb", "--tty", self.link, "--port", "0", "--elf", self.elf]
        done = subprocess.run(command, env=env, text=True, capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("none of your keys", done.stderr)

        command += ["--key", self.chain.home / "config" / "mvctl" / "keys" / "dev.pem"]
        server = Process(command, env=env)
        self.addCleanup(server.stop, signal.SIGINT)
        out = LineDebugger(self.chain, server).gdb(self.elf, "break tally", "continue", "detach")
        self.assertRegex(out, r"Breakpoint 1, ", server.text)
        server.stop(signal.SIGINT)

        stranger = self.chain.home / "stranger-ca.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        "/dev/null", "-subj", "/CN=another cloud", "-days", "2", "-out", stranger], check=True,
                       capture_output=True, timeout=PATIENCE)
        done = subprocess.run(command, env=dict(env, MVCTL_CA=str(stranger)), text=True, capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("certificate cannot be trusted", done.stderr)

    def test_a_line_on_which_nobody_is_is_said(self):
        wire = PtyWire(self.chain.home / "nobody.sock", self.chain.home / "ttyNobody")
        self.addCleanup(wire.close)
        wire.plug()
        done = self.chain.run("debug", "--usb", "--tty", self.chain.home / "ttyNobody", "--port", "0")
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertIn("says nothing on its serial line", done.stdout)

    # The last one, in the order of names: the cloud comes back.
    def test_zz_the_device_goes_back_to_its_cloud_and_says_why_it_has_no_debugger(self):
        self.chain.serve()
        with self.bridge():
            self.deploy()
        self.refused(6, "carries no debug key")


class OverUsb(DebugUsbTest):
    def test_a_board_behind_an_st_link_is_debugged_and_unplugged(self):
        line = self.chain.home / "uart.sock"
        self.chain.project("counter")
        script = (f"'{MVCTL}' usb bridge & echo bridge is process $!; wait; "
                  f"exec '{MVCTL}' debug --usb --serial 0035 --port 0")
        mock = Process(["umockdev-wrapper", USB_MOCK, "--serial-port", f"serial=0035AA,socket={line}", "--", "bash", "-c",
                        script], env=self.chain.env, stdin=subprocess.PIPE)
        self.addCleanup(mock.stop)
        bridge = int(mock.wait_for(r"bridge is process (\d+)").group(1))
        mock.wait_for("0035AA attached")
        self.power_on(line)
        self.deploy("--debug-key", "dev")
        self.chain.stop_cloud()
        os.kill(bridge, signal.SIGTERM)
        debugger = LineDebugger(self.chain, mock)
        out = debugger.gdb(self.elf, "break tally", "continue", "step", "print into", "detach")
        self.assertRegex(out, r"Breakpoint 1, .*tally \(into=.*, value=\d+\) at .*counter\.cc:\d+")
        mock.process.stdin.write("unplug 0035AA\n")
        mock.process.stdin.flush()
        mock.wait_for("0035AA was unplugged")
        mock.process.stdin.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
