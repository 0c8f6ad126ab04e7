"""Updating the microvisor over the air: it is confirmed once it has reached the cloud, and else the old one is back."""
import os
import signal
import subprocess
import unittest

from harness import FIRMWARE, ROOT, ChainTest

LOAD_ADDRESS = "0x10010000"


def sign(raw, out, version):
    subprocess.run(["/usr/bin/python3", ROOT / "firmware-agent" / "boot" / "sign_image.py", "image",
                    FIRMWARE / "image-key.pem", raw, out, "--load-address", LOAD_ADDRESS, "--version", version,
                    "--board", "mps2-an505"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return out


class Microvisor(ChainTest):
    def image(self, version, edit=None):
        """The microvisor of this build under another version; `edit` changes its bytes before it is signed."""
        raw = (FIRMWARE / "microvisor.bin.raw").read_bytes()
        if edit:
            raw = edit(bytearray(raw))
        path = self.chain.home / f"microvisor-{version}.raw"
        path.write_bytes(raw)
        return sign(path, self.chain.home / f"microvisor-{version}.bin", version)

    def upload(self, version, edit=None):
        return self.chain.json("microvisor", "upload", self.image(version, edit))

    def microvisor(self):
        return self.chain.device("bench")["microvisor"]

    def console(self):
        log = self.chain.home / "state" / "mvctl" / "emulators" / "bench" / "console.log"
        return log.read_text(errors="replace")

    def wait_for_version(self, version):
        self.chain.wait_device("bench", lambda one: one["connection"]["state"] == "online"
                               and one["microvisor"]["version"] == version
                               and one["microvisor"]["state"] in ("runs", "refused"), timeout=180, what=version)

    def test_1_runs_the_new_one_and_confirms_it(self):
        uploaded = self.upload("0.2.0")
        self.assertEqual((uploaded["version"], uploaded["board"]), ("0.2.0", "mps2-an505"))
        self.assertIn("0.2.0", self.chain.mvctl("microvisor", "list"))

        said = self.chain.mvctl("microvisor", "deploy", "bench", "--wait", timeout=300)

        self.assertIn("bench runs microvisor 0.2.0", said)
        device = self.chain.device("bench")
        self.assertEqual(device["microvisor_version"], "0.2.0")
        self.assertEqual(device["wake_reason"], "kernel-updated")
        self.assertIn("starts on trial", device["boot_detail"])
        self.assertIn("boot: slot B: version 0.2.0, on trial, start 1 of 3", self.console())

    def test_2_stays_with_it_after_a_power_cut(self):
        self.chain.mvctl("emulator", "kill", "bench")
        self.chain.mvctl("emulator", "power-on", "bench", timeout=60)
        self.chain.wait_online("bench")

        self.assertEqual(self.microvisor()["version"], "0.2.0")
        self.assertTrue(self.console().rstrip().rpartition("boot: ")[2].startswith("slot B: version 0.2.0\n"))

    def test_3_refuses_a_downgrade(self):
        self.upload("0.1.5")

        refused = self.chain.run("microvisor", "deploy", "bench", "--image", "0.1.5", "--wait", timeout=300)

        self.assertEqual(refused.returncode, 6, refused.stdout)
        self.assertIn("microvisor 0.1.5 is older than 0.2.0", refused.stdout)
        self.assertIn("of the microvisor to 0.1.5 (refused)", self.chain.mvctl("devices", "show", "bench"))

    def test_4_goes_back_from_one_that_faults_at_once(self):
        def without_a_way_in(raw):
            raw[4:8] = bytes.fromhex("01000400")  # the reset vector: where nothing is
            return raw

        self.upload("0.3.0", without_a_way_in)

        refused = self.chain.run("microvisor", "deploy", "bench", "--image", "0.3.0", "--wait", timeout=300)

        self.assertEqual(refused.returncode, 6, refused.stdout)
        self.assertIn("microvisor 0.3.0 restarted 3 times before it reached the cloud", refused.stdout)
        self.assertEqual(self.microvisor()["version"], "0.2.0")

    def test_5_goes_back_from_one_that_does_not_reach_the_cloud(self):
        self.upload("0.4.0")
        self.chain.mvctl("microvisor", "deploy", "bench", "--image", "0.4.0", "--trial", "10s")
        seen = len(self.console())
        self.wait_for_trial()
        self.chain.stop_cloud(signal.SIGKILL)
        self.wait_for_console(seen, "boot: slot B: version 0.2.0\n")
        self.chain.serve()

        self.wait_for_version("0.2.0")

        microvisor = self.microvisor()
        self.assertEqual(microvisor["update_status"], "error")
        self.assertIn("microvisor 0.4.0 did not reach the cloud in 10 s", microvisor["detail"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
