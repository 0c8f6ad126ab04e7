#!/usr/bin/python3
"""The debug engine and agent on the emulated core: agent messages over the serial port, no link and no TLS.

usage: debug_test.py FIRMWARE_FOLDER [TEST ...]      (FIRMWARE_FOLDER: build/firmware/mps2-an505)
"""
import os
import select
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from debug_device import PC, XPSR, DebugDevice, Stop, agent  # noqa: E402
from device import DEADLINE  # noqa: E402

FIRMWARE = ""


class Debug(unittest.TestCase):
    def setUp(self):
        self.device = DebugDevice(FIRMWARE, "steps")
        self.device.__enter__()
        self.at = self.device.at
        self.addCleanup(self.device.__exit__)

    def attached_at(self, label):
        self.device.attach()
        stop = self.device.run(insert=[self.at[label]])
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_BREAKPOINT, self.at[label]))
        return stop

    def test_attach_halts_and_resume_runs_on(self):
        attached = self.device.attach()
        self.assertTrue(attached.HasField("stopped"))
        before = self.device.word(self.at["counter"])
        self.assertEqual(self.device.word(self.at["counter"]), before)
        self.device.run(insert=[self.at["branches"]])
        self.device.run()
        self.assertGreater(self.device.word(self.at["counter"]), before)

    def test_a_breakpoint_is_hit_once_a_round(self):
        self.attached_at("twice")
        rounds = []
        for _ in range(20):
            stop = self.device.run()
            self.assertEqual((stop.reason, stop.pc), (agent.STOP_BREAKPOINT, self.at["twice"]))
            rounds.append(self.device.word(self.at["counter"]))
        self.assertEqual(rounds, list(range(rounds[0], rounds[0] + 20)))

    def test_steps_follow_every_kind_of_branch(self):
        begin = self.attached_at("step_begin")
        path = [begin.pc]
        while path[-1] != self.at["step_end"]:
            stop = self.device.step()
            self.assertEqual(stop.reason, agent.STOP_STEP)
            path.append(stop.pc)
            self.assertLess(len(path), 40, [hex(pc) for pc in path])
        self.assertIn(self.at["table_target"], path)
        self.assertIn(self.at["twice"], path)
        self.assertEqual(stop.registers[0], 2 * (begin.registers[0] + 1))
        caller = self.device.step()  # pop {r4, pc}
        self.assertTrue(self.at["main"] <= caller.pc < self.at["main"] + 0x100, hex(caller.pc))

    def test_a_range_is_stepped_on_the_device(self):
        self.attached_at("step_begin")
        stop = self.device.step_range(self.at["step_begin"], self.at["step_end"])
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_STEP, self.at["twice"]))
        self.assertGreater(stop.message.steps, 8)

    def test_an_exclusive_sequence_ends_and_counts(self):
        self.attached_at("exclusive_begin")
        before = self.device.word(self.at["atomic"])
        stop = self.device.step_range(self.at["exclusive_begin"], self.at["exclusive_end"])
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_STEP, self.at["exclusive_end"]))
        self.assertEqual(self.device.word(self.at["atomic"]), before + 1)

    def test_a_supervisor_call_is_one_step(self):
        self.attached_at("svc_at")
        before = self.device.word(self.at["served"])
        stop = self.device.step()
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_STEP, self.at["svc_at"] + 2))
        self.assertEqual(self.device.word(self.at["served"]), before + 1)

    def test_steps_with_interrupts_masked_by_the_program(self):
        stop = self.attached_at("masked_begin")
        self.assertEqual(stop.system[2], 1)  # PRIMASK
        stop = self.device.step()
        stop = self.device.step()
        self.assertEqual((stop.reason, stop.pc, stop.system[2]), (agent.STOP_STEP, self.at["masked_end"], 1))
        stop = self.device.step()
        self.assertEqual(stop.system[2], 0)

    def test_a_range_that_waits_for_an_interrupt_ends(self):
        self.attached_at("wait_begin")
        stop = self.device.step_range(self.at["wait_begin"], self.at["wait_end"], remove=[self.at["wait_begin"]])
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_STEP, self.at["wait_end"]))

    def test_a_wait_for_interrupt_is_one_step(self):
        self.attached_at("wfi_at")
        stop = self.device.step()
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_STEP, self.at["wfi_at"] + 2))

    def test_a_breakpoint_in_an_interrupt_handler_and_the_way_out_of_it(self):
        stop = self.attached_at("in_handler")
        self.assertEqual(stop.registers[XPSR] & 0x1ff, 15)
        self.device.ask(resume=agent.ResumeRequest(remove=[self.at["in_handler"]], mode=agent.RESUME_STEP))
        for _ in range(40):
            stop = self.device.step()
            self.assertEqual(stop.reason, agent.STOP_STEP)
            if stop.registers[XPSR] & 0x1ff == 0:
                break
        self.assertEqual(stop.registers[XPSR] & 0x1ff, 0, "the handler's return was not stepped: pc %#x" % stop.pc)
        self.assertEqual(self.device.step().reason, agent.STOP_STEP)

    def test_an_endless_range_is_interrupted(self):
        self.attached_at("step_begin")
        code = self.device.board.application
        self.device.begin(resume=agent.ResumeRequest(mode=agent.RESUME_STEP_RANGE, remove=[self.at["step_begin"]],
                                                     ranges=[agent.Range(start=code, end=code + 0x100000)]))
        with self.assertRaises(AssertionError):
            self.device.receive(timeout=0.5)
        self.device.interrupt()
        stop = Stop(self.device.receive().stopped)
        self.assertEqual(stop.reason, agent.STOP_INTERRUPT)
        self.assertGreater(stop.message.steps, 256)

    def test_a_halted_application_with_interrupts_pending_keeps_no_core_busy(self):
        self.attached_at("branches")
        before = self.device.cpu_seconds()
        time.sleep(1)  # what is measured is this second
        self.assertLess(self.device.cpu_seconds() - before, 0.2)

    def test_a_running_application_is_interrupted(self):
        self.device.attach(halt=False)
        self.device.attach()  # halts
        number = self.device.begin(resume=agent.ResumeRequest())
        self.device.interrupt()
        reply = self.device.receive()
        self.assertEqual((reply.sequence, reply.stopped.reason), (number, agent.STOP_INTERRUPT))

    def test_a_fault_is_shown_and_crashes_after_detach(self):
        self.attached_at("branches")
        self.device.ask(write_registers=agent.WriteRegistersRequest(
            registers=struct.pack("<17I", *([0] * 15 + [self.at["udf_at"], 0])), mask=1 << PC))
        stop = self.device.run()
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_FAULT, self.at["udf_at"]))
        self.assertEqual(stop.message.fault.cfsr & 0x10000, 0x10000)  # UNDEFINSTR
        self.device.ask(detach=agent.DetachRequest())
        self.device.wait_for(self.device.console, "application: crashed")

    def test_written_registers_and_memory_arrive_in_the_application(self):
        self.attached_at("twice")
        registers = [0] * 17
        registers[0] = 0x1000
        self.device.ask(write_registers=agent.WriteRegistersRequest(registers=struct.pack("<17I", *registers), mask=1))
        self.device.write_word(self.at["counter"], 500)
        stop = self.device.run(insert=[self.at["step_end"]])
        self.assertEqual(stop.registers[0], 0x2000)
        self.device.run()
        self.assertEqual(self.device.word(self.at["counter"]), 501)

    def test_a_bad_stack_pointer_is_told_and_reset_helps(self):
        self.attached_at("branches")
        code = self.device.board.ram_end - 0x10000
        self.device.ask(write=agent.WriteRequest(address=code, data=struct.pack("<HHH", 0x2000, 0x4685, 0xe7fe)))  # sp = 0
        self.device.ask(write_registers=agent.WriteRegistersRequest(
            registers=struct.pack("<17I", *([0] * 15 + [code, 0])), mask=1 << PC))
        reply = self.device.ask(resume=agent.ResumeRequest())
        self.assertTrue(reply.stopped.registers_unavailable)
        stop = Stop(self.device.ask(reset=agent.ResetRequest(halt=True)).stopped)
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_RESET, self.at["Reset_Handler"]))
        stop = self.device.run()
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_BREAKPOINT, self.at["branches"]))

    def test_reset_stops_at_the_first_instruction_and_keeps_breakpoints(self):
        self.attached_at("branches")
        self.device.run()
        stop = Stop(self.device.ask(reset=agent.ResetRequest(halt=True)).stopped)
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_RESET, self.at["Reset_Handler"]))
        stop = self.device.run()
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_BREAKPOINT, self.at["branches"]))
        self.assertEqual(self.device.word(self.at["counter"]), 1)

    def test_detach_lets_the_application_run_and_attach_finds_it_again(self):
        self.attached_at("twice")
        before = self.device.word(self.at["counter"])
        self.device.ask(detach=agent.DetachRequest())
        attached = self.device.attach(halt=False)
        self.assertFalse(attached.resumed)
        self.device.attach()
        deadline = time.monotonic() + DEADLINE
        while self.device.word(self.at["counter"]) < before + 2 and time.monotonic() < deadline:
            self.device.run(insert=[self.at["branches"]])
        self.assertGreaterEqual(self.device.word(self.at["counter"]), before + 2)


