#!/usr/bin/python3
"""Prints how much flash and RAM the firmware takes, and fails if it is over budget.

usage: size_report.py SIZE_TOOL MICROVISOR.elf BOOT_ROM.elf OUT.txt
"""
import subprocess
import sys

KIB = 1024
FLASH_SECTIONS = {".text", ".ARM.exidx", ".nsc", ".data"}
RAM_SECTIONS = {".data", ".bss", ".stacks", ".noinit"}


def sections(tool, path):
    lines = subprocess.run([tool, "-A", path], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    fields = [line.split() for line in lines if line.startswith(".")]
    return {field[0]: int(field[1]) for field in fields}


def main():
    tool, microvisor, boot_rom, out = sys.argv[1:]
    parts, rom = sections(tool, microvisor), sections(tool, boot_rom)
    rows = [
        ("microvisor flash", sum(parts.get(name, 0) for name in FLASH_SECTIONS), 256 * KIB),
        ("microvisor RAM, stacks and pool included", sum(parts.get(name, 0) for name in RAM_SECTIONS), 128 * KIB),
        ("boot ROM", sum(rom.get(name, 0) for name in FLASH_SECTIONS), 64 * KIB),
    ]
    text = "".join("%-42s %7d of %7d bytes\n" % row for row in rows)
    print(text, end="")
    over = [name for name, used, budget in rows if used > budget]
    if over:
        sys.exit("over budget: " + ", ".join(over))
    with open(out, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    main()
