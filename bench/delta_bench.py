"""What an update costs over the air: deltas of ours between images with one edit, beside those of bsdiff, xdelta3 and zstd.

Ours are rebuilt with the device's decoder and compared. The images are made anew, see bench/delta/corpus.py.
"""
import json
import subprocess
import sys

import on_air
import on_air_measured
import report
from delta import corpus
from harness import BUILD, FIRMWARE

# Of the image, in percent.
BUDGETS = {"B": 0.15, "C": 1.2, "D": 1.7, "F": 2.2}
# Ours against bsdiff's, which packs the image as a whole and cannot go on where a connection was lost.
AGAINST_BSDIFF = 1.15
CODE_BUDGET, RAM_BUDGET = 12 * 1024, 16 * 1024


def ours(old, new):
    """Bytes of all records, and of all that the update puts on the link; rebuilt and compared on the way."""
    segments = json.loads(subprocess.run([BUILD / "delta-pair", old, new], check=True, capture_output=True).stdout)
    return sum(segment["bytes"] for segment in segments), on_air.update_bytes(segments)


def theirs(old, new):
    commands = {
        "bsdiff": ["bsdiff", old, new, "PATCH"],
        "xdelta3": ["xdelta3", "-f", "-9", "-S", "lzma", "-e", "-s", old, new, "PATCH"],
        "zstd": ["zstd", "-q", "-f", "--ultra", "-22", "--single-thread", f"--patch-from={old}", new, "-o", "PATCH"],
    }
    sizes = {}
    for name, command in commands.items():
        patch = new.with_suffix("." + name)
        subprocess.run([patch if part == "PATCH" else part for part in command], check=True, stderr=subprocess.DEVNULL)
        sizes[name] = patch.stat().st_size
    return sizes


def laid_out(folder):
    """Letter -> bytes of all records if the SDK links both: as it comes, and with what did not change where it was."""
    bytes_of = {}
    for linked_by in ("sdk", "layout"):
        images = corpus.Corpus(folder / linked_by, linked_by)
        base = images.base()
        bytes_of[linked_by] = {letter: ours(base, images.variant(letter))[0] for letter in corpus.VARIANTS}
    return {letter: {"sdk": bytes_of["sdk"][letter], "laid_out": bytes_of["layout"][letter]} for letter in corpus.VARIANTS}


def compare(pair, old, new, budget):
    size, others = new.stat().st_size, theirs(old, new)
    delta, air = ours(old, new)
    percent = 100 * delta / size
    ok = (budget is None or percent <= budget) and delta <= AGAINST_BSDIFF * others["bsdiff"]
    return {"pair": pair, "image": size, "ours": delta, "percent": round(percent, 2), "budget": budget or "",
            "on_air": air, "measured": ""} | others | {"ok": ok}


def example_rows(folder):
    """The project's own example, which is deployed to an emulated device, too."""
    old = corpus.example(folder / "counter", "counter")
    rows = []
    with on_air_measured.Device(old) as device:
        for name, (what, edit) in corpus.COUNTER_EDITS.items():
            new = corpus.example(folder / f"counter-{name}", "counter", edit)
            rows.append(compare(f"counter: {what}", old, new, None) |
                        {"measured": device.update_bytes(new), "sdk": "", "laid_out": ""})
    return rows


def decoder():
    """(code, RAM) of the device's decoder in bytes."""
    text, data, bss = subprocess.run(["arm-none-eabi-size", FIRMWARE / "delta-size-probe.elf"], check=True,
                                     capture_output=True, text=True).stdout.splitlines()[1].split()[:3]
    return int(text) + int(data), int(data) + int(bss)


def main():
    options = report.arguments(__doc__)
    folder = BUILD / "bench" / "delta"
    images = corpus.Corpus(folder)
    base = images.base()
    by_layout = laid_out(folder)
    rows = [compare(f"{letter}: {what}", base, images.variant(letter), BUDGETS.get(letter)) | by_layout[letter]
            for letter, (what, _) in corpus.VARIANTS.items()]
    rows += example_rows(folder)
    code, ram = decoder()
    facts = {"decoder_code_bytes": code, "decoder_code_budget": CODE_BUDGET, "decoder_ram_bytes": ram,
             "decoder_ram_budget": RAM_BUDGET}
    report.report("delta", rows, options.json, facts)
    if any(row["laid_out"] and row["laid_out"] > row["sdk"] for row in rows):
        sys.exit("a layout makes an update larger")
    if not all(row["ok"] for row in rows) or code > CODE_BUDGET or ram > RAM_BUDGET:
        sys.exit("a budget is exceeded")


if __name__ == "__main__":
    main()
