"""Updating the microvisor over the air: it is confirmed once it has reached the cloud, and else the old one is back."""
import subprocess
import unittest

from harness import BOARD, FIRMWARE, ROOT, ChainTest

LOAD_ADDRESS = {"mps2-an505": "0x10010000", "stm32u585": "0x0C110000"}[BOARD]


def sign(raw, out, version):
    subprocess.run(["/usr/bin/python3", ROOT / "firmware-agent" / "boot" / "sign_image.py", "image",
                    FIRMWARE / "image-key.pem", raw, out, "--load-address", LOAD_ADDRESS, "--version", version,
                    "--board", BOARD], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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

    def test_1_runs_the_new_one_and_confirms_it(self):
        uploaded = self.upload("0.2.0")
        self.assertEqual((uploaded["version"], uploaded["board"]), ("0.2.0", BOARD))
        self.assertIn("0.2.0", self.chain.mvctl("microvisor", "list"))

        said = self.chain.mvctl("microvisor", "deploy", "bench", "--wait")

        self.assertIn("bench runs microvisor 0.2.0", said)
        device = self.chain.device("bench")
        self.assertEqual(device["microvisor_version"], "0.2.0")
        self.assertEqual(device["wake_reason"], "kernel-updated")
        self.assertIn("starts on trial", device["boot_detail"])
        self.assertIn("boot: slot B: version 0.2.0, on trial, start 1 of 3", self.console())

    def test_2_stays_with_it_after_a_power_cut(self):
        self.chain.mvctl("emulator", "kill", "bench")
        self.chain.mvctl("emulator", "power-on", "bench")
        self.chain.wait_online("bench")

        self.assertEqual(self.microvisor()["version"], "0.2.0")
        self.assertTrue(self.console().rstrip().rpartition("boot: ")[2].startswith("slot B: version 0.2.0\n"))

    def test_3_refuses_a_downgrade(self):
        self.upload("0.1.5")

        refused = self.chain.run("microvisor", "deploy", "bench", "--image", "0.1.5", "--wait")

        self.assertEqual(refused.returncode, 6, refused.stdout)
        self.assertIn("microvisor 0.1.5 is older than 0.2.0", refused.stdout)
        self.assertIn("of the microvisor to 0.1.5 (refused)", self.chain.mvctl("devices", "show", "bench"))

    def test_4_goes_back_from_one_that_cannot_even_start(self):
        def without_a_way_in(raw):
            raw[4:8] = bytes.fromhex("0100000f")  # the reset vector: where no board has anything
            return raw

        self.assert_goes_back("0.3.0", without_a_way_in, "microvisor 0.3.0 restarted 3 times before it reached the cloud")
        self.assertIn("boot: the microvisor on trial faulted as it started", self.console())

    def test_5_goes_back_from_one_that_crashes(self):
        def crashing(raw):
            return self.patched(raw, "mv::link::LinkAgent::poll()", "00de")  # udf #0

        self.assert_goes_back("0.4.0", crashing, "microvisor 0.4.0 restarted 3 times before it reached the cloud")
        self.assertIn("Secure fault", self.chain.device("bench")["boot_detail"])

    def test_6_goes_back_from_one_that_hangs(self):
        def hanging(raw):
            return self.patched(raw, "mv::link::LinkAgent::poll()", "fee7")  # b .

        self.assert_goes_back("0.4.5", hanging, "microvisor 0.4.5 restarted 3 times before it reached the cloud")
        self.assertIn("restarted by its watchdog, at pc", self.chain.device("bench")["boot_detail"])
        self.assertEqual(self.chain.device("bench")["wake_reason"], "kernel-watchdog")

    def test_7_goes_back_from_one_that_does_not_reach_the_cloud(self):
        def silent(raw):
            return self.patched(raw, "mv::link::LinkAgent::poll()", "00207047")  # movs r0, #0; bx lr

        self.assert_goes_back("0.5.0", silent, "microvisor 0.5.0 did not reach the cloud in 10 s")
        self.assertIn("did not reach the cloud", self.chain.device("bench")["boot_detail"])

    def test_8_tries_again_what_it_gave_up_only_when_that_is_ordered(self):
        starts = self.console().count("version 0.5.0, on trial")
        self.chain.mvctl("emulator", "kill", "bench")
        self.chain.mvctl("emulator", "power-on", "bench")
        self.chain.wait_online("bench")
        self.assertEqual(self.microvisor()["update_status"], "error")
        self.assertEqual(self.console().count("version 0.5.0, on trial"), starts)

        self.chain.run("microvisor", "deploy", "bench", "--image", "0.5.0", "--trial", "10s", "--wait")

        self.assertEqual(self.console().count("version 0.5.0, on trial"), starts + 1)

    def assert_goes_back(self, version, edit, why):
        """The update is refused with this reason, and the device runs 0.2.0 as before."""
        self.upload(version, edit)
        refused = self.chain.run("microvisor", "deploy", "bench", "--image", version, "--trial", "10s", "--wait")
        self.assertEqual(refused.returncode, 6, refused.stdout)
        self.assertIn(why, refused.stdout)
        self.assertEqual(self.microvisor()["version"], "0.2.0")

    def patched(self, raw, function, code):
        """The image with other instructions where a function begins."""
        symbols = subprocess.run(["arm-none-eabi-nm", "-C", FIRMWARE / "microvisor.elf"], check=True, text=True,
                                 capture_output=True).stdout.splitlines()
        address = next(int(line.split()[0], 16) & ~1 for line in symbols if line.endswith(" T " + function))
        at = address - int(LOAD_ADDRESS, 0)
        patch = bytes.fromhex(code)
        raw[at:at + len(patch)] = patch
        return raw


if __name__ == "__main__":
    unittest.main(verbosity=2)
