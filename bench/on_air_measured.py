"""What an update really puts on the link: cloud, modem and emulated device, with a proxy between that counts every byte.

All of TLS and framing is in it, and whatever else the device says meanwhile but the log, which is switched off; not TCP and IP.
"""
import threading

from counting_proxy import CountingProxy
from harness import Chain

QUIET_S = 2  # nothing for so long: the last report and its acknowledgement are through


class Device:
    """Runs the image `old`, an example's, between updates."""

    def __init__(self, old):
        self._old = old

    def __enter__(self):
        self._chain = Chain()
        try:
            self._chain.start()
            self._proxy = CountingProxy(self._chain.port, 0)
            self._chain.start_device("bench", "--dial", f"127.0.0.1:{self._proxy.port}")
            self._chain.mvctl("devices", "update", "bench", "--logging", "off")
        except BaseException:
            self._chain.close()
            raise
        return self

    def __exit__(self, *error):
        self._proxy.close()
        self._chain.close()

    def update_bytes(self, new):
        """Both ways, from the order to the report that the new image runs."""
        self._deploy(self._old)
        self._proxy.reset()
        self._deploy(new)
        return self._proxy.up + self._proxy.down

    def _deploy(self, image):
        elf = next((image.parent / "build").rglob(f"{image.stem}.elf"))
        bundle = image.with_suffix(".zip")
        self._chain.mvctl("bundle", "create", elf, "-o", bundle, "--key", "dev", "--name", "application", "--version", "1.4.3")
        self._chain.deploy(bundle, "bench")
        self._wait_until_quiet()

    def _wait_until_quiet(self):
        before = None
        while before != (before := (self._proxy.up, self._proxy.down)):
            threading.Event().wait(QUIET_S)
