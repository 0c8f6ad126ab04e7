"""Updates on trial, asked for politely, and how little they send: what a person sees, and what the device does."""
import json
import re
import unittest

from harness import ChainTest

STEP = "constexpr std::uint32_t kStep = "


class Update(ChainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls.chain.project("counter")
        cls.chain.deploy(cls.project, "bench")
        cls.next_step = 1000

    def change(self, crash=False):
        """Changes the project by one line, to something it never was; with `crash` it faults soon after its start."""
        source = self.project / "counter.cc"
        text = source.read_text()
        start = text.index(STEP)
        end = text.index(";", start)
        Update.next_step += 1000
        text = f"{text[:start]}{STEP}{Update.next_step}{text[end:]}"
        trap = "  *reinterpret_cast<volatile std::uint32_t*>(0xF0000000) = 1;\n"
        text = text.replace(trap, "")
        if crash:
            head = "std::uint32_t count_once(std::uint32_t round) {\n"
            text = text.replace(head, head + trap)
        source.write_text(text)

    def deploy(self, *options):
        return self.chain.run("deploy", self.project, "--device", "bench", "--key", "dev", "--debug-key", "dev", "--wait",
                              *options)

    def app(self):
        return self.chain.device("bench")["app"]

    def test_1_a_changed_line_sends_next_to_nothing(self):
        self.change()
        done = self.deploy()
        self.assertEqual(done.returncode, 0, done.stdout)
        sent = re.search(r"([\d,]+) bytes sent for an image of ([\d,]+)", done.stdout)
        self.assertTrue(sent, done.stdout)
        bytes_sent, image = (int(group.replace(",", "")) for group in sent.groups())
        self.assertGreater(bytes_sent, 0)
        self.assertLess(bytes_sent, image / 20)

    def test_2_a_bundle_on_trial_is_confirmed_by_contact(self):
        self.change()
        done = self.deploy("--confirm-timeout", "12")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"(?i)trial")
        app = self.app()
        self.assertEqual(app["update_status"], "up-to-date")
        self.assertEqual(app["reported_hash"], app["target_hash"])

    def test_3_a_bundle_that_crashes_on_trial_is_undone_and_says_so(self):
        before = self.app()["reported_hash"]
        self.change(crash=True)
        done = self.deploy("--confirm-timeout", "60")
        self.assertEqual(done.returncode, 7, done.stdout)
        self.assertIn("crashed 3 times", done.stdout)
        app = self.app()
        self.assertEqual(app["reported_hash"], before)
        shown = self.chain.mvctl("devices", "show", "bench")
        self.assertIn("crashed 3 times", shown)
        self.assert_runs_on("counter: round")

    def test_4_what_was_undone_is_tried_again_only_by_a_new_order(self):
        boots = self.chain.device("bench")["boot_count"]
        self.chain.mvctl("emulator", "kill", "bench")
        self.chain.mvctl("emulator", "power-on", "bench")
        device = self.chain.wait_device(
            "bench", lambda one: one["connection"]["state"] == "online" and one["boot_count"] > boots, what="a boot")
        self.assertIn("crashed 3 times", json.dumps(device))
        done = self.deploy("--confirm-timeout", "60")
        self.assertEqual(done.returncode, 7, done.stdout)

    def test_5_a_bundle_that_is_to_be_confirmed_by_itself_and_is_not_is_undone(self):
        before = self.app()["reported_hash"]
        self.change()
        done = self.deploy("--confirm-timeout", "3", "--confirm-by", "application")
        self.assertEqual(done.returncode, 7, done.stdout)
        self.assertIn("not confirmed within 3 s", done.stdout)
        self.assertEqual(self.app()["reported_hash"], before)

    def test_6_a_bundle_that_confirms_itself_stays(self):
        self.change()
        source = self.project / "counter.cc"
        text = source.read_text()
        source.write_text(text.replace("void report(std::uint32_t round) {\n",
                                       "void report(std::uint32_t round) {\n  mvConfirmUpdate();\n"))
        done = self.deploy("--confirm-timeout", "60", "--confirm-by", "application")
        source.write_text(text)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_7_a_security_counter_below_a_confirmed_one_is_refused(self):
        self.change()
        self.assertEqual(self.deploy("--security-counter", "5").returncode, 0)
        before = self.app()["reported_hash"]
        self.change()
        done = self.deploy("--security-counter", "4")
        self.assertEqual(done.returncode, 6, done.stdout)
        self.assertIn("security counter is 4, this device has confirmed 5", done.stdout)
        self.assertEqual(self.app()["reported_hash"], before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
