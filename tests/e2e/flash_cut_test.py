"""The power fails at chosen operations on flash, whole or torn, while the release image updates its application, or itself.

The model of the STM32U585 counts writes and erases of flash and NOR from power-on, so the moments are exact here: spread over
everything from the first write of a boot to the last one of an update. power_cut_test.py tells the same story by the clock.
"""
import os
import random
import subprocess
import unittest

import microvisor_test
import power_cut_test
from harness import FIRMWARE, PATIENCE, ChainTest

# MV_FLASH_CUTS=1000 asks for more of them.
CUTS = int(os.environ.get("MV_FLASH_CUTS", 8))


class FlashCuts(ChainTest):
    def emulator(self):
        return self.chain.json("emulator", "modem", "bench")

    def power_off(self):
        self.chain.mvctl("emulator", "kill", "bench")

    def power_on(self, *options):
        self.chain.mvctl("emulator", "power-on", "bench", *options)

    def operations(self, order):
        """How many there are from power-on to the end of an update."""
        self.power_off()
        update = order()
        self.power_on()
        self.finish(update)
        return self.emulator()["flash_operations"]

    def finish(self, update):
        self.assertEqual(update.process.wait(PATIENCE), 0, update.text + self.chain.diagnosis())
        update.stop()

    def power_fails(self, update):
        """Waits until the power has failed, or else until the update is through. Whether it failed."""
        while update.process.poll() is None:
            state = self.emulator()
            if not state["power"]:
                self.assertEqual(state["last_exit"], "the power failed at a flash operation, as ordered", self.chain.diagnosis())
                return True
            try:
                update.process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
        return False

    def survives_cuts(self, order, count):
        """`order(number)` orders one update more. One cut in each part of all operations; every second is torn, and after
        every third the power fails a second time in the boot that follows."""
        seed = int(os.environ.get("MV_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"\nseed {seed} (MV_SEED={seed} chooses the same operations of {count})")
        chance = random.Random(seed)
        came = 0
        for number in range(CUTS):
            moments = [1 + int((number + chance.random()) * count / CUTS)]
            if number % 3 == 2:
                moments.append(chance.randrange(1, 100))
            torn = ("--torn",) if number % 2 == 1 else ()
            self.power_off()
            update = order(number)
            while moments:
                self.power_on("--cut-at", moments[0], *torn)
                if not self.power_fails(update):
                    break
                print(f"cut {number + 1:2}: operation {moments.pop(0):5}{', torn' if torn else ''}", flush=True)
                came += 1
            else:
                self.power_on()
            self.finish(update)
        self.assertGreater(came, CUTS * 2 // 3, "the cuts miss the updates")


class Application(FlashCuts):
    build = power_cut_test.PowerCuts.build
    trial = 0

    def test_every_update_arrives_whatever_operation_the_power_fails_at(self):
        bundles = [self.build(version) for version in power_cut_test.VERSIONS]
        hashes = []

        def order(number):
            return self.chain.spawn("deploy", bundles[number % 2], "--device", "bench", "--wait", "--timeout", "290s")

        for number in range(2):
            self.finish(order(number))
            hashes.append(self.chain.device("bench")["app"]["reported_hash"])
        self.assertEqual(len(set(hashes)), 2)
        count = self.operations(lambda: order(2))
        self.survives_cuts(lambda number: order(3 + number), count)
        self.assertEqual(self.chain.device("bench")["app"]["reported_hash"], hashes[(2 + CUTS) % 2])
        self.assert_runs_on("counter: ")


class OfTheMicrovisor(FlashCuts):
    def order(self, number):
        """A microvisor of a version of its own: the build's, whose header is signed anew."""
        version = f"1.0.{number}"
        raw = (FIRMWARE / "microvisor.bin.raw").read_bytes()
        path = self.chain.home / "microvisor.raw"
        path.write_bytes(raw)
        image = microvisor_test.sign(path, self.chain.home / "microvisor.bin", version)
        self.chain.mvctl("microvisor", "upload", image)
        return self.chain.spawn("microvisor", "deploy", "bench", "--image", version, "--wait", "--timeout", "290s")

    def test_every_update_arrives_whatever_operation_the_power_fails_at(self):
        count = self.operations(lambda: self.order(1))
        self.survives_cuts(lambda number: self.order(2 + number), count)
        self.assertEqual(self.chain.device("bench")["microvisor_version"], f"1.0.{1 + CUTS}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
