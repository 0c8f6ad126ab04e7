"""Devices as records of the cloud: made and removed with mvctl."""
import unittest

from harness import Chain


class Devices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.chain = Chain()
        cls.addClassCleanup(cls.chain.close)
        cls.chain.start()

    def names(self):
        return [device["unique_name"] for device in self.chain.json("devices", "list")["devices"]]

    def test_a_device_is_deleted_when_somebody_says_yes(self):
        self.chain.mvctl("devices", "provision", "porch", "--out", self.chain.home / "porch.identity")

        asked = self.chain.run("devices", "delete", "porch")
        self.assertEqual(asked.returncode, 2, "there is no terminal to ask at: " + asked.stdout)
        self.assertIn("--yes", asked.stdout)
        self.assertEqual(self.names(), ["porch"])

        self.assertIn("deleted porch", self.chain.mvctl("devices", "delete", "porch", "--yes"))
        self.assertEqual(self.names(), [])
        self.assertEqual(self.chain.run("devices", "delete", "porch", "--yes").returncode, 4)

    def test_a_new_devices_log_is_on_for_a_day(self):
        self.chain.mvctl("devices", "provision", "cellar", "--out", self.chain.home / "cellar.identity")
        self.addCleanup(self.chain.mvctl, "devices", "delete", "cellar", "--yes")
        self.assertRegex(self.chain.mvctl("devices", "show", "cellar"), r"logging +on until 20\d\d-")
        self.chain.mvctl("devices", "update", "cellar", "--logging", "off")
        self.assertRegex(self.chain.mvctl("devices", "show", "cellar"), r"logging +off\n")
        self.assertIn("--logging on", self.chain.mvctl("logs", "cellar", "--no-follow"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
