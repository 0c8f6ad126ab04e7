"""How long an interrupt of the application waits for the microvisor, on the model of the STM32U585, in each thing it does.

The model counts instructions, not cycles: QEMU runs with -icount shift=3, 8 ns an instruction, which is what a Cortex-M33 at
160 MHz takes for 1.3 cycles. What silicon adds is not in it: wait states, bus contention, fetches that stand still while bank 2
is written.
"""
import os
import random
import re
import threading
import time

os.environ["MV_E2E_BOARD"] = "stm32u585"  # before the harness is read

import report  # noqa: E402
from harness import Chain, Debugger, ROOT  # noqa: E402

BUDGET_US = 20
CLOCKS_PER_US = 160
NOISE = 60_000  # bytes of the update that no delta makes smaller
QEMU = ROOT / "build" / "qemu-stm32u585"


def counting_qemu(folder):
    """QEMU with its time counted in instructions."""
    wrapper = folder / "qemu"
    wrapper.write_text(f'#!/bin/sh\nexec "{QEMU}" "$@" -icount shift=3\n')
    wrapper.chmod(0o755)
    return str(wrapper)


class Latencies:
    """The lines that the application writes to its serial port."""

    def __init__(self, log):
        self.log = log
        self.at = 0

    def take(self):
        """The latencies since the last call, in clocks, one for each 64 interrupts: the worst of them."""
        text = self.log.read_text(errors="replace")
        fresh, self.at = text[self.at:], text.rfind("\n") + 1
        return [int(clocks) for clocks in re.findall(r"^latency (\d+) clocks", fresh, re.MULTILINE)]

    def during(self, action):
        self.take()
        action()
        return self.take()


def row(what, clocks):
    worst = max(clocks, default=0)
    return {"while": what, "interrupts": 64 * len(clocks), "worst_us": round(worst / CLOCKS_PER_US, 2), "budget_us": BUDGET_US,
            "ok": bool(clocks) and worst <= BUDGET_US * CLOCKS_PER_US}


def noisy(project, seed):
    table = ", ".join(str(byte) for byte in random.Random(seed).randbytes(NOISE))
    (project / "noise.h").write_text(f"static const unsigned char noise[{NOISE}] = {{{table}}};\n")


def wait(seconds):
    threading.Event().wait(seconds)


def main():
    options = report.arguments(__doc__)
    chain = Chain()
    try:
        chain.env["MVCTL_QEMU_STM32U585"] = counting_qemu(chain.home)
        chain.start()
        chain.devices.append("bench")
        # Time that is counted may be slower than what `emulator start` waits for.
        chain.run("emulator", "start", "bench", "--board", "stm32u585")
        chain.wait_online("bench", 300)
        project = chain.copy_project(ROOT / "bench" / "latency")
        noisy(project, 1)
        chain.deploy(project, "bench", timeout=600)
        log = next((chain.home / "state").rglob("application.log"))
        latencies = Latencies(log)
        rows = [row("connected, nothing to do", latencies.during(lambda: wait(5)))]

        def reconnect():
            chain.mvctl("emulator", "modem", "bench", "--carrier-loss", "1s")
            chain.wait_device("bench", lambda device: device["connection"]["state"] != "online", 60, "the loss")
            chain.wait_online("bench")

        rows.append(row("TLS handshake", latencies.during(reconnect)))

        def download():
            chain.mvctl("deploy", project, "--device", "bench", "--key", "dev", "--debug-key", "dev", "--wait", timeout=600)

        noisy(project, 2)
        rows.append(row("update: decoding, NOR erased and programmed", latencies.during(download)))

        # While it is halted an application has no interrupts, so the halt itself is not in the row.
        debugger = Debugger(chain, "bench", "--elf", str(next(project.rglob("latency.elf"))))
        debugger.gdb(None, "info registers", "detach")
        wait(1)
        rows.append(row("debug session open, application running", latencies.during(lambda: wait(3))))
        debugger.close()
        report.report("latency", rows, options.json)
    finally:
        chain.close()
    if not all(each["ok"] for each in rows):
        raise SystemExit("over budget")


if __name__ == "__main__":
    main()
