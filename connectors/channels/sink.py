"""A mail server on this machine that keeps each mail as a file and delivers nothing: where rehearsals send to.

What belongs here: the server and its folder. What does not: any rule of sending. A file is complete and on the disk before the server says
250, so the folder is the truth about what was accepted; a second mail with the same id gets a number of its own and stays visible.

`python -m connectors.channels.sink FOLDER [PORT] [SECONDS]` runs it alone and prints its port; SECONDS is the pause before each 250.
"""

import asyncio
import hashlib
import os
import re
import sys
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP

HOST = "127.0.0.1"
LARGEST = 32 * 2**20
START_SECONDS = 30
_MESSAGE_ID = re.compile(rb"^message-id:\s*<([A-Za-z0-9._-]{1,100})@", re.IGNORECASE | re.MULTILINE)


class Sink:
    """The server in a thread of this process: `with Sink(folder) as sink: ... sink.port`."""

    def __init__(self, folder: Path, port: int = 0, pause: float = 0.0) -> None:
        self.folder, self.port, self.pause = folder, port, pause
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mail-sink", daemon=True)
        self._started: Future[int] = Future()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self.port = self._started.result(START_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            server = self._loop.run_until_complete(self._serve())
        except BaseException as error:  # whatever it is, the one who waits for the port must hear of it
            self._started.set_exception(error)
            return
        self._started.set_result(server.sockets[0].getsockname()[1])
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _serve(self) -> asyncio.Server:
        def dialogue() -> Any:
            return SMTP(
                _Keeper(self.folder, self.pause), hostname="vesper-sink", data_size_limit=LARGEST, loop=self._loop
            )

        return await self._loop.create_server(dialogue, HOST, self.port)


class _Keeper:
    """What aiosmtpd calls: keeps a mail, then says 250."""

    def __init__(self, folder: Path, pause: float) -> None:
        self.folder, self.pause = folder, pause

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        keep(self.folder, bytes(envelope.content))
        if self.pause:
            await asyncio.sleep(self.pause)
        return "250 kept"


def keep(folder: Path, mail: bytes) -> Path:
    """Write a mail as `<message id>.eml`, a later one of the same id as `<message id>.2.eml` and so on; on the disk when this returns."""
    found = _MESSAGE_ID.search(mail.partition(b"\r\n\r\n")[0])
    name = found[1].decode() if found else hashlib.sha256(mail).hexdigest()[:26]
    handle, draft = tempfile.mkstemp(prefix=".", suffix=".draft", dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(mail)
        file.flush()
        os.fsync(file.fileno())
    target = _linked(Path(draft), folder, name)
    Path(draft).unlink()
    _synced(folder)
    return target


def _linked(draft: Path, folder: Path, name: str) -> Path:
    """The draft under the first free name; linking refuses a taken one, so no mail ever hides another."""
    number = 1
    while True:
        target = folder / (f"{name}.eml" if number == 1 else f"{name}.{number}.eml")
        try:
            target.hardlink_to(draft)
        except FileExistsError:
            number += 1
        else:
            return target


def _synced(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def main(folder: str, port: str = "0", pause: str = "0") -> None:
    """Run until killed."""
    with Sink(Path(folder), int(port), float(pause)) as sink:
        print(sink.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
