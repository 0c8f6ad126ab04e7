#!/usr/bin/python3
"""Writes the tables of who owns what into docs/board-stm32u585.md, from ownership.def; --check says whether they differ.

usage: ownership.py [--check]
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[2] / "docs" / "board-stm32u585.md"
BEGIN, END = "<!-- made by firmware-agent/boards/stm32u585/ownership.py -->\n", "<!-- end -->\n"


def tables():
    text = (HERE / "ownership.def").read_text(encoding="utf-8")
    out = ["| peripheral of the microvisor | its bit | for |", "|---|---|---|"]
    for name, controller, word, bit, use in re.findall(r'^OURS\((\w+), (\d), (\d), (\d+), "([^"]+)"\)', text, re.M):
        out.append(f"| {name} | GTZC{controller} TZSC_SECCFGR{word}, bit {bit} | {use} |")
    for channel, use in re.findall(r'^OUR_CHANNEL\(\w+, (\d+), "([^"]+)"\)', text, re.M):
        out.append(f"| GPDMA1 channel {channel} | GPDMA_SECCFGR, bit {channel} | {use} |")
    out += ["", "| pin of the microvisor | function | |", "|---|---|---|"]
    for port, number, function, use in re.findall(r'^OUR_PIN\((\w), (\d+), (\d+), "([^"]+)"\)', text, re.M):
        kind = "output" if function == "16" else f"AF{function}"
        out.append(f"| P{port}{number} | {kind} | {use} |")
    return "\n".join(out) + "\n"


def main():
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    fresh = before + BEGIN + tables() + END + rest.split(END)[1]
    if sys.argv[1:] == ["--check"]:
        if fresh != page:
            sys.exit(f"{PAGE.name} is not what ownership.def says: run firmware-agent/boards/stm32u585/ownership.py")
    else:
        PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
