"""The pairs of images that the delta benchmark compares, built from sources that Debian has.

`main.c` with Lua, zlib, MD5, SHA-1 and the C++ demangler of libiberty: 230 KB of code that others wrote, linked for a
Cortex-M33. Each variant is the same program with one edit as developers make them. The sources are fetched into .deps/
when the benchmark first runs; nothing of them is in this repository.
"""
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import BUILD

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DEPS = ROOT / ".deps"

PACKAGES = {"lua5.4": "src/lapi.c", "zlib": "inflate.c", "libiberty": "libiberty/cp-demangle.c"}

LUA = ("lapi lcode lctype ldebug ldo ldump lfunc lgc llex lmem lobject lopcodes lparser lstate lstring ltable ltm lundump lvm "
       "lzio lauxlib lbaselib lcorolib ldblib liolib lmathlib loslib lstrlib ltablib lutf8lib loadlib linit").split()
ZLIB = "adler32 compress crc32 deflate inffast inflate inftrees trees uncompr zutil".split()
LIBERTY = "md5 sha1 cp-demangle".split()

MACHINE = ["-mcpu=cortex-m33", "-mthumb", "--specs=picolibc.specs"]
COMPILE = ["-O2", "-ffunction-sections", "-fdata-sections", "-w", "-DLUA_USE_C89", "-DHAVE_CONFIG_H",
           f"-I{HERE / 'include'}"]
LINK = ["--oslib=semihost", "--crt0=semihost", "-Wl,--gc-sections", "-Wl,--defsym=__flash=0x10000000",
        "-Wl,--defsym=__flash_size=0x100000", "-Wl,--defsym=__ram=0x28000000", "-Wl,--defsym=__ram_size=0x80000",
        "-Wl,--defsym=__stack_size=0x4000", "-Tpicolibc.ld"]
