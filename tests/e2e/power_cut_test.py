"""Twenty deploys in a row, the device's power cut in each: always the old application or the new one, and always a link.

The line is slow and the moments are counted in bytes that came over it, so that the cuts spread over a deploy however fast the
machine is: most in the midst of the download, some after its last byte, while the update is installed, and some a second time,
while the device starts and connects.
"""
import os
import random
import threading
import time
import unittest

from harness import PATIENCE, ChainTest

RATE = 6000  # bytes a second
VERSIONS = {"a": 1000, "b": 500000}
SHORTLY = 0.4  # seconds: as long as an installation, or a start with its TLS handshake, takes


class PowerCuts(ChainTest):
    device_options = ("--rate", RATE)
    downloads, installs, starts = 12, 4, 4
    trial = 0  # seconds that the second of the two bundles has to be confirmed; 0: it needs not

    def build(self, version):
        """A bundle of `counter` that counts in steps of its own, so that its log tells which one runs."""
        project = self.chain.project("counter")
        source = project / "counter.cc"
        text = source.read_text()
        start = text.index("constexpr std::uint32_t kStep = ")
        end = text.index(";", start)
        source.write_text(f"{text[:start]}constexpr std::uint32_t kStep = {VERSIONS[version]}{text[end:]}")
        bundle = self.chain.home / f"{version}.zip"
        trial = ("--confirm-timeout", self.trial) if self.trial and version == "b" else ()
        self.chain.mvctl("deploy", project, "--build-only", "--bundle-out", bundle, "--key", "dev", *trial)
        return bundle

    def runs(self, target):
        """Waits until the device says that it runs the application and is done with everything."""
        self.chain.wait_device(
            "bench", lambda one: one["connection"]["state"] == "online" and one["state"] == "running"
            and one["app"]["reported_hash"] == target, what="the new application, running")

    def hellos(self):
        """How often an application has started."""
        log = self.chain.home / "state" / "mvctl" / "emulators" / "bench" / "application.log"
        return log.read_bytes().count(b"counter: hello")

    def comes_back(self, boots, hellos):
        """Waits for a start of the device after those, and of its application; returns the hash of what was there whole."""
        device = self.chain.wait_device(
            "bench", lambda one: one["connection"]["state"] == "online" and one["boot_count"] > boots
            and self.hellos() > hellos, what="a start, an application and a link")
        return device["app"]["reported_hash"]

    def bytes_down(self):
        return self.chain.json("emulator", "modem", "bench")["bytes_down"]

    def bytes_of_a_deploy(self, bundle):
        before = self.bytes_down()
        self.chain.mvctl("deploy", bundle, "--device", "bench", "--wait")
        return self.bytes_down() - before

    def wait_for_bytes(self, count):
        deadline = time.monotonic() + 60
        while self.bytes_down() < count:
            self.assertLess(time.monotonic(), deadline, "the download does not go on")

    def cut(self):
        """Returns how many bytes had come over the line by then."""
        return self.chain.json("emulator", "kill", "bench")["bytes_down"]

    def power_on(self):
        self.chain.mvctl("emulator", "power-on", "bench")

    def moments(self, chance):
        """For each deploy: the part of its bytes to wait for, seconds to wait after them, and whether to cut a second time."""
        downloads = [((number + chance.random()) / self.downloads, 0, False) for number in range(self.downloads)]
        installs = [(1, chance.uniform(0, SHORTLY), False) for _ in range(self.installs)]
        starts = [(chance.random(), 0, True) for _ in range(self.starts)]
        moments = downloads + installs + starts
        chance.shuffle(moments)
        return moments

    def test_device_comes_back_with_the_old_or_the_new_application_whole(self):
        seed = int(os.environ.get("MV_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"\nseed {seed} (MV_SEED={seed} chooses the same moments)")
        chance = random.Random(seed)
        bundles = {version: self.build(version) for version in VERSIONS}
        hashes = {}
        for version in ("a", "b", "a"):  # all of the first, then what differs between the two
            usual = self.bytes_of_a_deploy(bundles[version])
            hashes[version] = self.chain.device("bench")["app"]["reported_hash"]
        survived = {"old": 0, "new": 0}
        midst = 0
        for number, (part, seconds, twice) in enumerate(self.moments(chance), 1):
            old, new = ("a", "b") if number % 2 == 1 else ("b", "a")
            start = self.bytes_down()
            deploy = self.chain.spawn("deploy", bundles[new], "--device", "bench", "--wait", "--timeout", "290s")
            self.wait_for_bytes(start + part * usual)
            threading.Event().wait(seconds)
            came = self.cut() - start
            midst += 0 < came < usual
            boots = self.chain.device("bench")["boot_count"]
            if twice:
                self.power_on()
                threading.Event().wait(chance.uniform(0, SHORTLY))
                self.cut()
            hellos = self.hellos()
            self.power_on()
            came_back_with = self.comes_back(boots, hellos)
            self.assertIn(came_back_with, {hashes[old], hashes[new]})
            which = "new" if came_back_with == hashes[new] else "old"
            survived[which] += 1
            print(f"cut {number:2}: after {came:5} of {usual} bytes{', and again as it started' if twice else ''}: {which}")
            self.assertEqual(deploy.process.wait(PATIENCE), 0, deploy.text)
            deploy.stop()
            self.runs(hashes[new])
        print(f"came back with the old application {survived['old']} times, with the new {survived['new']}; "
              f"{midst} cuts in the midst of a download")
        self.assertGreaterEqual(midst, self.downloads // 2, "the cuts do not hit the downloads")


if __name__ == "__main__":
    unittest.main(verbosity=2)
