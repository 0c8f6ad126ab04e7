"""A device with a Wi-Fi module (ESP-AT): it joins, connects, loses its network in the middle of an update, and is debugged."""
import random
import threading
import time
import unittest

from harness import PATIENCE, Chain, ChainTest, Debugger

SSID = 'lab, "north"'  # what a command must escape
PASSPHRASE = "correct horse, battery staple"
RATE = 4000  # bytes a second while an update is fetched
WEIGHT = 20000  # bytes that the update has at least


class Wifi(ChainTest):
    @classmethod
    def setUpClass(cls):
        cls.chain = Chain()
        cls.addClassCleanup(cls.chain.close)
        cls.chain.start()
        secret = cls.chain.home / "passphrase"
        secret.write_text(PASSPHRASE + "\n")
        cls.chain.start_device("bench", "--modem", "esp-at", "--wifi-ssid", SSID, "--wifi-passphrase-file", secret)

    def modem(self, *options):
        return self.chain.json("emulator", "modem", "bench", *options)

    def console(self):
        return next((self.chain.home / "state").rglob("bench/console.log")).read_text(errors="replace")

    def wait_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"waited for {what}\n{self.chain.diagnosis()}")
            threading.Event().wait(0.1)

    def heavy_project(self):
        """Like `counter`, with numbers that no delta makes smaller."""
        project = self.chain.project("counter")
        numbers = ", ".join(str(number) for number in random.Random(1).randbytes(WEIGHT))
        source = project / "counter.cc"
        head = "std::uint32_t count_once(std::uint32_t round) {\n"
        text = source.read_text()
        self.assertIn(head, text)
        source.write_text(text.replace(head, f"volatile const unsigned char kWeight[] = {{{numbers}}};\n\n{head}"
                                             "  [[maybe_unused]] const unsigned char weight = kWeight[round % sizeof kWeight];\n"))
        return project

    def test_1_joins_and_runs_what_was_deployed(self):
        self.assertEqual(self.modem()["wifi"], "up")
        self.chain.deploy(self.chain.project("counter"), "bench")
        self.assert_runs_on("counter: round")

    def test_2_an_update_goes_on_after_the_network_was_lost_in_the_middle(self):
        before = self.modem("--rate", str(RATE))
        lost = self.console().count("link: lost")
        deploy = self.chain.spawn("deploy", self.heavy_project(), "--device", "bench", "--key", "dev", "--debug-key",
                                  "dev", "--wait")
        self.addCleanup(deploy.stop)
        self.wait_until(lambda: self.modem()["bytes_down"] > before["bytes_down"] + RATE, "a part of the update")
        self.assertEqual(self.modem("--wifi", "down")["wifi"], "down")
        self.wait_until(lambda: self.console().count("link: lost") > lost, "the device to notice")
        self.assertIsNone(deploy.process.poll(), deploy.text)

        self.modem("--wifi", "up", "--rate", "0")

        self.assertEqual(deploy.process.wait(PATIENCE), 0, f"{deploy.text}\n{self.chain.diagnosis()}")
        self.assertGreater(self.modem()["connections"], before["connections"])
        self.assertEqual(self.chain.device("bench")["app"]["update_status"], "up-to-date")

    def test_3_is_debugged(self):
        self.chain.deploy(self.chain.project("counter"), "bench")
        elf = next((self.chain.home / "projects").rglob("counter.elf"))
        debugger = Debugger(self.chain, "bench", "--elf", str(elf))
        self.addCleanup(debugger.close)
        out = debugger.gdb(elf, "break tally", "continue", "backtrace", "detach")
        self.assertRegex(out, r"Breakpoint 1, .*tally \(into=.*, value=\d+\) at .*counter\.cc:\d+")

    def test_4_what_is_behind_the_access_point_comes_and_goes(self):
        before = self.modem()["connections"]
        self.modem("--carrier-loss", "2s")
        self.wait_until(lambda: self.modem()["connections"] > before, "another connection")
        self.chain.wait_online("bench")

    def test_5_comes_back_after_its_power_was_cut(self):
        before = self.chain.device("bench")["boot_count"]
        self.chain.mvctl("emulator", "kill", "bench")
        self.chain.mvctl("emulator", "power-on", "bench")
        self.chain.wait_device("bench", lambda one: one["connection"]["state"] == "online" and one["boot_count"] > before,
                               what="a boot")

    def test_6_nobody_is_told_the_passphrase(self):
        shown = self.chain.mvctl("devices", "show", "bench", "--output", "json") + self.chain.mvctl("devices", "show", "bench")
        shown += self.chain.mvctl("emulator", "list", "--output", "json") + self.chain.mvctl("emulator", "modem", "bench")
        self.assertNotIn(PASSPHRASE, shown)
        emulator = next((self.chain.home / "state").rglob("bench/device.json")).parent
        keepers = {"flash.bin", "wifi-network"}  # the device's own memory, and the access point's
        files = [file for file in [*emulator.iterdir(), *(self.chain.home / "cloud").rglob("*")]
                 if file.is_file() and file.name not in keepers]
        self.assertIn("supervisor.log", [file.name for file in files])
        for file in files:
            self.assertNotIn(PASSPHRASE.encode(), file.read_bytes(), file)

    def test_7_its_modem_stays_what_it_is(self):
        self.chain.mvctl("emulator", "stop", "bench")
        refused = self.chain.run("emulator", "start", "bench", "--modem", "esp-at", "--wifi-ssid", "other", "--wifi-open")
        self.assertEqual(refused.returncode, 2, refused.stdout)
        self.assertIn("its keys and its modem stay", refused.stdout)
        self.chain.mvctl("emulator", "start", "bench")


if __name__ == "__main__":
    unittest.main(verbosity=2)
