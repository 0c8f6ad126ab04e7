#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a QEMU source tree with the machine model in it: a tree of hard links to the unpacked source, but for hw/ (as
hw/arm/stm32u585/), core/ (in target/arm/) and the files that edits/*.edit change. Run again, it touches only what comes
out different.

An edit file changes one file of QEMU. It carries only what is ours and just enough to name the place:

    file hw/intc/armv7m_nvic.c
    after <the one line that has this text>
    +a line of ours
    before <text>
    +...
    replace <text>
    +...            (without lines of ours: the line goes away)
    within <text>   (the places that follow are looked for from this line on, until the next `within`)

A text must be part of exactly one line of the file (after `within`: the first line from there on that has it).

usage: apply.py UNPACKED_SOURCE TREE
"""
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = {"hw": "hw/arm/stm32u585", "core": "target/arm"}  # of ours: where it goes


class Problem(Exception):
    pass


def find(lines, text, start):
    places = [number for number, line in enumerate(lines) if number >= start and text in line]
    if not places or (start == 0 and len(places) > 1):
        raise Problem(f"{len(places)} lines have {text!r}" + (f" from line {start + 1} on" if start else ""))
    return places[0]


def apply_edit(edit, files, unpacked):
    """Applies one edit file to `files`: {path in the tree: its lines}, read from the unpacked source when first named."""
    lines, start, action = None, 0, None

    def carry_out():
        nonlocal action
        if action is None:
            return
        verb, text, ours = action
        place = find(lines, text, start)
        first = place + 1 if verb == "after" else place
        lines[first:place + (0 if verb == "before" else 1)] = ours
        action = None

    number = 0
    try:
        for number, line in enumerate(edit.read_text().splitlines(), 1):
            if line.startswith("+"):
                if action is None:
                    raise Problem("a line of ours without a place")
                action[2].append(line[1:])
                continue
            carry_out()
            verb, _, text = line.partition(" ")
            if verb in ("", "#"):
                continue
            if verb == "file":
                if text not in files:
                    files[text] = (unpacked / text).read_text().splitlines()
                lines, start = files[text], 0
            elif lines is None:
                raise Problem("the first line names no file")
            elif verb == "within":
                start = find(lines, text, 0)
            elif verb in ("after", "before", "replace"):
                action = (verb, text, [])
            else:
                raise Problem(f"unknown word {verb!r}")
        carry_out()
    except Problem as problem:
        raise SystemExit(f"{edit}:{number}: {problem}") from None


def put(path, content):
    """Writes a file that may be a hard link to the unpacked source; leaves one alone that has the content already."""
    if path.exists():
        if path.read_bytes() == content:
            return
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    unpacked, tree = map(pathlib.Path, sys.argv[1:])
    if not tree.exists():
        shutil.copytree(unpacked, tree, symlinks=True, copy_function=os.link)

    ours = {}
    for folder, place in FOLDERS.items():
        for source in (HERE / folder).iterdir():
            ours[f"{place}/{source.name}"] = source.read_bytes()
    ours["configs/devices/arm-softmmu/stm32u585.mak"] = (HERE / "devices.mak").read_bytes()
    edited = {}
    for edit in sorted((HERE / "edits").glob("*.edit")):
        apply_edit(edit, edited, unpacked)
    for name, lines in edited.items():
        ours[name] = ("\n".join(lines) + "\n").encode()

    for name, content in ours.items():
        put(tree / name, content)
    # What an earlier run put there and this one does not.
    list_of_ours = tree / ".stm32u585-files"
    before = set(list_of_ours.read_text().split()) if list_of_ours.exists() else set()
    for name in before - set(ours):
        (tree / name).unlink(missing_ok=True)
        if (unpacked / name).exists():
            shutil.copy(unpacked / name, tree / name)
    list_of_ours.write_text("\n".join(sorted(ours)) + "\n")


if __name__ == "__main__":
    main()
