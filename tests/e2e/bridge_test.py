"""A board without a network: the emulated device's UART on a serial line, and mvctl usb bridge as its modem.

The line is a pseudo-terminal, or an ST-LINK's serial port by libusb (tests/usb/usb_mock.cc).
"""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import tty
import unittest
from pathlib import Path

from harness import BOARD, BUILD, FIRMWARE, MVCTL, ChainTest, Process

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "usb"))
from mock import USB_MOCK  # noqa: E402


class PtyWire:
    """Shovels between a unix socket, where QEMU's UART arrives, and a pseudo-terminal that can be pulled out."""

    def __init__(self, path, tty_link):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.tty_link = Path(tty_link)
        self.uart = None
        self.master = None
        self.slave = None
        self.orders, self.order_out = os.pipe()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def plug(self):
        with self.lock:
            self.master, self.slave = os.openpty()
            tty.setraw(self.slave)
            self.tty_link.symlink_to(os.ttyname(self.slave))
        os.write(self.order_out, b".")

    def unplug(self):
        with self.lock:
            self.tty_link.unlink()
            os.close(self.master)
            os.close(self.slave)
            self.master = self.slave = None
        os.write(self.order_out, b".")

    def close(self):
        os.write(self.order_out, b"q")
        self.thread.join(10)
        if self.master is not None:
            self.unplug()
        for end in (self.listener, self.uart):
            if end is not None:
                end.close()

    def _run(self):
        while True:
            with self.lock:
                watched = [self.orders, self.listener] + [x for x in (self.uart, self.master) if x is not None]
            ready = select.select(watched, [], [])[0]
            if self.orders in ready and b"q" in os.read(self.orders, 64):
                return
            if self.listener in ready:
                self.uart = self.listener.accept()[0]
            with self.lock:
                if self.uart in ready:
                    try:
                        data = self.uart.recv(4096)
                    except ConnectionResetError:
                        data = b""
                    if not data:
                        self.uart.close()
                        self.uart = None
                    elif self.master is not None:  # without a cable a UART's bytes are lost
                        os.write(self.master, data)
                if self.master is not None and self.master in ready:
                    data = os.read(self.master, 4096)
                    if self.uart is not None:
                        self.uart.sendall(data)


class BridgeTest(ChainTest):
    """A device that was made and stopped; its machine runs here, with its modem's UART on a socket of the test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chain.mvctl("emulator", "stop", "bench")
        cls.folder = next((cls.chain.home / "state").rglob("bench"))

    @classmethod
    def power_on(cls, modem_socket):
        """As src/emulator/qemu.cc starts it, but for the modem."""
        flash = cls.folder / "flash.bin"
        if BOARD == "stm32u585":
            line = [BUILD / "qemu-stm32u585", "-machine", f"stm32u585,flash={flash},nor={cls.folder / 'nor.bin'}"]
        else:
            line = ["qemu-system-arm", "-machine", "mps2-an505,memory-backend=flash", "-object",
                    f"memory-backend-file,id=flash,size=16M,share=on,mem-path={flash}", "-kernel", FIRMWARE / "boot-rom.elf"]
        machine = Process([*line, "-nographic", "-monitor", "none", "-no-user-config", "-nodefaults", "-nic", "none",
                           "-chardev", f"socket,id=modem,path={modem_socket}", "-serial", "chardev:modem",
                           "-serial", f"file:{cls.folder}/console.log", "-serial", f"file:{cls.folder}/application.log"],
                          stdin=subprocess.DEVNULL)
        cls.addClassCleanup(machine.stop)
        return machine

    def wait_offline(self):
        self.chain.wait_device("bench", lambda device: device["connection"]["state"] != "online", 120, "offline")


class OverATty(BridgeTest):
    def test_a_device_is_deployed_to_unplugged_and_found_again(self):
        link = self.chain.home / "ttyBoard"
        wire = PtyWire(self.chain.home / "uart.sock", link)
        self.addCleanup(wire.close)
        wire.plug()
        self.power_on(self.chain.home / "uart.sock")
        bridge = self.chain.spawn("usb", "bridge", "--tty", link, "--output", "json")
        self.addCleanup(bridge.stop)
        bridge.wait_for(r'"event":"connected"')
        self.chain.wait_online("bench")
        self.chain.deploy(self.chain.project("counter"), "bench")
        self.assert_runs_on("counter")

        begin = len(bridge.text)
        wire.unplug()
        bridge.wait_for(r'"event":"detached".*"it was unplugged"', 30, begin)
        self.wait_offline()
        wire.plug()
        bridge.wait_for(r'"event":"connected"', 120, begin)
        self.chain.wait_online("bench")
        self.assert_runs_on("counter")

        self.assertEqual(bridge.stop(signal.SIGINT), 0)
        events = [json.loads(line) for line in bridge.text.splitlines() if line.startswith("{")]
        self.assertEqual(events[0]["event"], "attached")
        self.assertGreater(events[-1]["bytes_up"], 0)

    def test_a_tty_that_is_not_there_is_said(self):
        done = self.chain.run("usb", "bridge", "--tty", self.chain.home / "nothing")
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertIn("nothing", done.stdout)

    def test_what_is_no_tty_is_said(self):
        file = self.chain.home / "file"
        file.write_text("")
        self.assertEqual(self.chain.run("usb", "bridge", "--tty", file).returncode, 1)


class OverUsb(BridgeTest):
    def test_a_device_behind_an_st_link_is_deployed_to_unplugged_and_found_again(self):
        line = self.chain.home / "uart.sock"
        mock = Process(["umockdev-wrapper", USB_MOCK, "--serial-port", f"serial=0035AA,socket={line}", "--serial-port",
                        "serial=0099BB", "--", MVCTL, "usb", "bridge", "--serial", "0035"], env=self.chain.env,
                       stdin=subprocess.PIPE)
        self.addCleanup(mock.stop)
        mock.wait_for("0035AA attached")
        self.power_on(line)
        mock.wait_for("0035AA is connected to")
        self.chain.wait_online("bench")
        self.chain.deploy(self.chain.project("counter"), "bench")
        self.assert_runs_on("counter")

        begin = len(mock.text)
        mock.process.stdin.write("unplug 0035AA\n")
        mock.process.stdin.flush()
        mock.wait_for("0035AA it was unplugged; waiting until it is back", 30, begin)
        self.wait_offline()
        mock.process.stdin.write("plug 0035AA\n")
        mock.process.stdin.flush()
        mock.wait_for("0035AA is connected to", 120, begin)
        self.chain.wait_online("bench")
        mock.process.stdin.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
