"""Crashes after the fact: what the device recorded, as a cause, a backtrace, a session of the real GDB and a core file."""
import re
import subprocess
import time
import unittest

from harness import GDB, MVCTL, PATIENCE, RAM, STACK, ChainTest, Debugger, Process

# What the crasher commits one after another (examples/crasher): the cause, and the source that is to blame.
# The signal is the one that GDB stops with.
FAULTS = [
    (r"usage fault: undefined instruction", r'__asm__ volatile\("udf 1"\);', "SIGILL"),
    (r".*fault: .*", r"\(\(void \(\*\)\(void\)\)0\)\(\);", "SIG"),
    (r"secure fault: read of 0x30000000, memory of the microvisor", r"volatile uint32_t \*\)0x30000000;", "SIGSEGV"),
    (r"secure fault: write to 0x60000000, memory of the microvisor", r"volatile uint32_t \*\)0x60000000 = 1;", "SIGSEGV"),
    (r"usage fault: division by zero", r"command = \(int\)ticks / ", "SIGFPE"),
    (r"usage fault: stack overflow", None, "SIG"),  # whose frame could not be stored
    (r"breakpoint", r'__asm__ volatile\("bkpt 42"\);', "SIGTRAP"),
    (r"bus fault: write to 0x4f004400, precise", r"volatile uint32_t \*\)0x4F004400 = 1;", "SIGBUS"),
    (r"memory fault: write to 0x[0-9a-f]{7}8, forbidden by the MPU", r"&constant\[2\] = 1;", "SIGSEGV"),
    (r"usage fault: read of 0x[0-9a-f]{7}1, unaligned", r"ldrd r2, r3", "SIGBUS"),
    (r"usage fault: no coprocessor \(is the FPU enabled\?\)", r"mrc p0, 0", "SIGILL"),
    (r"usage fault: not in Thumb state", r"const uint32_t end = ticks", "SIGILL"),
    (r"usage fault: undefined instruction, escalated in the UsageFault handler", r'volatile\("udf 2"\);', "SIGILL"),
]


