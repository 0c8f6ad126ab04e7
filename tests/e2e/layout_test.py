"""A program that is laid out like the build before: what did not change stays where it was, and it runs."""
import re
import subprocess
import unittest

from harness import BOARD, MVCTL, ROOT, ChainTest

SDK = ROOT / "firmware-agent" / "sdk"


class Layout(ChainTest):
    def build(self, project, folder, *options):
        """Builds into a folder of its own; the ELF and the linker's map."""
        build = project / folder
        for command in (["cmake", "-S", project, "-B", build, "-G", "Ninja", f"-DMV_MVCTL={MVCTL}", f"-DMV_BOARD={BOARD}",
                         f"-DCMAKE_TOOLCHAIN_FILE={SDK / 'cmake' / 'arm-none-eabi.cmake'}", *options],
                        ["cmake", "--build", build]):
            done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout)
        return build / "counter.elf", build / "counter.map", done.stdout

    def addresses(self, elf):
        lines = subprocess.run(["arm-none-eabi-nm", "-C", elf], check=True, capture_output=True, text=True).stdout.splitlines()
        symbols = [line.split(" ", 2) for line in lines]
        return {name: int(address, 16) for address, kind, name in symbols if kind in "tTdDbBrR"}

    def test_what_did_not_change_stays_where_it_was(self):
        project = self.chain.project("counter")
        before, released, _ = self.build(project, "before")
        source = project / "counter.cc"
        source.write_text(source.read_text().replace(
            "factorial(value);", "factorial(value) + (value > 100 ? tally(statistics, 3) : 0);"))

        plain, _, _ = self.build(project, "plain")
        kept, _, said = self.build(project, "kept", f"-DMV_LAYOUT_FROM={released}")

        self.assertRegex(said, r"layout: \d+ functions and variables stay where they were, 1 have grown")
        old, new, unkept = (self.addresses(elf) for elf in (before, kept, plain))
        moved = {name for name in old if new.get(name) != old[name] and not name.startswith("__")}
        self.assertEqual(len([name for name in moved if "(" in name]), 1, moved)
        self.assertGreater(len([name for name in old if unkept.get(name) != old[name]]), 5 * len(moved))
        self.assertLess((project / "kept" / "counter.bin").stat().st_size, 20_000)

        for name, elf in (("before", before), ("after", kept)):
            bundle = self.chain.home / f"{name}.zip"
            self.chain.mvctl("bundle", "create", elf, "--out", bundle, "--key", "dev")
            self.chain.mvctl("deploy", bundle, "--device", "bench", "--wait")
            self.assert_runs_on("counter: round")

    def test_a_layout_that_does_not_fit_is_said_and_left_out(self):
        project = self.chain.project("counter")
        before, released, _ = self.build(project, "fitting")
        # As if main had been 16 MB further on, behind the end of the flash.
        text = released.read_text()
        place = re.search(r"^ \.text\.(?:startup\.)?main\s+0x0*([0-9a-f]+)", text, re.M)
        far = project / "far.map"
        far.write_text(text[:place.start(1)] + f"{int(place.group(1), 16) + (16 << 20):x}" + text[place.end(1):])

        unfit, _, said = self.build(project, "unfit", f"-DMV_LAYOUT_FROM={far}")

        self.assertIn("it was linked without", said)
        self.assertEqual(self.addresses(unfit), self.addresses(before))

    def test_a_map_that_is_not_there_is_said(self):
        project = self.chain.project("counter")
        build = project / "wrong"
        subprocess.run(["cmake", "-S", project, "-B", build, "-G", "Ninja", f"-DMV_MVCTL={MVCTL}", "-DMV_LAYOUT_FROM=/no/such.map",
                        f"-DCMAKE_TOOLCHAIN_FILE={SDK / 'cmake' / 'arm-none-eabi.cmake'}"], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run(["cmake", "--build", build], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/no/such.map", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
