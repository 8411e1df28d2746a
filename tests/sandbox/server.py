"""Loopback listeners, one per CRM, on one event loop: requests of a CRM are handled one after the other."""

import asyncio
import socket
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from typing import Self

from tests.sandbox import vendors
from tests.sandbox.exchange import Answer, Delivery, NotHttpError, Request, read_request
from tests.sandbox.fake import Fake

HOST = "127.0.0.1"
HEADER_LIMIT = 256 * 1024


class Door:
    """A CRM's listening socket, which a fault can close and reopen on the same port."""

    def __init__(self, fake: Fake, port: int) -> None:
        self.fake = fake
        self.held = self._bound(port)
        self.port: int = self.held.getsockname()[1]
        self.server: asyncio.Server | None = None
        self.talks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self.server = await asyncio.start_server(self.converse, sock=self.held, limit=HEADER_LIMIT, backlog=512)

    async def close(self) -> None:
        if self.server is None:
            return
        self.server.close()
        self.server.abort_clients()
        self.server = None

    async def close_for(self, seconds: float) -> None:
        """Nothing listens for a while. The port stays bound, so that nobody else gets it and connecting is refused."""
        await self.close()
        self.held = self._bound(self.port)
        await asyncio.sleep(seconds)
        await self.open()

    async def stop(self) -> None:
        here = asyncio.current_task()
        await self.close()
        talks = [talk for talk in self.talks if talk is not here]
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        self.held.close()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        self._track(asyncio.current_task())
        try:
            while request := await read_request(reader, writer):
                delivery = self.receive(request)
                await asyncio.sleep(delivery.wait)
                if delivery.answer is None:
                    break
                keep_alive = request.headers.get("connection", "").lower() != "close"
                writer.write(delivery.answer.wire(keep_alive=keep_alive))
                await writer.drain()
                if delivery.closes_door_for is not None:
                    self._track(asyncio.create_task(self.close_for(delivery.closes_door_for)))
                if not keep_alive:
                    break
        except NotHttpError as malformed:
            writer.write(Answer(400, {"error": str(malformed)}).wire(keep_alive=False))
        except ConnectionError:
            pass  # the caller left first
        finally:
            writer.close()

    def receive(self, request: Request) -> Delivery:
        try:
            return self.fake.receive(request)
        except Exception:
            # A fault of the sandbox itself must not look like one of the vendor's refusals.
            report = traceback.format_exc()
            print(report, file=sys.stderr, flush=True)
            return Delivery(Answer(500, {"sandbox_bug": report}))

    def _track(self, task: "asyncio.Task[None] | None") -> None:
        if task is not None:
            self.talks.add(task)
            task.add_done_callback(self.talks.discard)

    @staticmethod
    def _bound(port: int) -> socket.socket:
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((HOST, port))
        return held


class Sandbox:
    """`with Sandbox(("hubspot",)) as sandbox:` serves fakes until the block ends; `sandbox["hubspot"]` is the fake."""

    def __init__(self, names: Iterable[str] | None = None, ports: Mapping[str, int] | None = None) -> None:
        self.fakes = {name: vendors.load(name) for name in sorted(names or vendors.names())}
        self.doors = {name: Door(fake, (ports or {}).get(name, 0)) for name, fake in self.fakes.items()}
        self.urls = {name: f"http://{HOST}:{door.port}" for name, door in self.doors.items()}
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="sandbox", daemon=True)

    def __getitem__(self, name: str) -> Fake:
        return self.fakes[name]

    def __enter__(self) -> Self:
        self.thread.start()
        for door in self.doors.values():
            asyncio.run_coroutine_threadsafe(door.open(), self.loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        for door in self.doors.values():
            asyncio.run_coroutine_threadsafe(door.stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
