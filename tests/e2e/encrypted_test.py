"""Bundles that only a group of devices can read: who has the key runs them, who has not says so."""
import random
import re
import unittest
import zipfile

from harness import ChainTest, Debugger

REFUSED_BY_DEVICE = 6
PLAIN = b"counter: round"


class Encrypted(ChainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("plant", "elsewhere"):
            cls.chain.mvctl("keys", "create", name)
        cls.chain.start_device("inside", "--decryption-key", "elsewhere", "--decryption-key", "plant")
        cls.project = cls.chain.project("counter")
        cls.source = next(path for path in cls.project.rglob("*.c*") if "int main()" in path.read_text())
        cls.program = cls.source.read_text()

    def build(self, table):
        """The example with a table of numbers in it, so that it has more than one segment."""
        text = self.program.replace("int main() {", "int main() {\n  mv_log(\"table %u\", table[ticks % sizeof(table)]);")
        numbers = ",".join(map(str, table))
        text = text.replace("volatile std::uint32_t ticks = 0;",
                            f"volatile std::uint32_t ticks = 0;\nconst unsigned char table[] = {{{numbers}}};")
        self.source.write_text(text)

    def deploy(self, device, *options):
        return self.chain.run("deploy", self.project, "--device", device, "--key", "dev", "--wait", *options)

    def bundle(self, *options):
        path = self.chain.home / "app.zip"
        elf = next(self.project.rglob("counter.elf"))
        self.chain.mvctl("bundle", "create", elf, "--out", path, "--key", "dev", *options)
        return path

    def test_1_the_device_with_the_key_runs_it_and_another_says_so(self):
        table = random.Random(1).choices(range(256), k=90_000)
        self.build(table)
        done = self.deploy("inside", "--encrypt-to", "plant")
        self.assertEqual(done.returncode, 0, done.stdout)
        log = self.chain.spawn("logs", "inside", "--since", "1s")
        try:
            log.wait_for("counter: round")
        finally:
            log.stop()

        refused = self.deploy("bench", "--encrypt-to", "plant")
        self.assertEqual(refused.returncode, REFUSED_BY_DEVICE, refused.stdout)
        self.assertIn("the bundle is encrypted, and not to a key of this device", refused.stdout)

    def test_2_only_the_segment_that_changed_is_sent(self):
        table = random.Random(1).choices(range(256), k=90_000)
        table[60_000] ^= 1
        self.build(table)
        done = self.deploy("inside", "--encrypt-to", "plant")
        self.assertEqual(done.returncode, 0, done.stdout)
        sent = int(re.search(r"([\d,]+) bytes sent for an image", done.stdout)[1].replace(",", ""))
        self.assertGreater(sent, 20_000)  # sealed segments do not shrink: the numbers are random
        self.assertLess(sent, 70_000)     # one of the table, and that of the build id

    def test_3_nothing_of_the_program_is_in_the_bundle(self):
        plain, sealed = self.bundle(), None
        self.assertIn(PLAIN, self.contents(plain))
        sealed = self.bundle("--encrypt-to", "plant", "--encrypt-to", "elsewhere")
        self.assertNotIn(PLAIN, self.contents(sealed))
        self.assertNotIn(PLAIN, sealed.read_bytes())

        shown = self.chain.json("bundle", "inspect", sealed)
        ids = {name: self.chain.json("keys", "show", name)["key_id"] for name in ("plant", "elsewhere")}
        self.assertEqual(sorted(shown["encrypted_to"]), sorted(ids.values()))
        self.assertIn("was not looked into", self.chain.mvctl("bundle", "verify", sealed))
        self.assertNotIn("was not looked into", self.chain.mvctl("bundle", "verify", sealed, "--decryption-key", "plant"))
        wrong = self.chain.run("bundle", "verify", sealed, "--decryption-key", "dev")
        self.assertEqual(wrong.returncode, 1, wrong.stdout)
        self.assertIn("not encrypted to key", wrong.stdout)

    def test_4_what_gdb_loads_in_its_place_is_encrypted_too(self):
        self.source.write_text(self.program)
        done = self.deploy("inside", "--encrypt-to", "plant", "--debug-key", "dev", "--force")
        self.assertEqual(done.returncode, 0, done.stdout)
        elf = self.project / "build" / "counter.elf"
        debugger = Debugger(self.chain, "inside", "--elf", str(elf))
        self.addCleanup(debugger.close)
        debugger.server.wait_for("session +end-to-end")
        self.source.write_text(self.program.replace("counter: round", "loaded secretly"))
        self.chain.mvctl("deploy", self.project, "--build-only", "--key", "dev")
        self.assertIn(b"loaded secretly", elf.read_bytes())

        out = debugger.gdb(elf, "load", "compare-sections")
        debugger.server.wait_for("load +inside runs the new program")
        self.assertIn("matched", out)
        self.assertNotIn("MIS-MATCHED", out)
        stored = [path for path in (self.chain.home / "cloud" / "blobs").rglob("*") if path.is_file()]
        self.assertGreater(len(stored), 4)
        self.assertFalse([path for path in stored if b"loaded secretly" in path.read_bytes()])

    @staticmethod
    def contents(bundle):
        with zipfile.ZipFile(bundle) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())


if __name__ == "__main__":
    unittest.main(verbosity=2)
