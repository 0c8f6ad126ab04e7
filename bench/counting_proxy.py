"""A TCP proxy that delays, slows down and counts: bytes each way, and turns (a request one way, then an answer the other)."""
import asyncio
import threading


class CountingProxy:
    """Listens on a port of its own, for a port or a Unix socket's path; `delay` is seconds each way, `rate` bytes
    a second each way (none: as fast as it goes).

    "up" is what the client sends, the one that connected. `asks` says whose bytes are requests: "client" or "server".
    """

    def __init__(self, target, delay, asks="server", rate=None):
        self.delay = delay
        self._rate = rate
        self._client_asks = asks == "client"
        self._target = target
        self.reset()
        self._loop = asyncio.new_event_loop()
        self._server = None
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()

    def reset(self):
        self.up = self.down = self.turns = 0
        self._waiting = False  # something was asked and nothing has come back since

    def close(self):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _end(self):
        self._server.close()
        open_ones = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in open_ones:
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()

    async def _accept(self, client_in, client_out):
        if isinstance(self._target, str):
            server_in, server_out = await asyncio.open_unix_connection(self._target)
        else:
            server_in, server_out = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(self._pump(client_in, server_out, self._count_up),
                             self._pump(server_in, client_out, self._count_down), return_exceptions=True)

    async def _pump(self, source, sink, count):
        # A slow link takes a little at a time, so that what it has not taken yet waits at the sender.
        while data := await source.read(256 if self._rate else 65536):
            count(len(data))
            if self._rate:
                await asyncio.sleep(len(data) / self._rate)
            self._loop.call_later(self.delay, sink.write, data)
        self._loop.call_later(self.delay, sink.close)

    def _count_up(self, length):
        self.up += length
        self._count(self._client_asks)

    def _count_down(self, length):
        self.down += length
        self._count(not self._client_asks)

    def _count(self, is_request):
        if is_request:
            self._waiting = True
        elif self._waiting:
            self.turns += 1
            self._waiting = False
