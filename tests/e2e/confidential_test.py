"""What the cloud can see of a debug session: nothing of the application's memory."""
import unittest

from harness import CODE, ChainTest, Debugger

MARKER = "marker-7d1f2c9be04a4c0f"


class Confidential(ChainTest):
    def test_no_byte_sequence_of_the_applications_memory_passes_the_cloud(self):
        capture = self.chain.home / "capture"
        capture.mkdir()
        self.chain.stop_cloud()
        self.chain.env["MVCLOUD_CAPTURE_DEBUG"] = str(capture)
        self.chain.serve()
        project = self.chain.project("counter")
        source = project / "counter.cc"
        source.write_text(source.read_text().replace(
            'board_write("counter: hello\\n");', f'board_write("counter: hello {MARKER}\\n");'))
        self.chain.deploy(project, "bench")
        elf = next((self.chain.home / "projects").rglob("counter.elf"))
        debugger = Debugger(self.chain, "bench")
        self.addCleanup(debugger.close)

        out = debugger.gdb(elf, "set trust-readonly-sections off", f"find /b {CODE}0000, +0x4000, {', '.join(hex(ord(c)) for c in MARKER)}",
                           "x/s $_", "break tally", "continue", "detach")

        self.assertIn(MARKER, out)
        seen = b"".join(path.read_bytes() for path in sorted(capture.iterdir()))
        self.assertGreater(len(seen), 1000, "the capture is empty: nothing was shown")
        self.assertNotIn(MARKER.encode(), seen)
        for piece in (MARKER[:8], MARKER[-8:]):
            self.assertNotIn(piece.encode(), seen)

    def test_the_device_tells_who_debugged_it(self):
        self.chain.deploy(self.chain.project("ticker"), "bench")
        follower = self.chain.spawn("events", "--device", "bench")
        self.addCleanup(follower.stop)

        debugger = Debugger(self.chain, "bench")
        key = next(key for key in self.chain.json("keys", "list")["keys"] if key["name"] == "dev")["key_id"]
        follower.wait_for(rf"debug +debugger attached: with the debug key {key}")
        debugger.close()
        follower.wait_for(r"debug +debugger detached: ")


if __name__ == "__main__":
    unittest.main(verbosity=2)
