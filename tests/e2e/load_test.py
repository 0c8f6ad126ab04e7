"""GDB's `load`, with the real GDB: a changed program is one deploy, and the session goes on in it."""
import re
import unittest

from harness import ChainTest, Debugger, GdbPrompt


class Load(ChainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chain.mvctl("keys", "create", "stranger")
        cls.chain.mvctl("keys", "create", "newcomer")  # the cloud knows it, the device was made before
        cls.chain.mvctl("signers", "add", "newcomer")
        cls.project = cls.chain.project("counter")

    def setUp(self):
        self.build(step=1)
        self.chain.deploy(self.project, "bench", "--force")
        self.elf = self.project / "build" / "counter.elf"

    def debug(self, *options):
        debugger = Debugger(self.chain, "bench", "--elf", str(self.elf), *options)
        self.addCleanup(debugger.close)
        debugger.server.wait_for("session +end-to-end")
        return debugger

    def prompt(self, debugger):
        gdb = GdbPrompt(self.elf, debugger.port)
        self.addCleanup(gdb.close)
        return gdb

    def build(self, step):
        """What `count_once` adds in each round is now `step`, also in the ELF."""
        source = self.project / "counter.cc"
        text = re.sub(r"kStep = \d+;", f"kStep = {step};", source.read_text())
        if text != source.read_text():
            source.write_text(text)
        self.chain.mvctl("deploy", self.project, "--build-only", "--key", "dev")

    def orders(self):
        """How often the device was told to run something."""
        return self.chain.cloud.text.count("target: the device is to run")

    def step_of(self, gdb):
        """What the running program adds in a round."""
        gdb.send("delete")
        out = gdb.send("break tally") + gdb.send("continue")
        self.assertRegex(out, r"Breakpoint \d+, .*tally \(into=.*, value=\d+\) at")
        out = gdb.send("print value") + gdb.send("up") + gdb.send("print product")
        value, product = map(int, re.findall(r"\$\d+ = (\d+)", out))
        return value - product

    def test_a_changed_program_is_one_deploy_and_stands_at_its_first_instruction(self):
        debugger = self.debug()
        gdb = self.prompt(debugger)
        self.assertEqual(self.step_of(gdb), 1)
        self.build(step=7)
        orders = self.orders()
        out = gdb.send("load")
        self.assertRegex(out, r"Start address 0x[0-9a-f]+, load size \d+")
        self.assertEqual(self.orders(), orders + 1)
        debugger.server.wait_for(r"load +bench runs the new program: [\d,]+ of [\d,]+ bytes differ and were sent")
        sections = gdb.send("compare-sections")
        self.assertIn("matched", sections)
        self.assertNotIn("MIS-MATCHED", sections)
        gdb.send("maintenance flush register-cache")
        self.assertIn("Reset_Handler", gdb.send("info symbol $pc"))
        self.assertIn("[mvctl] load: bench runs the new program", gdb.send("monitor status"))
        self.assertEqual(self.step_of(gdb), 7)
        self.assertRegex(gdb.send("monitor reset"), "stands at its first instruction")
        self.assertEqual(self.step_of(gdb), 7)
        gdb.send("delete")
        gdb.send("detach")
        self.assert_runs_on("counter: round")

    def test_an_unchanged_program_is_not_sent_and_begins_anew(self):
        gdb = self.prompt(self.debug())
        gdb.send("tbreak tally")
        gdb.send("continue")
        orders = self.orders()
        self.assertRegex(gdb.send("load"), r"Start address")
        self.assertEqual(self.orders(), orders)
        gdb.send("maintenance flush register-cache")
        self.assertIn("Reset_Handler", gdb.send("info symbol $pc"))
        gdb.send("tbreak main")
        out = gdb.send("continue")
        self.assertIn("[mvctl] load: bench runs this program already: nothing was sent", out)
        self.assertRegex(out, r"Temporary breakpoint \d+, .*main \(\)")

    def test_loads_again_and_again_in_one_session(self):
        gdb = self.prompt(self.debug())
        for step in (2, 3, 2):
            self.build(step)
            self.assertRegex(gdb.send("load"), r"Start address")
            self.assertEqual(self.step_of(gdb), step)

    def test_an_elf_of_another_build_is_taken_only_to_be_loaded(self):
        self.build(step=6)
        refused = self.chain.run("debug", "bench", "--elf", self.elf, "--port", "0")
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stdout, "is build .* but bench runs build .*(?s:.*)let GDB load it: .*--load")
        debugger = self.debug("--load")
        debugger.server.wait_for("is of another build: type load in GDB")
        gdb = self.prompt(debugger)
        self.assertIn("0 bytes served from the local ELF", gdb.send("monitor status"))
        gdb.send("load")
        self.assertRegex(gdb.send("monitor status"), r"flash +[1-9]\d+ bytes served from the local ELF")
        self.assertEqual(self.step_of(gdb), 6)

    def test_an_editor_loads_before_it_runs_to_main(self):
        self.build(step=5)
        out = self.debug("--load").gdb(self.elf, "load", "monitor reset halt", "maintenance flush register-cache", "tbreak main",
                               "continue", "tbreak tally", "continue", "print value", "up", "print product", "detach")
        self.assertRegex(out, r"Temporary breakpoint \d+, .*main \(\)")
        value, product = map(int, re.findall(r"\$\d+ = (\d+)", out))
        self.assertEqual(value - product, 5)

    def assert_refused(self, gdb, why):
        """`load` fails and says why; the session goes on in the program that ran, and so does the device."""
        self.build(step=9)
        self.assertRegex(gdb.send("load"), r"Error finishing flash operation")
        self.assertRegex(gdb.send("monitor status"), rf"\[mvctl\] load failed: .*{why}")
        self.assertRegex(gdb.send("monitor status"), rf"last load +failed: .*{why}")
        self.build(step=1)
        gdb.send(f"file {self.elf}")
        self.assertEqual(self.step_of(gdb), 1)
        self.assertEqual(self.chain.device("bench")["app"]["update_status"], "up-to-date")

    def test_without_the_key_that_signed_it_says_how_to_name_one(self):
        gdb = self.prompt(self.debug())
        self.build(step=9)
        key = self.chain.home / "config" / "mvctl" / "keys" / "dev.pem"
        hidden = key.rename(self.chain.home / "hidden.pem")
        try:
            out = gdb.send("load")
        finally:
            hidden.rename(key)
        self.assertRegex(out, r"Error finishing flash operation")
        self.assertRegex(gdb.send("monitor status"),
                         r"\[mvctl\] load failed: none of your keys has signed counter.*--sign-key KEY")

    def test_a_key_that_the_cloud_does_not_know_is_refused(self):
        self.assert_refused(self.prompt(self.debug("--sign-key", "stranger")), "signer")

    def test_a_key_that_the_device_does_not_know_is_refused_and_the_order_taken_back(self):
        self.assert_refused(self.prompt(self.debug("--sign-key", "newcomer")),
                            "does not know the signer.*the device was told to keep running what it ran before")


if __name__ == "__main__":
    unittest.main(verbosity=2)
