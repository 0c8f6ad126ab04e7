"""Updates over the air: what they cost, the trial, and what is put back when it fails."""
import json
import re
import ssl
import unittest
import urllib.request

from harness import ChainTest

ROLLED_BACK = 7


class Rollout(ChainTest):
    def deploy(self, project, *options, code=0):
        done = self.chain.run("deploy", project, "--device", "bench", "--key", "dev", "--wait", *options)
        self.assertEqual(done.returncode, code, done.stdout + self.chain.diagnosis())
        return done.stdout

    def history(self, generation):
        """The states of the update of this generation, as the cloud has them in its history."""
        context = json.loads((self.chain.home / "context.json").read_text())
        request = urllib.request.Request(f"https://127.0.0.1:{self.chain.port}/v1/Events?Device={self.chain.device('bench')['sid']}&Follow=false",
                                         headers={"Authorization": "Bearer " + context["token"]})
        trust = ssl.create_default_context(cafile=context["ca_certificate"])
        with urllib.request.urlopen(request, context=trust, timeout=30) as stream:
            lines = stream.read().decode().splitlines()
        events = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
        return [event["data"]["state"] for event in events
                if event["kind"] in ("target", "update") and event["data"]["generation"] == generation]

    def test_1_an_edit_costs_a_few_bytes_and_deploy_says_so_before_and_after(self):
        project = self.chain.project("counter")
        self.deploy(project)
        source = project / "counter.cc"
        source.write_text(source.read_text().replace("kStep = 1;", "kStep = 7;"))

        said = self.deploy(project)

        plan = re.search(r"(\d[\d,]*) of ([\d,]+) bytes over the air", said)
        self.assertIsNotNone(plan, said)
        sent = re.search(r"(\d[\d,]*) bytes sent for an image of ([\d,]+) \(\d\.\d\d %\)", said)
        self.assertIsNotNone(sent, said)
        self.assertEqual(plan.group(2), sent.group(2))
        self.assertLess(int(sent.group(1).replace(",", "")), 200, said)
        update = self.chain.device("bench")["update"]
        self.assertEqual((update["state"], update["generation"]), ("up-to-date", update["observed_generation"]))

    def test_2_a_trial_is_followed_to_its_confirmation(self):
        project = self.chain.project("counter")

        said = self.deploy(project, "--confirm-timeout", "60")

        self.assertRegex(said, r"runs on trial, \d+ s left to be confirmed")
        update = self.chain.device("bench")["update"]
        self.assertEqual((update["state"], update["waits_for"]), ("up-to-date", None))
        history = self.history(update["generation"])
        self.assertEqual((history[0], history[-2:]), ("ordered", ["trial", "up-to-date"]))
        self.assertEqual(len(history), len(set(history)), history)

    def test_3_what_crashes_on_trial_is_put_back_and_not_tried_again(self):
        runs = self.chain.device("bench")["app"]["reported_hash"]

        said = self.deploy(self.chain.project("crasher"), "--confirm-timeout", "60", code=ROLLED_BACK)

        self.assertIn("on trial and rolled it back: ", said)
        device = self.chain.wait_device("bench", lambda device: device["update"]["state"] == "rolled-back")
        self.assertEqual(device["app"]["reported_hash"], runs)
        self.assertIn(device["update"]["reason"], said)
        self.assertIn("was rolled back", self.chain.mvctl("devices", "show", "bench"))
        self.chain.mvctl("devices", "update", "bench", "--logging", "off")
        self.chain.stop_cloud()
        self.chain.serve()
        self.chain.wait_online("bench")
        self.chain.mvctl("devices", "restart", "bench")
        device = self.chain.wait_device("bench", lambda now: now["restarts"] > device["restarts"], what="a restart")
        self.assertEqual(device["update"]["state"], "rolled-back")
        history = self.history(device["update"]["generation"])
        self.assertEqual((history.count("trial"), history[-1]), (1, "rolled-back"), history)

    def test_4_the_same_again_is_another_try(self):
        before = self.chain.device("bench")["update"]["generation"]

        self.deploy(self.chain.project("crasher"), "--confirm-timeout", "60", code=ROLLED_BACK)

        update = self.chain.device("bench")["update"]
        self.assertGreater(update["generation"], before)
        self.assertIn("trial", self.history(update["generation"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
