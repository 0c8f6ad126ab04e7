"""Whose bundles a device runs: signer keys that are added and removed over the air, and bundles that need two signers."""
import unittest

from harness import ChainTest

REFUSED_BY_DEVICE = 6


class Keys(ChainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chain.mvctl("keys", "create", "two")
        cls.chain.mvctl("signers", "add", "two")  # the device was provisioned before: it does not know this one
        project = cls.chain.project("counter")
        cls.chain.deploy(project, "bench")
        cls.elf = next(project.rglob("counter.elf"))
        cls.ids = {name: cls.chain.json("keys", "show", name)["key_id"] for name in ("dev", "two")}

    def bundle(self, name, *keys):
        """The example signed by these keys, under a name of its own, so that it is a bundle of its own."""
        path = self.chain.home / f"{name}.zip"
        self.chain.mvctl("bundle", "create", self.elf, "--out", path, "--key", keys[0], "--name", name)
        for key in keys[1:]:
            self.chain.mvctl("bundle", "sign", path, "--add", "--key", key)
        return path

    def deploy(self, bundle):
        return self.chain.run("deploy", bundle, "--device", "bench", "--wait")

    def change(self, *options):
        path = self.chain.home / "change.keys"
        self.chain.mvctl("keys", "change", "--out", path, *options)
        return path

    def apply(self, change):
        return self.chain.run("devices", "keys", "bench", "--change", change, "--wait")

    def keys(self):
        return self.chain.json("devices", "keys", "bench")["signer_keys"]

    def test_1_a_key_is_added_and_its_bundles_run_from_then_on(self):
        self.assertEqual((self.keys()["keys"], self.keys()["threshold"]), ([self.ids["dev"]], 1))
        by_two = self.bundle("by-two", "two")
        refused = self.deploy(by_two)
        self.assertEqual(refused.returncode, REFUSED_BY_DEVICE, refused.stdout)
        self.assertIn("does not know the signer", refused.stdout)

        change = self.change("--add", "two", "--key", "dev", "--sequence", "10")
        self.assertIn(f"adds      {self.ids['two']}", self.chain.mvctl("keys", "inspect", change))
        done = self.apply(change)

        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(sorted(self.keys()["keys"]), sorted(self.ids.values()))
        accepted = self.deploy(by_two)
        self.assertEqual(accepted.returncode, 0, accepted.stdout)

    def test_2_the_key_that_the_running_bundle_needs_stays(self):
        refused = self.apply(self.change("--remove", "two", "--key", "dev", "--sequence", "20"))
        self.assertEqual(refused.returncode, REFUSED_BY_DEVICE, refused.stdout)
        self.assertIn("the bundle that runs needs a key that would go", refused.stdout)
        refused = self.apply(self.change("--threshold", "2", "--key", "dev", "--sequence", "20"))
        self.assertEqual(refused.returncode, REFUSED_BY_DEVICE, refused.stdout)
        self.assertEqual(self.keys()["threshold"], 1)

    def test_3_two_must_sign(self):
        both = self.deploy(self.bundle("by-both", "two", "dev"))
        self.assertEqual(both.returncode, 0, both.stdout)
        done = self.apply(self.change("--threshold", "2", "--key", "two", "--sequence", "30"))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("2 must sign a bundle", done.stdout)

        one = self.deploy(self.bundle("by-one", "dev"))
        self.assertEqual(one.returncode, REFUSED_BY_DEVICE, one.stdout)
        self.assertIn("wants more signers", one.stdout)

    def test_4_a_change_needs_two_as_well_and_an_old_one_is_none(self):
        change = self.change("--threshold", "1", "--key", "dev", "--sequence", "40")
        refused = self.apply(change)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("needs 2 signatures and has 1", refused.stdout)
        old = self.apply(self.change("--threshold", "1", "--key", "dev", "--key", "two", "--sequence", "29"))
        self.assertIn("has carried out 30 already", old.stdout)
        self.assertEqual(self.keys()["threshold"], 2)

    def test_5_the_keys_survive_a_power_cut(self):
        self.chain.mvctl("emulator", "kill", "bench")
        self.chain.mvctl("emulator", "power-on", "bench")
        self.chain.wait_online("bench")
        self.assertEqual((self.keys()["threshold"], self.keys()["sequence"]), (2, 30))

        self.assert_runs_on("count")
        change = self.change("--threshold", "1", "--key", "dev", "--sequence", "50")
        self.chain.mvctl("keys", "sign", change, "--key", "two")
        done = self.apply(change)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.keys()["threshold"], 1)

    def test_6_a_device_may_want_two_signers_from_the_beginning(self):
        self.chain.start_device("strict", "--signers", "2")
        one = self.chain.run("deploy", self.bundle("strict-one", "dev"), "--device", "strict", "--wait")
        self.assertEqual(one.returncode, REFUSED_BY_DEVICE, one.stdout)
        self.assertIn("wants more signers", one.stdout)
        both = self.chain.run("deploy", self.bundle("strict-both", "two", "dev"), "--device", "strict", "--wait")
        self.assertEqual(both.returncode, 0, both.stdout)
        self.assertEqual(self.chain.json("devices", "keys", "strict")["signer_keys"]["threshold"], 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
