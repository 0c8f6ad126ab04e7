#!/usr/bin/python3
"""Boots the firmware in QEMU and checks what it says.

usage: boot_test.py FIRMWARE_FOLDER [TEST ...]      (FIRMWARE_FOLDER: build/firmware/mps2-an505)
"""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import boards  # noqa: E402
from device import Device  # noqa: E402

FIRMWARE = ""
LOAD_TEST = os.path.join("test-applications", "load-test.bin")


def flip(area, at):
    """Damages one bit of an area's byte in the flash file."""
    def edit(board, path):
        with open(path, "r+b") as file:
            file.seek(board.areas[area][0] + at)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))
    return edit


def thread_goes_on(device, rounds=2):
    """Two more reports of the Secure thread, from here on."""
    seen = device.console.text.count("thread: round")
    device.wait_for(device.console, r"thread: round \d+", seen + rounds)


def in_code(device, text):
    """A pattern in which PC stands for an address in the application's code."""
    return text.replace("PC", "0x%04x[0-9a-f]{4}" % (device.board.application >> 16))


class Boot(unittest.TestCase):
    def test_runs_the_installed_application(self):
        with Device(FIRMWARE, application="hello") as device:
            device.wait_for(device.console, "microvisor .* on " + device.board.name)
            device.wait_for(device.application, "hello from the Non-secure side")
            device.wait_for(device.application, "done")

    def test_without_an_application_stays_up_and_says_so(self):
        with Device(FIRMWARE) as device:
            device.wait_for(device.console, "application: none installed")

    def test_refuses_an_image_with_a_changed_byte(self):
        with Device(FIRMWARE, application="hello", edit=flip("Microvisor", 5000)) as device:
            device.wait_for(device.console, "boot: .*: the microvisor image is damaged")
            self.assertNotIn("microvisor 0", device.console.text)

    def test_refuses_a_header_with_a_changed_byte(self):
        with Device(FIRMWARE, application="hello", edit=flip("Microvisor", 16)) as device:
            device.wait_for(device.console, "boot: .*: the microvisor image is not signed by this boot ROM's key")

    def test_refuses_a_changed_signature(self):
        with Device(FIRMWARE, application="hello", edit=flip("Microvisor", 100)) as device:
            device.wait_for(device.console, "boot: .*: the microvisor image is not signed by this boot ROM's key")

    def test_says_that_there_is_no_image(self):
        with Device(FIRMWARE, edit=flip("Microvisor", 0)) as device:
            device.wait_for(device.console, "boot: slot A: there is no microvisor image")
            device.wait_for(device.console, "boot: no microvisor can start: write microvisor.bin")


class Restarts(unittest.TestCase):
    """The wake reasons (MvWakeReason): 0 is a cold boot, 4 a crash of the microvisor."""

    UNDEFINED = bytes.fromhex("00de")  # udf #0

    def device(self, **options):
        return Device(FIRMWARE, application="wake_reason", **options)

    def wait_for_reason(self, device, reason, count=1):
        device.wait_for(device.application, "wake reason: status 00000000 reason %08x" % reason, count)

    def symbol(self, name):
        lines = subprocess.run(["arm-none-eabi-nm", "-C", os.path.join(FIRMWARE, "microvisor.elf")], check=True,
                               capture_output=True, text=True).stdout.splitlines()
        return next(int(line.split()[0], 16) & ~1 for line in lines if (" T %s(" % name) in line)

    def break_secure_code(self, device):
        """Puts an undefined instruction where a system call is just about to go; returns its address."""
        address = self.symbol("mv::app::SystemCalls::get_microseconds")
        with device.debugger() as debugger:
            debugger.run_to(address)
            debugger.write(address, self.UNDEFINED)
            debugger.detach()
        return address

    def test_power_on_is_a_cold_boot(self):
        with self.device() as device:
            self.wait_for_reason(device, 0)
            device.wait_for(device.console, "application: started")
            self.assertNotIn("microvisor restarted", device.console.text)

    def test_a_fault_of_the_secure_side_is_told_once_and_not_after_a_power_cut(self):
        with self.device() as device:
            self.wait_for_reason(device, 0)
            pc = self.break_secure_code(device)
            device.wait_for(device.console, "microvisor restarted after a Secure fault at pc 0x%08x, lr %s" %
                            (pc, device.board.secure_code))
            self.wait_for_reason(device, 4)
            device.wait_for(device.console, "application: started", 2)
            device.kill()
            os.unlink(device.path("debugger"))
            device.start()
            self.wait_for_reason(device, 0, 2)
            device.wait_for(device.console, "application: started", 3)
            self.assertEqual(device.console.text.count("microvisor restarted"), 1)

    def test_every_fault_is_told_anew(self):
        with self.device() as device:
            self.wait_for_reason(device, 0)
            for count in (1, 2):
                self.break_secure_code(device)
                self.wait_for_reason(device, 4, count)
                device.wait_for(device.console, "microvisor restarted after a Secure fault", count)


