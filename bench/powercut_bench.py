"""Power cuts at every flash operation of an update: how many, what they broke, and which planted mistakes were noticed."""
import json
import subprocess
import tempfile
from pathlib import Path

import report
from harness import BUILD

SEEDS = 2000


def run(what, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        subprocess.run([BUILD / "tests" / "powercut" / "powercut", *arguments, "--json", out], stdout=subprocess.DEVNULL,
                       check=False)
        result = json.loads(out.read_text())
    return {"what": what, "cuts": result["cuts"], "bricks": result["bricks"], "planted": result["mutations"]["planted"],
            "caught": result["mutations"]["caught"], "seconds": result["seconds"]}


def main():
    options = report.arguments(__doc__)
    report.report("powercut", [run("every operation", "enumerate"), run("seeded runs", "seeds", str(SEEDS)),
                               run("mutations", "mutations")], options.json)


if __name__ == "__main__":
    main()
