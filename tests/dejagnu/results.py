"""DejaGnu's summaries, the recorded scores, and the verdict over them."""
import collections
import re

from stubs import HERE

SCORES = HERE / "scores.md"
PASSED = ("PASS", "KPASS", "XPASS")
BAD = ("FAIL", "UNRESOLVED", "ERROR")
OUTCOMES = (*PASSED, *BAD, "XFAIL", "KFAIL", "UNTESTED", "UNSUPPORTED")
LINE = re.compile(rf"^({'|'.join(OUTCOMES)}): (.*)$")


def read_summary(path):
    """Script -> [(outcome, test)], in the order of the summary."""
    results = {}
    script = None
    for line in path.read_text(errors="replace").splitlines():
        running = re.match(r"^Running .*/(gdb\.\w+/[\w-]+\.exp) \.\.\.", line)
        if running:
            script = running.group(1)
            results[script] = []
            continue
        outcome = LINE.match(line)
        if outcome and script:
            results[script].append((outcome.group(1), outcome.group(2).removeprefix(f"{script}: ")))
    return results


def count(results, script, outcomes=PASSED):
    return sum(outcome in outcomes for outcome, _ in results.get(script, []))


def failures(results, scripts, outcomes=BAD):
    """(script, test) -> how often it failed."""
    return collections.Counter((script, test) for script in scripts for outcome, test in results.get(script, [])
                               if outcome in outcomes)


def expected_failures():
    """(script, test) that may fail."""
    expected = set()
    for line in (HERE / "expected-failures").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            script, test = line.split(": ", 1)
            expected.add((script, test))
    return expected


class Verdict:
    """Compares our results with how many tests of each script the reference passes.

    A script passes if nothing of it fails that is not expected to, and if it scores no less than the reference, expected
    failures counted. The second finds a script that gave up half way.
    """

    def __init__(self, ours, reference, scripts):
        expected = expected_failures()
        failed = failures(ours, scripts, (*BAD, "KFAIL"))  # KFAIL: the suite itself expects it of some targets
        self.unexpected = [pair for pair in failures(ours, scripts) if pair not in expected]
        self.expected = [pair for pair in failed if pair in expected]
        self.mended = [pair for pair in expected if pair[0] in scripts and pair not in failed]
        self.worse = []
        for script in scripts:
            excused = sum(times for pair, times in failed.items() if pair[0] == script and pair in expected)
            if count(ours, script) + excused < reference.get(script, 0):
                self.worse.append((script, count(ours, script), reference[script]))
        self.empty = not any(count(ours, script) for script in scripts)

    @property
    def ok(self):
        return not (self.unexpected or self.worse or self.empty)

    def __str__(self):
        lines = [f"FAILED: {script}: {test}" for script, test in self.unexpected]
        lines += [f"WORSE: {script}: {ours} passed, QEMU's stub {theirs}" for script, ours, theirs in self.worse]
        lines += [f"PASSES NOW, strike it off expected-failures: {script}: {test}" for script, test in self.mended]
        if self.empty:
            lines.append("nothing passed: the testsuite did not run")
        lines.append(f"{len(self.unexpected)} unexpected failures, {len(self.expected)} expected; "
                     f"{len(self.worse)} scripts worse than QEMU's stub")
        return "\n".join(lines)


def recorded_reference():
    """Script -> how many tests QEMU's stub passes, as `run --record` wrote it down."""
    rows = re.findall(r"^\| (gdb\.\S+\.exp) \| \d+ \| (\d+) \|", SCORES.read_text(), re.MULTILINE)
    return {script: int(passed) for script, passed in rows}


def scores_table(ours, reference, scripts):
    """Passed tests and bad outcomes of each script: `reference` is a summary's results as `ours` is."""
    lines = ["| script | mvctl | QEMU | not passed by mvctl | by QEMU |", "|---|---|---|---|---|"]
    for script in scripts:
        lines.append(f"| {script} | {count(ours, script)} | {count(reference, script)} | "
                     f"{count(ours, script, BAD)} | {count(reference, script, BAD)} |")
    total = [sum(count(results, script, outcomes) for script in scripts)
             for outcomes in (PASSED, BAD) for results in (ours, reference)]
    lines.append("| all | " + " | ".join(map(str, total)) + " |")
    return "\n".join(lines) + "\n"