class RestartableCalls(unittest.TestCase):
    """The application erases eight sectors of external flash, which takes hundreds of ms of system call."""
    ERASE = 0x228  # from the start of the veneers

    def setUp(self):
        self.device = DebugDevice(FIRMWARE, "external_flash")
        self.device.__enter__()
        self.addCleanup(self.device.__exit__)
        self.device.wait_for(self.device.application, "flash: erasing")
        self.device.attach()
        self.device.write_word(self.device.at["time_is_judged"], 0)

    def halted_in_the_erase(self):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            self.device.begin(resume=agent.ResumeRequest())
            select.select([self.device.socket], [], [], 0.02)  # it runs on meanwhile
            self.device.interrupt()
            stop = Stop(self.device.receive().stopped)
            if stop.pc == self.device.board.veneers + self.ERASE:
                return stop
        self.fail("the application is never found in its erase")

    def test_a_halt_within_one_shows_it_about_to_be_made_again(self):
        stop = self.halted_in_the_erase()
        self.assertEqual(stop.reason, agent.STOP_INTERRUPT)
        handle, address, length, _ = stop.registers[:4]
        self.assertEqual(handle, self.device.word(self.device.at["handle"]))
        self.assertEqual((address % 4096, length % 4096, address + length), (0, 0, 8 * 4096))
        self.assertEqual(stop.registers[14] & 1, 1)
        good = self.device.application.text.count("flash: good")
        self.device.begin(resume=agent.ResumeRequest())
        self.device.wait_for(self.device.application, "flash: good", good + 2)
        self.assertNotIn("BAD", self.device.application.text)

    def test_a_step_from_there_ends_behind_it(self):
        before = self.halted_in_the_erase()
        stop = self.device.step()
        self.assertEqual((stop.reason, stop.pc), (agent.STOP_STEP, before.registers[14] & ~1))
        self.assertEqual(stop.registers[0], 0)  # MV_STATUS_OKAY


if __name__ == "__main__":
    FIRMWARE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
