"""A network between two programs that can be cut, slowed and broken.

    with Proxy(redis.port) as proxy:        # clients connect to proxy.port
        proxy.hold(); ...; proxy.go_on()
"""

import asyncio
import socket
import struct
import threading

from servers import free_port

CHUNK = 65536


class Proxy:
    """Passes bytes on to 127.0.0.1:target_port from 127.0.0.1:port, in a thread of its own."""

    def __init__(self, target_port, port=None):
        self.target_port = target_port
        self.port = port or free_port()
        self.delay_s = 0.0
        self.lose = 0
        self.links = set()
        self.loop = asyncio.new_event_loop()
        self.gate = None
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        if not ready.wait(10) or self.server is None:
            raise RuntimeError(f"the proxy cannot listen at port {self.port}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- what a test does to the network ----------------------------------------------------

    def hold(self):
        """Cut: nothing passes and nobody is told; what was sent arrives when it goes on."""
        self._call(self.gate.clear)

    def go_on(self):
        self.delay_s = 0.0
        self.lose = 0
        self._call(self.gate.set)

    def delay(self, seconds):
        """Each piece of data takes so much longer, each way."""
        self.delay_s = seconds

    def reset(self):
        """Every connection that is there ends with a reset, wherever it was."""
        self._call(lambda: [link.abort() for link in list(self.links)])

    def lose_replies(self, count):
        """Of the next `count` answers none arrives: their request does, then a reset follows."""
        self.lose = count

    def close(self):
        if self.loop.is_closed():
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    # --- the inside -------------------------------------------------------------------------

    def _call(self, function):
        """Runs it in the proxy's thread and waits until it is done."""
        async def run():
            function()
        asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.server = None
        self.gate = asyncio.Event()
        self.gate.set()
        try:
            self.server = self.loop.run_until_complete(
                asyncio.start_server(self._link, "127.0.0.1", self.port))
        finally:
            ready.set()
        self.loop.run_forever()
        for link in list(self.links):
            link.abort()
        self.server.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    async def _link(self, reader, writer):
        link = _Link(writer)
        self.links.add(link)
        try:
            await self.gate.wait()
            far_reader, link.far = await asyncio.open_connection("127.0.0.1", self.target_port)
            await asyncio.gather(self._pump(reader, link.far, link, False),
                                 self._pump(far_reader, writer, link, True))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            link.abort()
            self.links.discard(link)

    async def _pump(self, reader, writer, link, answers):
        while data := await reader.read(CHUNK):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await self.gate.wait()
            if answers and self.lose > 0:
                self.lose -= 1
                break
            writer.write(data)
            await writer.drain()
        link.abort()


class _Link:
    def __init__(self, near):
        self.near = near
        self.far = None

    def abort(self):
        """A reset, to both sides."""
        for writer in (self.near, self.far):
            if writer is None:
                continue
            sock = writer.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
