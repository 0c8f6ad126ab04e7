"""What the Secure firmware takes: flash and static RAM, against the budgets that the build asserts."""
import subprocess

import report
from harness import FIRMWARE

BUDGETS = {"microvisor.elf": (256 * 1024, 128 * 1024), "boot-rom.elf": (64 * 1024, 64 * 1024)}


def sizes(elf):
    """(flash, RAM) in bytes: text + data, data + bss."""
    text, data, bss = subprocess.run(["arm-none-eabi-size", str(elf)], check=True, capture_output=True,
                                     text=True).stdout.splitlines()[1].split()[:3]
    return int(text) + int(data), int(data) + int(bss)


def main():
    options = report.arguments(__doc__)
    rows = []
    for name, (flash_budget, ram_budget) in BUDGETS.items():
        flash, ram = sizes(FIRMWARE / name)
        rows.append({"image": name, "flash": flash, "flash_budget": flash_budget, "ram": ram, "ram_budget": ram_budget,
                     "ok": flash <= flash_budget and ram <= ram_budget})
    report.report("footprint", rows, options.json)


if __name__ == "__main__":
    main()
