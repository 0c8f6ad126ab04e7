"""How long `mvctl --help` takes, against a program that does nothing, in the same run."""
import statistics
import subprocess
import time

import report
from harness import MVCTL

RUNS = 60


def median_ms(command):
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def main():
    options = report.arguments(__doc__)
    nothing = median_ms(["/bin/true"])
    rows = [{"command": "/bin/true", "median_ms": round(nothing, 2), "times_nothing": 1.0}]
    for arguments in (["--help"], ["--version"], ["debug", "--help"]):
        took = median_ms([str(MVCTL), *arguments])
        rows.append({"command": " ".join(["mvctl", *arguments]), "median_ms": round(took, 2),
                     "times_nothing": round(took / nothing, 1)})
    report.report("startup", rows, options.json)


if __name__ == "__main__":
    main()