SDK = ROOT / "firmware-agent" / "sdk"
SDK_LINK = ["-nostartfiles", "--oslib=semihost", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-Wl,-z,noexecstack"]


class Edit:
    """One change of a source: `old` becomes `new`, which must happen exactly once."""

    def __init__(self, source, old, new):
        self.source, self.old, self.new = source, old, new

    def apply(self, text):
        if text.count(self.old) != 1:
            raise SystemExit(f"{self.source}: {self.old!r} is there {text.count(self.old)} times: these are other sources")
        return text.replace(self.old, self.new)


FIRST, MIDDLE, LAST = "lapi", "lstring", "lzio"
ABSINDEX = "LUA_API int lua_absindex (lua_State *L, int idx) {\n"
CHECKED = """__attribute__((noinline)) static int mv_checked(lua_State *L, int idx) {
  int used = cast_int(L->top - L->ci->func);
  if (idx > used || idx < -used) return L->status == LUA_OK ? used : -used;
  return (used ^ idx) % 7 == 3 ? idx + cast_int(L->nCcalls) : idx;
}
"""
NEW = "TString *luaS_new (lua_State *L, const char *str) {\n"
FEATURE = (HERE / "new_functions.c").read_text(encoding="utf-8")
AVAILABLE = """
__attribute__((noinline)) size_t mv_available(ZIO *z, size_t n) {
  return z == NULL || z->n < n ? 0 : z->n - n;
}
"""

# Letter -> (what a developer did, the edits).
VARIANTS = {
    "B": ("one constant", [Edit("lmathlib", "for (i = 0; i < 16; i++)", "for (i = 0; i < 19; i++)")]),
    "C": ("longer string", [Edit("ldebug", '"attempt to compare %s with %s"',
                                 '"attempt to compare %s with %s, which have no order between them"')]),
    "D": ("added function", [Edit(FIRST, ABSINDEX, CHECKED + ABSINDEX + "  idx = mv_checked(L, idx);\n")]),
    "E": ("function far away", [Edit(LAST, "  return 0;\n}\n", "  return 0;\n}\n" + AVAILABLE),
                                Edit(FIRST, ABSINDEX, "size_t mv_available(ZIO *z, size_t n);\n" + ABSINDEX +
                                     "  idx += (int)mv_available(NULL, 1);\n")]),
    "F": ("2 KB of new code", [Edit(MIDDLE, NEW, FEATURE + NEW + "  if (str == NULL) mv_new_feature((void *)L, NULL, 0);\n")]),
    "H": ("the same with state", [Edit(MIDDLE, NEW, FEATURE + "static struct mv_state mv_state = {.seed = {1, 2, 3, 4}};\n" +
                                       NEW + "  if (str == NULL) mv_new_feature(&mv_state, NULL, 0);\n")]),
}

# The same for examples/counter, which a device runs: name -> (what a developer did, the edit).
COUNTER_EDITS = {
    "constant": ("one constant", Edit("counter.cc", "kStep = 1;", "kStep = 7;")),
    "string": ("longer string", Edit("counter.cc", "counter: hello from the Non-secure side",
                                     "counter: hello from the Non-secure side, where applications live")),
    "function": ("added function", Edit(
        "counter.cc", "std::uint32_t count_once(std::uint32_t round) {\n  const std::uint32_t value = round % 7;\n",
        """[[gnu::noinline]] std::uint32_t fold(std::uint32_t round) {
  std::uint32_t folded = round;
  while (folded > 9) folded = folded / 10 + folded % 10;
  return folded;
}

std::uint32_t count_once(std::uint32_t round) {
  const std::uint32_t value = fold(round) % 7;
""")),
}


def fetch():
    for name, proof in PACKAGES.items():
        subprocess.run(["bash", "-euc", ". scripts/lib.sh; mkdir -p .deps; fetch_source \"$@\"", "fetch", name, "bookworm", proof],
                       cwd=ROOT, check=True)


def sources():
    """Name -> source file, in the order of linking."""
    files = {name: DEPS / "lua5.4" / "src" / f"{name}.c" for name in LUA}
    files |= {name: DEPS / "zlib" / f"{name}.c" for name in ZLIB}
    files |= {name: DEPS / "libiberty" / "libiberty" / f"{name}.c" for name in LIBERTY}
    files["main"] = HERE / "main.c"
    return files


def compile_one(source, target):
    includes = [f"-I{source.parent}"] + [f"-I{DEPS / folder}" for folder in ("lua5.4/src", "zlib", "libiberty/include")]
    # The path of a source must not be in the image: a variant's differ.
    ccache = [found] if (found := shutil.which("ccache")) else []
    subprocess.run([*ccache, "arm-none-eabi-gcc", *MACHINE, *COMPILE, *includes, "-c", source, "-o", target], check=True)


class Corpus:
    """Builds into `folder`. `base` is the image before the edit, `variant(letter)` the one after it.

    `linked_by` is "picolibc", "sdk" or "layout": the C library's linker script, the SDK's, or the SDK's with everything
    where the base has it (mvctl bundle layout).
    """

    def __init__(self, folder, linked_by="picolibc"):
        self.linked_by = linked_by
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        fetch()
        self.objects = {}
        self.mvctl = BUILD / "mvctl"

    def base(self):
        self.objects = self._compile("base", sources())
        return self._link("base", self.objects)

    def variant(self, letter):
        objects = dict(self.objects)
        changed = {}
        folder = self.folder / letter
        folder.mkdir(exist_ok=True)
        for edit in VARIANTS[letter][1]:
            original = sources()[edit.source]
            copy = folder / original.name
            copy.write_text(edit.apply(original.read_text(encoding="utf-8")), encoding="utf-8")
            changed[edit.source] = copy
        objects |= self._compile(letter, changed)
        return self._link(letter, objects)

    def _compile(self, name, files):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        targets = {key: folder / f"{key}.o" for key in files}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda key: compile_one(files[key], targets[key]), files))
        return targets

    def _link(self, name, objects):
        elf, image = self.folder / f"{name}.elf", self.folder / f"{name}.bin"
        command = ["arm-none-eabi-gcc", *MACHINE, *objects.values(), "-lm", "-o", elf]
        if self.linked_by == "picolibc":
            subprocess.run([*command, *LINK], check=True)
        else:
            self._link_with_sdk(command, name)
        subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "--gap-fill", "0xFF", elf, image], check=True)
        return image

    def _link_with_sdk(self, command, name):
        startup, layout = self.folder / "startup.o", self.folder / f"{name}-layout"
        compile_one(SDK / "src" / "startup.c", startup)
        layout.mkdir(exist_ok=True)
        before, linked = self.folder / "base.map", self.folder / f"{name}.map"
        command = [*command, startup, *SDK_LINK, f"-L{layout}", f"-L{SDK / 'ld'}", "-Tmps2-an505.ld", f"-Wl,-Map={linked}"]
        if self.linked_by == "layout" and name != "base":
            command = [SDK / "cmake" / "link_with_layout.sh", self.mvctl, before, layout, linked, *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def example(folder, name, edit=None):
    """The image of one of the project's own examples, with an edit of its source or without."""
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    for part in (name, "common"):
        shutil.copytree(ROOT / "examples" / part, folder / "examples" / part)
    (folder / "firmware-agent").symlink_to(ROOT / "firmware-agent")
    if edit:
        source = folder / "examples" / name / edit.source
        source.write_text(edit.apply(source.read_text(encoding="utf-8")), encoding="utf-8")
    toolchain = folder / "firmware-agent" / "sdk" / "cmake" / "arm-none-eabi.cmake"
    quietly("cmake", "-S", folder / "examples" / name, "-B", folder / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
            f"-DCMAKE_TOOLCHAIN_FILE={toolchain}")
    quietly("cmake", "--build", folder / "build")
    image = folder / f"{name}.bin"
    elf = next(path for path in (folder / "build").rglob(f"{name}*") if path.is_file() and path.suffix in ("", ".elf"))
    quietly("arm-none-eabi-objcopy", "-O", "binary", elf, image)
    return image


def quietly(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}")
