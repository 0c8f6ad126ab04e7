"""packaging/udev/70-microvisor.rules: well formed, and about the very boards that mvctl knows."""
import re
import shutil
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "packaging" / "udev" / "70-microvisor.rules"
CODE = (ROOT / "src" / "usb" / "board.cc").read_text()
HEADER = (ROOT / "src" / "usb" / "board.h").read_text()

# The keys that these rules use, and what may stand between key and value (udev(7)).
MATCHES, ASSIGNMENTS = {"==", "!="}, {"=", "+=", ":="}
KEYS = {"ACTION": MATCHES, "SUBSYSTEM": MATCHES, "ATTRS": MATCHES, "MODE": ASSIGNMENTS, "GROUP": ASSIGNMENTS,
        "TAG": ASSIGNMENTS | MATCHES, "ENV": ASSIGNMENTS | MATCHES, "GOTO": {"="}, "LABEL": {"="}}
PART = re.compile(r'([A-Z]+)(?:\{([^}]+)\})?(==|!=|\+=|:=|=)"([^"]*)"')


def rules(text):
    """Each rule as a list of (key, attribute, operator, value); ValueError where it is not well formed."""
    parsed = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = re.split(r",\s*(?=[A-Z])", line)
        matches = [PART.fullmatch(part) for part in parts]
        for part, match in zip(parts, matches):
            if not match or match.group(3) not in KEYS.get(match.group(1), ()):
                raise ValueError(f"line {number}: {part}")
        parsed.append([match.groups() for match in matches])
    labels = {value for rule in parsed for key, _, _, value in rule if key == "LABEL"}
    for rule in parsed:
        for key, _, _, value in rule:
            if key == "GOTO" and value not in labels:
                raise ValueError(f"GOTO {value} has no LABEL")
    return parsed


def products(rule):
    return {product for key, name, _, value in rule if (key, name) == ("ATTRS", "idProduct")
            for product in value.split("|")}


def setting(rule, wanted):
    return [(operator, value) for key, name, operator, value in rule if (key, name) == wanted]


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rules = rules(RULES.read_text())
        cls.vendor = re.search(r"kStVendor = 0x([0-9A-F]{4})", HEADER).group(1).lower()
        cls.boot_loader = re.search(r"kRomBootLoader = 0x([0-9A-F]{4})", HEADER).group(1).lower()
        cls.st_links = {number.lower() for number in re.findall(r"StLink\{0x([0-9A-F]{4}),", CODE)}

    def test_every_line_is_a_rule(self):
        self.assertGreater(len(self.rules), 3)

    def test_what_is_malformed_is_found(self):
        for bad in ('SUBSYSTEM=="usb" MODE="0660"', 'SUBSYSTEM="usb"', 'MODE=="0660"', 'ATTRS{idVendor}=="0483',
                    'GOTO="nowhere"', 'NOSUCHKEY=="1"'):
            with self.subTest(bad), self.assertRaises(ValueError):
                rules(bad)

    def test_users_may_open_the_boards_of_the_code_and_no_others(self):
        opened = [rule for rule in self.rules if setting(rule, ("TAG", None)) == [("+=", "uaccess")]]
        self.assertEqual(set().union(*map(products, opened)), self.st_links | {self.boot_loader})
        for rule in opened:
            self.assertEqual(setting(rule, ("ATTRS", "idVendor")), [("==", self.vendor)])
            self.assertEqual(setting(rule, ("MODE", None)), [("=", "0660")])

    def test_no_modem_manager_takes_a_port_and_every_id_is_a_board(self):
        ignored = [rule for rule in self.rules if setting(rule, ("ENV", "ID_MM_DEVICE_IGNORE")) == [("=", "1")]]
        self.assertEqual(len(ignored), 1)
        without_port = {"3744", "3748", "374d"}  # UM1075; UM2448: without a virtual COM port
        self.assertEqual(products(ignored[0]), self.st_links - without_port)

    @unittest.skipUnless(shutil.which("udevadm"), "no udevadm on this machine")
    def test_udev_takes_them(self):
        verify = subprocess.run(["udevadm", "verify", str(RULES)], text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        if "Unknown command" in verify.stdout or "unrecognized" in verify.stdout:
            self.skipTest("this udevadm cannot verify")
        self.assertEqual(verify.returncode, 0, verify.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
