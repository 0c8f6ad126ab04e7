#!/usr/bin/python3
"""Watchpoints on the emulated core: by the memory's attribution, which stops before an access, or, with the core's debug
units (`MV_QEMU`), by comparators, which stop after it.

usage: watch_test.py FIRMWARE_FOLDER [TEST ...]      (FIRMWARE_FOLDER: build/firmware/mps2-an505)
"""
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from debug_device import XPSR, DebugDevice, Stop, agent  # noqa: E402

FIRMWARE = ""
BUSY, QUIET, BYTES, SAME, TICKS, WORDS, AFTER = 0, 4, 8, 12, 16, 20, 32  # offsets in `shared`
WRITE, READ, ACCESS = agent.WATCH_WRITE, agent.WATCH_READ, agent.WATCH_ACCESS


def watchpoint(address, length=4, kind=WRITE):
    return agent.Watchpoint(address=address, length=length, kind=kind)


class Watch(unittest.TestCase):
    def setUp(self):
        self.device = DebugDevice(FIRMWARE, "watched")
        self.device.__enter__()
        self.addCleanup(self.device.__exit__)
        self.at = self.device.at
        self.shared = self.at["shared"]
        self.attached = self.device.attach()
        self.exact = self.attached.capabilities.watching == agent.WATCHING_COMPARATORS
        self.device.ask(reset=agent.ResetRequest(halt=True))
        self.device.run(insert=[self.at["main"]])  # memory is set up from there on
        self.device.ask(resume=agent.ResumeRequest(remove=[self.at["main"]], mode=agent.RESUME_STEP))

    def resume(self, mode=agent.RESUME_RUN, **fields):
        return Stop(self.device.ask(resume=agent.ResumeRequest(mode=mode, **fields)).stopped)

    def watch(self, *watchpoints, **fields):
        return self.resume(watch=watchpoints, **fields)

    def expect(self, stop, address, kind=WRITE):
        self.assertEqual(stop.reason, agent.STOP_WATCHPOINT, stop.message)
        self.assertEqual((stop.message.watch_address, stop.message.watch_kind), (address, kind))

    def word(self, address):
        return self.device.word(address)

    def expect_at(self, stop, label, size=2):
        """At the access of `size` bytes of code, or behind it."""
        self.assertEqual(stop.pc, self.at[label] + (size if self.exact else 0))

    def after_the_access(self):
        """Where the stop comes before the access: makes it."""
        if self.exact:
            return
        stop = self.resume(agent.RESUME_STEP)
        self.assertEqual(stop.reason, agent.STOP_STEP)

    def test_the_device_tells_how_it_watches(self):
        capabilities = self.attached.capabilities
        self.assertEqual(capabilities.watchpoints, 4)
        self.assertIn(capabilities.watching, (agent.WATCHING_ATTRIBUTION, agent.WATCHING_COMPARATORS))
        self.assertGreaterEqual(capabilities.max_watch, 8)

    def test_stops_at_each_change_and_at_none_of_the_neighbours(self):
        stop = self.watch(watchpoint(self.shared + QUIET))
        values = []
        for _ in range(5):
            self.expect(stop, self.shared + QUIET)
            self.expect_at(stop, "quiet_store")
            before = values[-1] if values else 0
            self.assertTrue(self.exact or before == self.word(self.shared + QUIET))
            self.after_the_access()
            values.append(self.word(self.shared + QUIET))
            self.assertNotEqual(values[-1], before)
            self.assertEqual(values[-1], self.word(self.at["rounds"]))
            self.assertEqual(values[-1], self.word(self.shared + BUSY))
            stop = self.resume()
        self.assertEqual(values, list(range(16, 96, 16)))

    def test_tells_a_byte_from_the_next(self):
        # bytes[1] changes each round, bytes[0] never: only the other watchpoint is hit
        stop = self.watch(watchpoint(self.shared + BYTES, length=1), watchpoint(self.shared + QUIET))
        self.expect(stop, self.shared + QUIET)
        self.assertEqual(self.word(self.at["rounds"]), 16)

    def test_a_write_of_the_same_value_is_no_hit(self):
        stop = self.watch(watchpoint(self.shared + SAME), watchpoint(self.shared + QUIET))
        self.expect(stop, self.shared + QUIET)

    def test_an_access_of_the_same_value_is_a_hit_for_those_who_ask(self):
        self.expect(self.watch(watchpoint(self.shared + SAME, kind=ACCESS)), self.shared + SAME, ACCESS)

    def test_reads_are_told_from_writes(self):
        stop = self.watch(watchpoint(self.shared + QUIET, kind=READ))
        for _ in range(20):  # more than sixteen rounds: a write is among them
            self.expect(stop, self.shared + QUIET, READ)
            self.expect_at(stop, "quiet_load")
            stop = self.resume()

    def test_stores_of_several_words(self):
        words = self.shared + WORDS
        stop = self.watch(watchpoint(words + 8))  # the last of three
        self.expect(stop, words + 8)
        self.expect_at(stop, "many_store")
        stop = self.resume(unwatch=[watchpoint(words + 8)], watch=[watchpoint(self.shared + AFTER + 4)])
        self.expect(stop, self.shared + AFTER + 4)
        self.expect_at(stop, "pair_store", size=4)
        self.assertEqual(self.word(words + 8), self.word(self.at["rounds"]))

    def test_an_unaligned_store_that_begins_in_another_granule(self):
        stop = self.watch(watchpoint(self.shared + AFTER))
        self.expect(stop, self.shared + AFTER)
        self.expect_at(stop, "odd_store")

    def test_floating_point_stores(self):
        stop = self.watch(watchpoint(self.at["wide_level"] + 4), watchpoint(self.at["level"]))
        seen = set()
        for _ in range(4):
            seen.add(stop.message.watch_address)
            self.assertEqual(stop.reason, agent.STOP_WATCHPOINT)
            stop = self.resume()
        self.assertEqual(seen, {self.at["wide_level"] + 4, self.at["level"]})

    def test_an_atomic_addition_is_seen_and_counts(self):
        stop = self.watch(watchpoint(self.at["atomic_rounds"]))
        for expected in range(1, 6):
            self.expect(stop, self.at["atomic_rounds"])
            self.assertEqual(self.word(self.at["atomic_rounds"]), expected)  # found after the whole sequence
            stop = self.resume()

    def test_stops_in_an_interrupt_handler(self):
        stop = self.watch(watchpoint(self.shared + TICKS))
        for _ in range(3):
            self.expect(stop, self.shared + TICKS)
            self.assertEqual(stop.registers[XPSR] & 0x1ff, 15)
            ticks = self.word(self.shared + TICKS)
            self.after_the_access()
            self.assertEqual(self.word(self.shared + TICKS), ticks + (0 if self.exact else 1))
            stop = self.resume()

    def test_a_local_variable_is_watched(self):
        stop = self.resume(insert=[self.at["add_to"]])
        address = stop.registers[0]
        changes = []
        stop = self.resume(remove=[self.at["add_to"]], watch=[watchpoint(address)])
        for _ in range(3):
            self.expect(stop, address)
            self.after_the_access()
            changes.append(self.word(address))
            stop = self.resume()
        self.assertEqual(changes, [2, 5, 9])
        self.assertEqual(stop.message.steps > 3, not self.exact)  # comparators watch a stack as anything else

    def test_a_step_stops_at_a_hit_too(self):
        stop = self.resume(insert=[self.at["write_quiet"]])
        stop = self.resume(agent.RESUME_STEP_RANGE, watch=[watchpoint(self.shared + QUIET)],
                           ranges=[agent.Range(start=self.at["write_quiet"], end=self.at["write_quiet"] + 64)])
        self.expect(stop, self.shared + QUIET)
        self.expect_at(stop, "quiet_store")

    def test_nothing_stays_watched_after_removal_reset_and_detach(self):
        watch = watchpoint(self.shared + BUSY)
        self.expect(self.watch(watch), self.shared + BUSY)
        self.assertEqual(self.resume(unwatch=[watch], insert=[self.at["write_quiet"]]).reason, agent.STOP_BREAKPOINT)
        self.expect(self.watch(watch, remove=[self.at["write_quiet"]]), self.shared + BUSY)
        self.assertEqual(Stop(self.device.ask(reset=agent.ResetRequest(halt=True)).stopped).reason, agent.STOP_RESET)
        self.expect(self.resume(), self.shared + BUSY)  # it outlives a restart, as breakpoints do
        self.device.ask(detach=agent.DetachRequest())
        self.device.attach()
        stop = self.resume(insert=[self.at["write_quiet"]])
        self.assertEqual(stop.reason, agent.STOP_BREAKPOINT)

    def test_the_bytes_come_with_the_stop(self):
        stop = self.watch(watchpoint(self.shared + QUIET), push=[agent.ReadRange(address=self.shared + QUIET, length=4)])
        self.assertEqual(stop.message.pushed[0].data, struct.pack("<I", 16 if self.exact else 0))

    def test_memory_is_read_beside_a_running_application_also_where_it_is_watched(self):
        number = self.device.begin(resume=agent.ResumeRequest(watch=[watchpoint(self.shared + BYTES, length=1)]))
        read = agent.ReadRequest(ranges=[agent.ReadRange(address=self.shared, length=32)])
        for _ in range(20):
            self.device.send(agent.AgentRequest(read=read))
            reply = self.device.receive()
            self.assertEqual((reply.sequence, reply.read.ranges[0].error), (0, agent.AGENT_OK))
            self.assertEqual(struct.unpack_from("<I", reply.read.ranges[0].data, SAME)[0], 77)
        self.device.interrupt()
        reply = self.device.receive()
        self.assertEqual((reply.sequence, reply.stopped.reason), (number, agent.STOP_INTERRUPT))

    def refused(self, *watchpoints):
        number = self.device.begin(resume=agent.ResumeRequest(watch=watchpoints))
        reply = self.device.receive()
        self.assertEqual(reply.sequence, number)
        return reply

    def test_what_cannot_be_watched_is_refused(self):
        board = self.device.board
        for address, length in ((board.application, 4), (0x40000000, 4), (board.ram_end - 2, 4), (self.shared, 100000),
                                (self.shared, 0)):
            reply = self.refused(watchpoint(address, length))
            self.assertEqual(reply.error, agent.AGENT_BAD_ADDRESS, (hex(address), length))
        reply = self.refused(*(watchpoint(self.shared + 4 * n, 4) for n in range(4)), )
        self.assertEqual(reply.error, agent.AGENT_OK)  # it ran, and stopped
        self.assertEqual(self.refused(watchpoint(self.shared + BUSY, 1)).error, agent.AGENT_NO_BREAKPOINT_FREE)


if __name__ == "__main__":
    FIRMWARE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
