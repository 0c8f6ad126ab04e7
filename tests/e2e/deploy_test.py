"""Deploying over the air: what a person sees, and what the device does."""
import json
import unittest

from harness import ChainTest


class Deploy(ChainTest):
    def test_1_runs_what_was_deployed_and_streams_its_log(self):
        self.chain.deploy(self.chain.project("counter"), "bench")

        logs = self.chain.spawn("logs", "bench", "--since", "5m")
        self.addCleanup(logs.stop)
        logs.wait_for(r"counter: hello from the Non-secure side")
        logs.wait_for(r"counter: round 20, sum \d+")

    def test_2_reports_the_very_manifest_that_was_uploaded(self):
        device = self.chain.device("bench")
        app = self.chain.json("apps", "show", device["app"]["target_sid"])

        self.assertEqual(device["app"]["update_status"], "up-to-date")
        self.assertEqual(device["app"]["reported_hash"], app["hash"])
        self.assertEqual(device["state"], "running")

    def test_3_shows_the_new_behaviour_after_one_line_changed(self):
        project = self.chain.project("counter")
        source = project / "counter.cc"
        text = source.read_text()
        changed = text.replace("constexpr std::uint32_t kStep = 1;", "constexpr std::uint32_t kStep = 1000;")
        self.assertNotEqual(text, changed)
        source.write_text(changed)

        self.chain.deploy(project, "bench")

        logs = self.chain.spawn("logs", "bench", "--since", "5m")
        self.addCleanup(logs.stop)
        logs.wait_for(r"counter: round 20, sum 2\d{4}, ")

    def test_4_replaces_an_application_by_another(self):
        self.chain.deploy(self.chain.project("ticker"), "bench")

        logs = self.chain.spawn("logs", "bench", "--since", "5m")
        self.addCleanup(logs.stop)
        logs.wait_for(r"ticker: 32 ticks")

    def test_5_restarts_the_application_on_request(self):
        self.chain.deploy(self.chain.project("counter"), "bench")
        before = self.chain.device("bench")["restarts"]

        self.chain.mvctl("devices", "restart", "bench")

        self.chain.wait_device("bench", lambda device: device["restarts"] > before, what="a restart")

    def test_6_keeps_the_device_reachable_while_the_application_crashes_again_and_again(self):
        self.chain.deploy(self.chain.project("crasher"), "bench")

        events = self.chain.spawn("logs", "bench", "--since", "5m")
        self.addCleanup(events.stop)
        for fault in range(3):
            events.wait_for(rf"crasher: about to commit fault {fault}")
        device = self.chain.wait_device("bench", lambda one: one["restarts"] >= 3, what="three restarts")
        self.assertEqual(device["connection"]["state"], "online")

    def test_7_builds_and_runs_the_project_that_init_writes(self):
        self.chain.mvctl("init", "blink", cwd=self.chain.home)
        project = self.chain.home / "blink"
        for settings in ("launch.json", "tasks.json"):
            json.loads((project / ".vscode" / settings).read_text())

        self.chain.deploy(project, "bench")

        self.assertEqual(self.chain.device("bench")["state"], "running")


if __name__ == "__main__":
    unittest.main(verbosity=2)