class Crashes(ChainTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.project = cls.chain.project("crasher")
        cls.mvctl_deploy()
        cls.elf = next((cls.chain.home / "projects").rglob("crasher.elf"))
        cls.source = (cls.project / "crasher.c").read_text().splitlines()
        cls.crashes = cls.wait_for_crashes(len(FAULTS))

    @classmethod
    def mvctl_deploy(cls):
        # It never runs long enough to be waited for.
        cls.chain.mvctl("deploy", cls.project, "--device", "bench", "--key", "dev", "--debug-key", "dev",
                        "--minimum-restart-interval", "100", "--maximum-restart-interval", "1000",
                        "--include-stack-bytes", "512", "--crash-region", "what_now", "--crash-region", "constant")

    @classmethod
    def wait_for_crashes(cls, count):
        """The first `count` crashes, oldest first."""
        deadline = time.monotonic() + PATIENCE
        while True:
            crashes = cls.chain.json("crashes", "list", "bench")["crashes"]
            if len(crashes) >= count:
                return crashes[::-1][:count]
            if time.monotonic() > deadline:
                raise AssertionError(f"only {len(crashes)} crashes came\n{cls.chain.diagnosis()}")
            time.sleep(0.2)

    def lines_of(self, pattern):
        return {number for number, line in enumerate(self.source, 1) if re.search(pattern, line)}

    def crash(self, pattern):
        """The first crash that the source line `pattern` is to blame for."""
        number = next(n for n, (_, source, _) in enumerate(FAULTS) if source and re.search(pattern, source))
        return self.crashes[number]["id"]

    def gdb(self, *arguments):
        line = [GDB, "-nx", "-batch", "-ex", "set style enabled off", "-ex", "set width 0", *map(str, arguments)]
        return subprocess.run(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                              stdin=subprocess.DEVNULL, timeout=PATIENCE).stdout

    def test_each_kind_of_fault_is_shown_with_its_cause_and_its_source_line(self):
        for crash, (cause, source, _) in zip(self.crashes, FAULTS):
            with self.subTest(cause):
                shown = self.chain.json("crashes", "show", "bench", crash["id"], "--elf", self.elf)
                self.assertRegex(shown["cause"], cause)
                if source is None:
                    continue
                named = re.search(r"crasher\.c:(\d+)$", shown["cause"])
                self.assertTrue(named, shown["cause"])
                self.assertIn(int(named[1]), self.lines_of(source))
                backtrace = "\n".join(shown["backtrace"])
                self.assertRegex(backtrace, rf"#\d+ .*\(.*\) at .*crasher\.c:{named[1]}")
                self.assertRegex(backtrace, r"main \(\)")

    def test_a_stack_overflow_is_told_by_what_is_on_the_stack(self):
        overflow = next(n for n, (cause, _, _) in enumerate(FAULTS) if "overflow" in cause)
        shown = self.chain.json("crashes", "show", "bench", self.crashes[overflow]["id"], "--elf", self.elf)
        self.assertRegex(shown["cause"], r"no pc could be stored; the stack begins with a call from crasher\.c:\d+ "
                                         r"\(overflow_stack\)")
        self.assertEqual(shown["backtrace"], [])

    def test_a_table_lists_them_newest_first(self):
        lines = self.chain.mvctl("crashes", "list", "bench").splitlines()
        self.assertRegex(lines[0], r"^CRASH +WHEN +CAUSE +PC +RAN$")
        ids = [int(line.split()[0]) for line in lines[1:]]
        self.assertEqual(ids, sorted(ids, reverse=True))
        self.assertRegex("\n".join(lines), r"(?m)^\d+ +.* undefined instruction +0x[0-9a-f]{8} +crasher")

    def test_the_elf_is_found_by_its_build_and_the_newest_crash_is_the_default(self):
        done = self.chain.run("crashes", "show", "bench", cwd=self.elf.parent)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^elf +crasher\.elf$")
        newest = int(re.match(r"crash +(\d+) of bench", done.stdout)[1])
        self.assertGreaterEqual(newest, self.crashes[-1]["id"])

    def test_without_an_elf_there_are_addresses(self):
        shown = self.chain.mvctl("crashes", "show", "bench", self.crash("udf 1"), cwd="/")
        pc = self.crashes[0]["registers"]["pc"]
        self.assertRegex(shown, rf"cause +usage fault: undefined instruction, from 0x{pc:08x}\n")
        self.assertRegex(shown, r"name it with --elf")

    def test_debug_opens_it_in_gdb_with_arguments_and_locals(self):
        server = Process([MVCTL, "crashes", "debug", "bench", str(self.crash("udf 1")), "--elf", self.elf, "--port", "0"],
                         env=self.chain.env)
        self.addCleanup(server.stop)
        port = server.wait_for(r"^Listening on port (\d+)")[1]
        out = self.gdb("-ex", f"target remote 127.0.0.1:{port}", "-ex", "backtrace", "-ex", "info args",
                       "-ex", "frame function main", "-ex", "info locals", "-ex", "x/i $pc", "-ex", "print/x $sp",
                       "-ex", "print command", "-ex", "set var $r0 = 1", "-ex", "continue", "-ex", "monitor status",
                       "-ex", "detach", self.elf)
        self.assertRegex(out, r"#0 .*commit \(what=\w+.*\) at .*crasher\.c:\d+")
        self.assertRegex(out, r"#1 .*main \(\) at .*crasher\.c:\d+")
        self.assertRegex(out, r"what = ")
        self.assertRegex(out, r"clock = ")
        self.assertRegex(out, r"=> 0x\w+ <")
        self.assertRegex(out, r"Cannot access memory at address|was not recorded with the crash")
        self.assertRegex(out, r"nothing can run or be changed")
        self.assertRegex(out, r"cause +usage fault: undefined instruction")

    def test_the_server_ends_with_the_gdb_that_it_started(self):
        commands = self.chain.home / "commands"
        commands.write_text("backtrace\nquit\n")
        with commands.open() as stdin:
            done = subprocess.run([MVCTL, "crashes", "debug", "bench", str(self.crash("udf 1")), "--elf", self.elf,
                                   "--port", "0", "--gdb"], env=self.chain.env, stdin=stdin, text=True, timeout=PATIENCE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"#0 .*commit \(what=.*\)\s+at \S*crasher\.c:\d+")

    def test_the_core_file_opens_in_plain_gdb(self):
        core = self.chain.home / "core"
        said = self.chain.mvctl("crashes", "core", "bench", self.crash("udf 1"), "--elf", self.elf, "--out", core)
        self.assertRegex(said, rf"next: gdb-multiarch {self.elf} {core}")
        out = self.gdb("-ex", "backtrace", "-ex", "print/x $pc", "-ex", "x/xw $sp", self.elf, core)
        self.assertRegex(out, r"#0 .*commit \(what=\w+.*\) at .*crasher\.c:\d+")
        self.assertRegex(out, r"#1 .*main \(\)")
        self.assertRegex(out, rf"\$1 = {self.crashes[0]['registers']['pc']:#x}")
        stack = self.crashes[0]["stack_address"]
        self.assertRegex(out, rf"(?m)^{stack:#x}.*:\s+0x[0-9a-f]{{8}}")
        self.assertNotRegex(out, r"warning: .*core")

    def test_a_record_has_the_system_registers_and_the_ram_that_the_bundle_names(self):
        crash = self.crash("MPU|constant")
        shown = self.chain.json("crashes", "show", "bench", crash, "--elf", self.elf)
        self.assertEqual(shown["system"]["msp"], shown["registers"]["sp"])
        self.assertEqual(len(shown["memory"]), 2)
        text = self.chain.mvctl("crashes", "show", "bench", crash, "--elf", self.elf)
        self.assertRegex(text, rf"(?m)^memory +4 bytes from {RAM}[0-9a-f]{{4}} on\nmemory +32 bytes from")
        self.assertRegex(text, rf"msp +{STACK}[0-9a-f]{{4}}  psp  0x[0-9a-f]{{8}}  control \d")
        number = next(n for n, (cause, _, _) in enumerate(FAULTS) if cause.startswith("memory fault"))
        server = Process([MVCTL, "crashes", "debug", "bench", str(crash), "--elf", self.elf, "--port", "0"],
                         env=self.chain.env)
        self.addCleanup(server.stop)
        port = server.wait_for(r"^Listening on port (\d+)")[1]
        out = self.gdb("-ex", f"target remote 127.0.0.1:{port}", "-ex", "print what_now", "-ex", "print/x $msp", self.elf)
        self.assertRegex(out, rf"\$1 = {number}\b")
        self.assertRegex(out, rf"\$2 = {shown['system']['msp']:#x}")

    def test_a_core_file_is_debugged_without_a_cloud(self):
        core = self.chain.home / "core.mpu"
        self.chain.mvctl("crashes", "core", "bench", self.crash("constant"), "--elf", self.elf, "--out", core)
        env = {**self.chain.env, "XDG_CONFIG_HOME": "/nowhere"}
        server = Process([MVCTL, "debug", "--core", core, "--elf", self.elf, "--port", "0"], env=env)
        self.addCleanup(server.stop)
        port = server.wait_for(r"^Listening on port (\d+)")[1]
        out = self.gdb("-ex", f"target remote 127.0.0.1:{port}", "-ex", "backtrace", "-ex", "print what_now",
                       "-ex", "print/x $msp", "-ex", "monitor status", self.elf)
        self.assertRegex(out, r"#0 .*commit \(what=\w+.*\) at .*crasher\.c:\d+")
        self.assertRegex(out, r"#1 .*main \(\)")
        self.assertRegex(out, r"\$1 = 8\b")
        self.assertRegex(out, rf"\$2 = {STACK}")
        self.assertRegex(out, r"memory fault: write to 0x[0-9a-f]{8}, forbidden by the MPU")
        self.assertRegex(server.text, r"memory fault: write to 0x[0-9a-f]{8}, forbidden by the MPU, from crasher\.c:\d+")
        out = self.gdb("-ex", "print what_now", self.elf, core)  # plain GDB reads the same file
        self.assertRegex(out, r"\$1 = 8\b")

    def test_what_is_no_core_file_is_refused(self):
        done = self.chain.run("debug", "--core", self.elf, "--port", "0")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"crasher\.elf is no core file that can be read")
        self.assertEqual(self.chain.run("debug", "--core", "/none").returncode, 4)
        self.assertEqual(self.chain.run("debug", "bench", "--core", self.elf).returncode, 2)
        self.assertEqual(self.chain.run("debug").returncode, 2)

    def test_what_is_not_there_is_said_with_its_exit_code(self):
        self.assertEqual(self.chain.run("crashes", "show", "bench", "999999").returncode, 4)
        self.assertEqual(self.chain.run("crashes", "show", "nobody").returncode, 4)
        self.assertEqual(self.chain.run("crashes", "show", "bench", "../..").returncode, 2)
        other = self.chain.run("crashes", "show", "bench", "--elf", self.chain.home / "none.elf")
        self.assertEqual(other.returncode, 4, other.stdout)

    def test_under_the_debugger_each_stops_with_its_signal_and_the_same_sentence(self):
        debugger = Debugger(self.chain, "bench", "--elf", str(self.elf))
        self.addCleanup(debugger.close)
        commands = ["set width 0"]
        for number in range(len(FAULTS)):
            commands += [f"echo fault {number}\\n", "monitor reset", "maintenance flush register-cache", "tbreak main",
                         "continue", f"set var command = {number}", "continue"]
        out = debugger.gdb(self.elf, *commands, "monitor reset", "detach")
        parts = re.split(r"(?m)^fault \d+$", out)[1:]
        self.assertEqual(len(parts), len(FAULTS), out)
        for part, (cause, source, stopped) in zip(parts, FAULTS):
            with self.subTest(cause):
                self.assertRegex(part, rf"Program received signal {stopped}")
                if stopped == "SIGTRAP":
                    continue  # with a debugger a breakpoint instruction is none of faults
                told = re.search(rf"(?m)^\[mvctl\] {cause}.*$", part)
                self.assertTrue(told, part)
                if source:
                    named = re.search(r"crasher\.c:(\d+)$", told[0])
                    self.assertIn(int(named[1]), self.lines_of(source))


