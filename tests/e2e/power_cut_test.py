"""Twenty deploys in a row, the device's power cut at a random moment of each: always the old application or the new one."""
import os
import random
import threading
import time
import unittest

from harness import ChainTest

DEPLOYS = 20
VERSIONS = {"a": 1000, "b": 500000}


class PowerCuts(ChainTest):
    def build(self, version):
        """A bundle of `counter` that counts in steps of its own, so that its log tells which one runs."""
        project = self.chain.project("counter")
        source = project / "counter.cc"
        text = source.read_text()
        start = text.index("constexpr std::uint32_t kStep = ")
        end = text.index(";", start)
        source.write_text(f"{text[:start]}constexpr std::uint32_t kStep = {VERSIONS[version]}{text[end:]}")
        bundle = self.chain.home / f"{version}.zip"
        self.chain.mvctl("deploy", project, "--build-only", "--bundle-out", bundle, "--key", "dev", timeout=180)
        return bundle

    def runs(self, hashes):
        """Waits until the device says that it runs one of the two applications, and returns its hash."""
        device = self.chain.wait_device(
            "bench", lambda one: one["connection"]["state"] == "online" and one["state"] == "running"
            and one["app"]["reported_hash"] in hashes, timeout=90, what="the old or the new application, running")
        return device["app"]["reported_hash"]

    def test_device_comes_back_with_the_old_or_the_new_application_whole(self):
        seed = int(os.environ.get("MV_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"\nseed {seed} (MV_SEED={seed} repeats it)")
        chance = random.Random(seed)
        bundles = {version: self.build(version) for version in VERSIONS}
        began = time.monotonic()
        self.chain.mvctl("deploy", bundles["a"], "--device", "bench", "--wait")
        usual = time.monotonic() - began
        hashes = {self.runs({self.chain.device("bench")["app"]["target_hash"]})}
        survived = {"old": 0, "new": 0}
        for number in range(DEPLOYS):
            target = "b" if number % 2 == 0 else "a"
            deploy = self.chain.spawn("deploy", bundles[target], "--device", "bench", "--wait", "--timeout", "90s")
            threading.Event().wait(chance.uniform(0, usual * 1.2))
            self.chain.mvctl("emulator", "kill", "bench")
            before = self.chain.device("bench")["app"]["reported_hash"]
            self.chain.mvctl("emulator", "power-on", "bench", timeout=60)
            target_hash = self.chain.device("bench")["app"]["target_hash"]
            hashes.add(target_hash)
            came_back_with = self.runs(hashes)
            survived["new" if came_back_with == target_hash else "old"] += 1
            self.assertIn(came_back_with, {before, target_hash})
            self.assertEqual(deploy.process.wait(120), 0, deploy.text)
            deploy.stop()
            self.assertEqual(self.runs({target_hash}), target_hash)
        print(f"{DEPLOYS} cuts: came back with the old application {survived['old']} times, with the new {survived['new']}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
