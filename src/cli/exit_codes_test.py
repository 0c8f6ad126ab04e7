#!/usr/bin/python3
"""What scripts see of the real mvctl when keys and bundles fail: the exit code, a sentence on stderr, nothing on stdout.

usage: exit_codes_test.py MVCTL
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

MVCTL = Path(sys.argv.pop(1)).resolve()

DONE, FAILED, USAGE, NOT_FOUND, UNREACHABLE = 0, 1, 2, 4, 8

# An application for mps2-an505: stack pointer, Thumb reset vector, and code that is never run here.
PROGRAM = struct.pack("<II", 0x28210000, 0x00100101).ljust(0x100, b"\0") + b"\x00\xbf" * 64


class ExitCodes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mv-exit-")
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        (self.home / "app.bin").write_bytes(PROGRAM)

    def run_mvctl(self, *arguments):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"),
               "XDG_STATE_HOME": str(self.home / "state")}
        return subprocess.run([str(MVCTL), *map(str, arguments)], cwd=self.home, env=env, text=True, timeout=30,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def succeed(self, *arguments):
        done = self.run_mvctl(*arguments)
        self.assertEqual(done.returncode, DONE, done.stderr)
        return done.stdout

    def expect(self, code, words, *arguments):
        """Fails with `code`, says `words` on stderr and nothing on stdout; the same with JSON."""
        done = self.run_mvctl(*arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertIn(words, done.stderr)
        self.assertEqual(self.run_mvctl(*arguments, "--output", "json").returncode, code)

    def make_bundle(self):
        self.succeed("keys", "create", "dev")
        self.succeed("bundle", "create", "app.bin", "--key", "dev", "-o", "app.zip")
        return self.home / "app.zip"

    # keys

    def test_a_key_is_not_replaced_unless_forced(self):
        self.succeed("keys", "create", "dev")
        before = self.succeed("keys", "show", "dev")
        self.expect(FAILED, "is there already", "keys", "create", "dev")
        self.assertEqual(self.succeed("keys", "show", "dev"), before)
        self.succeed("keys", "create", "dev", "--force")
        self.assertNotEqual(self.succeed("keys", "show", "dev"), before)

    def test_a_private_key_is_the_users_alone(self):
        self.succeed("keys", "create", "dev")
        self.assertEqual((self.home / "config/mvctl/keys/dev.pem").stat().st_mode & 0o777, 0o600)

    def test_a_name_that_is_none(self):
        self.expect(USAGE, "cannot be the name of a key", "keys", "create", "../dev")

    def test_a_key_that_is_not_there(self):
        self.expect(NOT_FOUND, "no key is called dev", "keys", "show", "dev")

    def test_a_file_that_holds_no_key(self):
        self.expect(FAILED, "app.bin", "keys", "show", "app.bin")

    def test_a_folder_that_cannot_be_written(self):
        (self.home / "config").write_text("a file, not a folder")
        self.expect(FAILED, "config", "keys", "create", "dev")

    def test_wrong_usage(self):
        self.expect(USAGE, "", "keys", "create")
        self.expect(USAGE, "", "keys", "paint", "dev")
        self.expect(USAGE, "", "keys", "list", "--colour", "red")

    # bundle

    def test_a_whole_bundle_verifies(self):
        bundle = self.make_bundle()
        document = json.loads(self.succeed("bundle", "verify", bundle, "--output", "json"))
        self.assertTrue(document["verified"])

    def test_what_a_bundle_wants_of_its_trial_is_shown(self):
        self.succeed("bundle", "create", "app.bin", "-o", "app.zip", "--confirm-timeout", "60", "--confirm-by", "application",
                     "--security-counter", "7")
        document = json.loads(self.succeed("bundle", "inspect", "app.zip", "--output", "json"))
        self.assertEqual((document["policies"]["confirm_timeout"], document["policies"]["confirm_by"]), (60, "application"))
        self.assertEqual(document["security_counter"], 7)
        text = self.succeed("bundle", "inspect", "app.zip")
        self.assertIn("on trial for 60 s until it confirms itself", text)
        self.assertIn("counter     7", text)
        self.expect(USAGE, "needs a time", "bundle", "create", "app.bin", "-o", "app.zip", "--confirm-by", "application")
        self.expect(USAGE, "", "bundle", "create", "app.bin", "-o", "app.zip", "--confirm-by", "hope")

    def test_a_bundle_differs_from_itself_by_nothing(self):
        bundle = self.make_bundle()
        document = json.loads(self.succeed("bundle", "diff", bundle, bundle, "--output", "json"))
        self.assertEqual(document["bytes"], 0)
        self.assertTrue(document["content_size"] > 0 and all(layer["installed"] for layer in document["layers"]))

    def test_a_bundle_to_compare_with_that_is_not_there(self):
        self.expect(NOT_FOUND, "nothing.zip is not there", "bundle", "diff", self.make_bundle(), "nothing.zip")

    def test_a_bundle_that_is_not_there(self):
        for verb in ("inspect", "verify"):
            self.expect(NOT_FOUND, "nothing.zip is not there", "bundle", verb, "nothing.zip")
        self.expect(NOT_FOUND, "nothing.zip is not there", "bundle", "sign", "nothing.zip", "--key", "dev")

    def test_an_application_that_is_not_there(self):
        self.expect(NOT_FOUND, "nothing.elf is not there", "bundle", "create", "nothing.elf")

    def test_a_file_that_is_no_bundle(self):
        self.expect(FAILED, "app.bin", "bundle", "inspect", "app.bin")
        self.expect(FAILED, "app.bin", "bundle", "verify", "app.bin")

    def test_a_bundle_that_was_cut_short_or_changed_anywhere(self):
        whole = self.make_bundle().read_bytes()
        damaged = self.home / "damaged.zip"
        for length in range(0, len(whole), max(1, len(whole) // 20)):
            damaged.write_bytes(whole[:length])
            self.expect(FAILED, "damaged.zip", "bundle", "verify", damaged)
        name = whole.index(b"manifest")
        damaged.write_bytes(whole[:name] + b"Manifest" + whole[name + 8:])
        self.expect(FAILED, "damaged.zip", "bundle", "verify", damaged)

    def test_a_bundle_of_somebody_else(self):
        bundle = self.make_bundle()
        self.succeed("keys", "create", "other")
        self.expect(FAILED, "app.zip", "bundle", "verify", bundle, "--trust", "other")
        self.expect(NOT_FOUND, "no key is called nobody", "bundle", "verify", bundle, "--trust", "nobody")

    def test_a_bundle_that_nobody_signed(self):
        self.succeed("keys", "create", "dev")
        self.succeed("bundle", "create", "app.bin", "-o", "app.zip")
        self.expect(FAILED, "not signed", "bundle", "verify", "app.zip")

    def test_a_key_to_sign_with_that_is_not_there(self):
        self.expect(NOT_FOUND, "no key is called dev", "bundle", "create", "app.bin", "--key", "dev")
        self.assertFalse((self.home / "app.zip").exists())

    def test_an_application_that_cannot_run_on_the_board(self):
        (self.home / "empty.bin").write_bytes(b"")
        self.expect(FAILED, "empty.bin", "bundle", "create", "empty.bin")
        (self.home / "wrong.bin").write_bytes(struct.pack("<II", 0x28210000, 0x30000001) + PROGRAM[8:])
        self.expect(FAILED, "wrong.bin", "bundle", "create", "wrong.bin")
        (self.home / "huge.bin").write_bytes(PROGRAM.ljust(2 << 20, b"\xff"))
        self.expect(FAILED, "huge.bin", "bundle", "create", "huge.bin")

    def test_options_that_contradict_each_other_or_make_no_sense(self):
        self.expect(USAGE, "is longer than", "bundle", "create", "app.bin", "--minimum-restart-interval", "9",
                    "--maximum-restart-interval", "3")
        self.expect(USAGE, "is not an address", "bundle", "create", "app.bin", "--base", "flash")
        self.expect(USAGE, "", "bundle", "sign", "app.bin")

    def test_ram_for_a_crash_report_that_cannot_be_found(self):
        for text in ("counter", "", "0x", ":", "0x20000400:", "0x20000400:many", "0x120000400:64"):
            self.expect(USAGE, f"--crash-region: '{text}' is no", "bundle", "create", "app.bin", "--crash-region", text)
        done = self.run_mvctl("bundle", "create", "app.bin", "--crash-region", "counter")
        self.assertIn("a variable's name is only found in an ELF file", done.stderr)

    def test_an_output_that_cannot_be_written(self):
        self.expect(FAILED, "app.bin/app.zip", "bundle", "create", "app.bin", "-o", "app.bin/app.zip")

    # the cloud

    def test_a_cloud_that_is_not_there(self):
        (self.home / "context.json").write_text(json.dumps(
            {"cloud": "https://127.0.0.1:1", "account_sid": "AC" + "0" * 32, "token": "secret"}))
        self.succeed("context", "create", "test", "--from", "context.json")
        self.expect(UNREACHABLE, "connection refused", "devices")


if __name__ == "__main__":
    unittest.main()