class Reflected(ChainTest):
    def test_faults_go_to_the_applications_own_handler_and_are_events_and_no_crashes(self):
        project = self.chain.project("crasher")
        log = self.chain.spawn("logs", "bench")
        self.addCleanup(log.stop)
        self.chain.mvctl("deploy", project, "--device", "bench", "--key", "dev", "--debug-key", "dev", "--faults",
                         "reflect")
        log.wait_for(r"crasher: fault 0 came to its own handler")
        events = self.chain.spawn("events", "--device", "bench")
        self.addCleanup(events.stop)
        events.wait_for(r"fault: usage fault: undefined instruction")
        log.wait_for(r"crasher: fault 1 came to its own handler")
        self.assertEqual(self.chain.json("crashes", "list", "bench")["crashes"], [])

    def test_under_the_debugger_the_handler_gets_them_when_it_is_asked(self):
        project = self.chain.project("crasher")
        self.chain.mvctl("deploy", project, "--device", "bench", "--key", "dev", "--debug-key", "dev", "--faults",
                         "reflect")
        elf = next((self.chain.home / "projects").rglob("crasher.elf"))
        debugger = Debugger(self.chain, "bench", "--elf", str(elf))
        self.addCleanup(debugger.close)
        out = debugger.gdb(elf, "set width 0", "monitor reset", "maintenance flush register-cache", "tbreak main",
                           "continue", "set var command = 0", "continue", "monitor faults reflect",
                           "tbreak HardFault_Handler", "continue", "backtrace", "detach")
        self.assertRegex(out, r"usage fault: undefined instruction, from crasher\.c:\d+\n+Program received signal SIGILL")
        self.assertRegex(out, r"Temporary breakpoint \d+, HardFault_Handler \(\)")
        self.assertRegex(out, r"#1 +<signal handler called>\n#2 .*commit \(what=.*crasher\.c")


class NoCrash(ChainTest):
    def test_a_device_that_never_crashed_has_an_empty_list(self):
        self.assertEqual(self.chain.json("crashes", "list", "bench")["crashes"], [])
        done = self.chain.run("crashes", "show", "bench")
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stdout, r"no crash of bench is recorded")


if __name__ == "__main__":
    unittest.main(verbosity=2)