class Worlds(unittest.TestCase):
    def load(self, application):
        return Device(FIRMWARE, microvisor=LOAD_TEST, application=application)

    def test_registers_survive_switches_with_interrupts_and_fp(self):
        with self.load("fp_ticks") as device:
            device.wait_for(device.application, "fp: good", 3)
            thread_goes_on(device, 4)
            self.assertNotIn("BAD", device.application.text)
            self.assertNotIn("BAD", device.console.text)
            self.assertNotIn("did not happen", device.console.text)

    def test_a_program_of_the_original_platform_runs_unmodified(self):
        with Device(FIRMWARE, application="original_calls") as device:
            device.wait_for(device.application, "original: (good|ended)")
            self.assertNotIn("BAD", device.application.text)
            device.wait_for(device.console, "the factory reads this")
            device.wait_for(device.console, "test: passed")
            device.application.read(0.2)
            self.assertNotIn("BAD", device.application.text)

    def test_a_call_that_waits_for_the_external_flash_lets_interrupts_and_the_thread_in(self):
        with self.load("external_flash") as device:
            device.wait_for(device.application, "flash: good", 3)
            thread_goes_on(device, 4)
            self.assertNotIn("BAD", device.application.text)
            self.assertNotIn("BAD", device.console.text)
            self.assertNotIn("did not happen", device.console.text)

    def test_system_calls_from_thread_and_interrupts_survive_switches(self):
        with self.load("system_calls") as device:
            device.wait_for(device.application, "calls: good", 3)
            thread_goes_on(device, 4)
            self.assertNotIn("BAD", device.application.text)
            self.assertNotIn("BAD", device.console.text)
            self.assertNotIn("did not happen", device.console.text)

    def test_application_keeps_running_while_the_thread_burns_the_cpu(self):
        with self.load("spinner") as device:
            device.wait_for(device.application, "spinner: ticks", 3)
            thread_goes_on(device)

    def test_application_that_spins_with_interrupts_off_does_not_stop_the_thread(self):
        with self.load("masked") as device:
            device.wait_for(device.application, "masked: spinning")
            thread_goes_on(device)
            self.assertNotIn("did not happen", device.console.text)

    def test_handler_that_never_returns_does_not_stop_the_thread(self):
        with self.load("long_handler") as device:
            device.wait_for(device.application, "handler: spinning")
            thread_goes_on(device)
            self.assertNotIn("did not happen", device.console.text)

    def test_touching_secure_memory_is_a_crash_and_the_device_stays_up(self):
        with self.load("touch_secure") as device:
            device.wait_for(device.application, "touch: reading")
            device.wait_for(device.console, in_code(device, "crash: fault pc PC.* sfsr 0x000000[04]8"))
            thread_goes_on(device)
            self.assertNotIn("got it", device.application.text)

    def test_crash_in_an_interrupt_handler_leaves_no_interrupt_behind(self):
        with self.load("handler_crash") as device:
            device.wait_for(device.application, "handler: interrupt 0000003c", 3)
            device.wait_for(device.console, in_code(device, "crash: fault pc PC.* ipsr 76"), 3)
            thread_goes_on(device)

    def test_interrupt_storm_does_not_stop_the_thread(self):
        with self.load("storm") as device:
            device.wait_for(device.application, "storm: begin")
            thread_goes_on(device, 3)
            self.assertNotIn("BAD", device.console.text)

    def test_forged_exception_return_is_a_crash_of_the_application(self):
        with self.load("bad_return") as device:
            device.wait_for(device.application, "return: now", 2)
            device.wait_for(device.console, "crash: fault", 2)
            thread_goes_on(device)
            self.assertNotIn("Secure code", device.console.text)
            self.assertNotIn("BAD", device.console.text)

    def test_bad_stack_pointer_is_a_crash_without_a_frame(self):
        with self.load("bad_stack") as device:
            device.wait_for(device.console, "crash: fault no frame", 2)
            thread_goes_on(device)

    def test_the_applications_own_hard_fault_handler_gets_its_faults_and_may_repair_them(self):
        with self.load("reflect") as device:
            report = r"reflect: fault in exc %s ipsr 00000003 r0 %s r4 %s cfsr 00010000"
            device.wait_for(device.application, report % ("ffffffb8", "00001111", "00004444"))
            device.wait_for(device.application, "reflect: registers kept")
            device.wait_for(device.application, report % ("ffffffac", "[0-9a-f]{8}", "[0-9a-f]{8}"))
            device.wait_for(device.application, "reflect: floats kept")
            device.wait_for(device.application, report % ("ffffffb[04]", "00001111", "00004444"))
            device.wait_for(device.application, "reflect: faults 00000003 no ticks meanwhile")
            device.wait_for(device.console, in_code(device, r"(?s)(reflected: fault pc PC.*){4}crash: fault pc PC.* ipsr 3"))
            thread_goes_on(device)
            self.assertNotIn("BAD", device.application.text)
            self.assertNotIn("BAD", device.console.text)


class Budgets(unittest.TestCase):
    def test_report_is_within_budget(self):
        with open(os.path.join(FIRMWARE, "size.txt"), encoding="ascii") as file:
            rows = [line.split() for line in file]
        self.assertEqual(len(rows), 3)
        for row in rows:
            self.assertLessEqual(int(row[-4]), int(row[-2]), " ".join(row))


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.path.exists(os.path.join(sys.argv[1], "boot-rom.elf")):
        sys.exit("no firmware in %s: run scripts/build firmware" % (sys.argv[1:2] or "?"))
    FIRMWARE = sys.argv.pop(1)
    unittest.main()
