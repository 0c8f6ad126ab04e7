"""What an application prints by semihosting is its log, and is on the console of its debugger."""
import subprocess
import unittest

from harness import BOARD, ROOT, ChainTest, Debugger, GdbPrompt

SDK = ROOT / "firmware-agent" / "sdk"
# The C library's own printf: picolibc built for semihosting.
PROGRAM = r"""
#include <stdio.h>

volatile unsigned idle;

int main(void) {
  for (unsigned round = 1;; ++round) {
    printf("round %u\n", round);
    fputs("and a second line\n", stderr);
    for (idle = 0; idle < 2000000; ++idle) {}
  }
}
"""


class Semihosting(ChainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elf = cls.build()
        bundle = cls.chain.home / "program.zip"
        cls.chain.mvctl("bundle", "create", cls.elf, "--out", bundle, "--key", "dev", "--debug-key", "dev", "--name",
                        "program", "--version", "1.0.0", "--git-revision", "none")
        cls.chain.mvctl("deploy", bundle, "--device", "bench", "--wait")

    @classmethod
    def build(cls):
        source, elf = cls.chain.home / "program.c", cls.chain.home / "program.elf"
        source.write_text(PROGRAM)
        subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=soft", "--specs=picolibc.specs",
                        "--oslib=semihost", "-Og", "-g", "-Wl,--build-id=sha1", "-nostartfiles", source,
                        SDK / "src" / "startup.c", f"-L{SDK / 'ld'}", f"-T{SDK / 'ld' / (BOARD + '.ld')}", "-o", elf],
                       check=True)
        return elf

    def test_is_the_log_while_nobody_debugs(self):
        log = self.chain.spawn("logs", "bench", "--since", "1m")
        self.addCleanup(log.stop)
        log.wait_for(r"(?s)round \d+$.*and a second line$.*round \d+$")

    def test_is_on_the_debuggers_console_and_does_not_stop_a_step(self):
        debugger = Debugger(self.chain, "bench", "--elf", self.elf)
        self.addCleanup(debugger.close)
        gdb = GdbPrompt(self.elf, debugger.port)
        self.addCleanup(gdb.close)
        second = 1 + next(i for i, line in enumerate(PROGRAM.splitlines()) if "fputs" in line)
        gdb.send(f"tbreak program.c:{second}")  # without the file it is a line of wherever the program stands
        self.assertIn("Temporary breakpoint 1, main", gdb.send("continue"))
        self.assertRegex(gdb.send("next"), r"(?s)and a second line.*for \(idle")


if __name__ == "__main__":
    unittest.main()
