#!/usr/bin/python3
"""Runs one libFuzzer target for a while, from the corpus that is kept in the tree, and says what it did.

usage: smoke.py TARGET CORPUS RESULTS [SECONDS]
       smoke.py --summary RESULTS

The corpus grows in RESULTS/corpus/<target>, so that the next run goes on from there; the tree stays as it is. What made
the target fall is left in RESULTS/findings: fix it, and add the file to the corpus in the tree.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

SECONDS = 60
LONGEST = 8192  # bytes of one input
SLOWEST = 10  # seconds of one input: more is a finding
MEMORY = 2048  # MiB
STATISTICS = {
    "runs": r"^stat::number_of_executed_units:\s+(\d+)",
    "runs_a_second": r"^stat::average_exec_per_sec:\s+(\d+)",
    "slowest_s": r"^stat::slowest_unit_time_sec:\s+(\d+)",
    "memory_mib": r"^stat::peak_rss_mb:\s+(\d+)",
    "edges": r"^#\d+\s+DONE\s+cov: (\d+)",
    "features": r"^#\d+\s+DONE\s+cov: \d+ ft: (\d+)",
}
COLUMNS = ("target", "runs", "runs/s", "edges", "features", "corpus", "findings")


def smoke(target, kept, results, seconds):
    name = target.name
    grown = results / "corpus" / name
    findings = results / "findings"
    for folder in (grown, findings):
        folder.mkdir(parents=True, exist_ok=True)
    run = subprocess.run(
        [target, f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MEMORY}",
         f"-artifact_prefix={findings / name}-", "-print_final_stats=1", grown, kept],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    facts = {"target": name, "seconds": seconds}
    for key, pattern in STATISTICS.items():
        found = re.findall(pattern, run.stdout, re.MULTILINE)
        facts[key] = int(found[-1]) if found else 0
    facts["corpus"] = len(list(grown.iterdir()))
    facts["findings"] = int(run.returncode != 0)
    (results / f"{name}.json").write_text(json.dumps(facts) + "\n")
    if run.returncode != 0:
        print(run.stdout[-6000:])
        print(f"{name} fell: its input is in {findings}")
        return 1
    print(", ".join(f"{key} {value}" for key, value in facts.items()))
    if facts["runs"] == 0:
        print(f"{name} ran nothing: does this libFuzzer print other statistics?\n{run.stdout[-2000:]}")
        return 1
    return 0


def summary(results):
    all_facts = [json.loads(path.read_text()) for path in sorted(results.glob("*.json"))]
    rows = [COLUMNS]
    for facts in all_facts:
        rows.append(tuple(str(facts[key]) for key in
                          ("target", "runs", "runs_a_second", "edges", "features", "corpus", "findings")))
    rows.append(("all", str(sum(f["runs"] for f in all_facts)), "", "", "", "", str(sum(f["findings"] for f in all_facts))))
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for row in rows:
        print("  ".join([row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]))
    return 0


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--summary":
        return summary(Path(arguments[1]))
    if len(arguments) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    target, kept, results = (Path(argument).resolve() for argument in arguments[:3])
    return smoke(target, kept, results, int(arguments[3]) if len(arguments) == 4 else SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
