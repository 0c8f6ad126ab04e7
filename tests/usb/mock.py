"""Runs programs on a bus of device models (usb_mock.cc): each test says which boards hang on it."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MV_BUILD_DIR", ROOT / "build"))
MVCTL = BUILD / "mvctl"
USB_MOCK = BUILD / "tests" / "usb_mock"


def boot_loader(**settings):
    """Options of usb_mock for an STM32U585 in its boot loader: serial=..., flash=FILE, unplug_at=3, no_return=True..."""
    return ["--boot-loader", _join(settings)]


def serial_port(**settings):
    """Options of usb_mock for an ST-LINK with a virtual COM port: serial=..., socket=PATH."""
    return ["--serial-port", _join(settings)]


def _join(settings):
    words = []
    for key, value in settings.items():
        key = key.replace("_", "-")
        words.append(key if value is True else f"{key}={value}")
    return ",".join(words)


class UsbTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mv-usb-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.env = dict(os.environ, NO_COLOR="1", HOME=str(self.folder), XDG_CONFIG_HOME=str(self.folder / "config"))

    def command(self, boards, *program):
        return ["umockdev-wrapper", str(USB_MOCK), *map(str, boards), "--", *map(str, program)]

    def run_on(self, boards, *program, code=0, timeout=120):
        """Runs a program, which must end with `code`; returns what it printed on both streams."""
        done = subprocess.run(self.command(boards, *program), env=self.env, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
        self.assertEqual(done.returncode, code, f"{program} printed:\n{done.stdout}")
        return done.stdout

    def mvctl(self, boards, *arguments, **options):
        return self.run_on(boards, MVCTL, "usb", *arguments, **options)

    def json(self, boards, *arguments, **options):
        return json.loads(self.mvctl(boards, *arguments, "--output", "json", **options))
