"""GDB's testsuite: where it comes from, and a run of some of its scripts against one stub."""
import os
import shutil
import subprocess

from stubs import GDB, HERE, ROOT, ProgramServer

SUITE = ROOT / ".deps" / "gdb" / "gdb" / "testsuite"
SDK = ROOT / "firmware-agent" / "sdk"

# The user's own memory attributes take the place of the device's: for flash GDB takes hardware breakpoints by itself and
# says so, which no script expects.
SETTINGS = ("mem 0 0 rw", "set remotetimeout 30", "set tcp connect-timeout 30")

# What GDB can be told to do without, by the name that `run --without` takes.
FEATURES = {
    "X": "set remote X-packet off",
    "noack": "set remote noack-packet off",
    "vCont": "set remote verbose-resume-packet off",
    "range-stepping": "set range-stepping off",
}


def fetch():
    """Why the suite cannot be run; nothing if it can."""
    if not shutil.which("runtest"):
        return "DejaGnu is not installed: run scripts/setup"
    try:
        for end in os.openpty():  # through one of these DejaGnu types at GDB
            os.close(end)
    except OSError as error:
        return f"no pseudo-terminal can be opened here ({error.strerror}): is /dev/pts mounted?"
    done = subprocess.run([HERE / "fetch"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return f"GDB's testsuite cannot be fetched:\n{done.stdout}" if done.returncode != 0 else None


def run(stub, scripts, folder, without=()):
    """Runs the scripts in `folder` and returns the path of DejaGnu's summary. `without`: names of FEATURES."""
    shutil.rmtree(folder, ignore_errors=True)
    for script in scripts:  # where the suite puts a script's programs
        (folder / "outputs" / script.removesuffix(".exp")).mkdir(parents=True)
    write_site(folder, without)
    server = ProgramServer(stub)
    env = dict(os.environ, MV_JUDGE_PORT=str(server.port), MV_JUDGE_RUNTIME=str(build_runtime(folder)),
               MV_JUDGE_SDK=str(SDK), MV_JUDGE_LINKER_SCRIPT=str(stub.linker_script), TERM="dumb", LC_ALL="C")
    try:
        with open(folder / "runtest.out", "w") as out:
            subprocess.run(["runtest", f"GDB={GDB}", "--target_board=microvisor", *scripts],
                           cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    finally:
        server.close()
    return folder / "gdb.sum"


def write_site(folder, without):
    """DejaGnu's configuration, and the commands that GDB starts with."""
    commands = [*SETTINGS, *(FEATURES[name] for name in without)]
    (folder / "settings.gdb").write_text("\n".join(commands) + "\n")
    (folder / "site.exp").write_text(
        f"set tool gdb\nset srcdir {SUITE}\nset objdir {folder}\nset host_triplet x86_64-pc-linux-gnu\n"
        f"set build_triplet x86_64-pc-linux-gnu\nset target_triplet arm-none-eabi\n"
        f"set gdb_test_timeout 30\nset OBJCOPY_FOR_TARGET arm-none-eabi-objcopy\nlappend boards_dir {HERE / 'boards'}\n"
        f"set GDBFLAGS {{-ix {folder / 'settings.gdb'}}}\n")


def build_runtime(folder):
    """The SDK's start-up and our own runtime, without debug information."""
    objects = []
    for source in (SDK / "src" / "startup.c", HERE / "runtime.c"):
        target = folder / (source.stem + ".o")
        subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=soft", "--specs=picolibc.specs",
                        "-Os", "-g0", "-Wall", "-Wextra", "-c", source, "-o", target], check=True)
        objects.append(target)
    runtime = folder / "start.o"
    subprocess.run(["arm-none-eabi-ld", "-r", "-o", runtime, *objects], check=True)
    return runtime
