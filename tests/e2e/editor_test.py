"""An editor as a client: the launch.json of `mvctl init` in VS Code's CDT GDB adapter, without VS Code.

The adapter comes from npm into the build folder. Without npm, or without a network, the test is skipped and says so.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

from harness import BUILD, PATIENCE, ROOT, ChainTest, Process

SOURCES = ROOT / "tests" / "editor"
INSTALLED = BUILD / "tests" / "editor"
OLDEST_NODE = 20
SKIPPED = 77  # what CTest takes for "skipped"


def install():
    """Installs the adapter as the lock file says. Returns why it could not, or nothing."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "there is no node or npm: install Node.js 20 or newer"
    version = subprocess.run(["node", "--version"], text=True, stdout=subprocess.PIPE, timeout=PATIENCE).stdout
    if int(re.match(r"v(\d+)", version).group(1)) < OLDEST_NODE:
        return f"the adapter wants Node.js {OLDEST_NODE} or newer, this is {version.strip()}"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    lock = (SOURCES / "package-lock.json").read_text()
    done = INSTALLED / "installed.json"
    if done.exists() and done.read_text() == lock:
        return None
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, INSTALLED / name)
    npm = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=INSTALLED, text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
    if npm.returncode != 0:
        return f"npm could not fetch the adapter:\n{npm.stdout}"
    done.write_text(lock)
    return None


def substitute(value, variables):
    """VS Code's variables, in every string of a configuration."""
    if isinstance(value, dict):
        return {key: substitute(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [substitute(one, variables) for one in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"\$\{([^}]*)\}", lambda match: variables[match.group(1)], value)


class EditorTest(ChainTest):
    """A project of `mvctl init` that runs on the device, and its settings as VS Code would understand them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chain.mvctl("init", "blink", cwd=cls.chain.home)
        cls.project = cls.chain.home / "blink"
        cls.chain.deploy(cls.project, "bench")
        settings = json.loads((cls.project / ".vscode" / "settings.json").read_text())
        settings["microvisor.device"] = "bench"  # what a person types there
        variables = {f"config:{name}": value for name, value in settings.items()}
        variables["workspaceFolder"] = str(cls.project)
        cls.files = {name: substitute(json.loads((cls.project / ".vscode" / f"{name}.json").read_text()), variables)
                     for name in ("launch", "tasks")}
        cls.env = dict(cls.chain.env, PATH=f"{BUILD}{os.pathsep}{os.environ['PATH']}")

    def configuration(self, kind, request):
        return next(one for one in self.files["launch"]["configurations"]
                    if (one["type"], one["request"]) == (kind, request))

    def task(self, label):
        return next(one for one in self.files["tasks"]["tasks"] if one["label"] == label)

    def run_task(self, label):
        done = subprocess.run(self.task(label)["command"], shell=True, env=self.env, cwd=self.project, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout)

    def start_task(self, label):
        task = Process(["/bin/sh", "-c", "exec " + self.task(label)["command"]], env=self.env, cwd=self.project)
        self.addCleanup(task.stop)
        return task

    def session(self, configuration):
        source = self.project / "main.c"
        line = 1 + source.read_text().split("\n").index("    seconds = next_second(seconds);")
        file = self.chain.home / "configuration.json"
        file.write_text(json.dumps(configuration))
        done = subprocess.run(["node", SOURCES / "session.js", file, source, str(line)], cwd=INSTALLED, env=self.env,
                              text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PATIENCE)
        print(f"\n{configuration['name']}:\n{done.stdout}")
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{self.chain.diagnosis()}")


class Editor(EditorTest):
    def test_the_editor_starts_mvctl_itself(self):
        self.session(self.configuration("gdbtarget", "launch"))
        self.assert_runs_on(r"blink: \d+ s")

    def test_the_editor_attaches_to_a_server_that_a_task_started(self):
        server = self.start_task("debug server")
        background = self.task("debug server")["problemMatcher"]["background"]
        server.wait_for(background["beginsPattern"])
        server.wait_for(background["endsPattern"])
        self.session(self.configuration("gdbtarget", "attach"))
        self.assert_runs_on(r"blink: \d+ s")

    def test_the_tasks_do_what_they_say(self):
        before = self.chain.device("bench")["restarts"]
        for label in ("build", "deploy", "restart the application"):
            with self.subTest(label):
                self.run_task(label)
        self.chain.wait_device("bench", lambda device: device["restarts"] > before, what="a restart")
        self.start_task("log").wait_for(r"blink: ")

    def test_every_other_editor_is_pointed_at_the_same_server(self):
        gdb = {"cortex-debug": "gdbPath", "gdb": "gdbpath", "cppdbg": "miDebuggerPath"}
        address = {"cortex-debug": "gdbTarget", "gdb": "target", "cppdbg": "miDebuggerServerAddress"}
        program = {"cortex-debug": "executable", "gdb": "executable", "cppdbg": "program"}
        others = [one for one in self.files["launch"]["configurations"] if one["type"] != "gdbtarget"]
        self.assertEqual({one["type"] for one in others}, set(gdb))
        for one in others:
            kind = one["type"]
            self.assertEqual(one[address[kind]], "localhost:8001")
            self.assertTrue(os.path.exists(one[program[kind]]), one)
            self.assertIsNotNone(shutil.which(one[gdb[kind]]), one)
            self.assertIn(one["preLaunchTask"], [task["label"] for task in self.files["tasks"]["tasks"]])


class With150MillisecondsEachWay(EditorTest):
    device_options = ("--delay", "150ms")

    def test_the_editor_starts_mvctl_itself(self):
        self.session(self.configuration("gdbtarget", "launch"))
        self.assert_runs_on(r"blink: \d+ s")


if __name__ == "__main__":
    missing = install()
    if missing:
        print(f"SKIPPED: no editor was tested: {missing}")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
