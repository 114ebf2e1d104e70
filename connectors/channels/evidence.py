"""Evidence of what a mail server took, found beside its replies: the folder of a sink, a Maildir, the server's log.

What belongs here: reading such places. What does not: what follows from it (`warehouse/ledger/reconcile.py`).

A place answers two questions: which messages it shows as taken, and from when on it would show every one. Only the second makes silence mean
something. Ids are our own message ids; nothing else of a mail or a log line is kept.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vesper.model.content_short import BROADCASTS
from vesper.model.workspace import Workspace

HEADER_BYTES = 65_536
_ID = r"([A-Za-z0-9]{26})"
_MESSAGE_ID = re.compile(rb"^message-id:\s*<([A-Za-z0-9]{26})@", re.IGNORECASE | re.MULTILINE)
_KEPT = re.compile(rf"{_ID}(?:\.\d+)?\.(?:eml|post)")


class Evidence(Protocol):
    """A place that shows what was taken."""

    @property
    def where(self) -> str:
        """A name of the place, for people."""

    def shown(self) -> Mapping[str, dt.datetime]:
        """Message id -> when the server took it (UTC)."""

    def covers(self, since: dt.datetime) -> bool:
        """Whether everything that the server took from an instant on (UTC) is in it."""


@dataclass(frozen=True, repr=False)
class Asked:
    """One message of unknown fate that a provider is asked about. `address` is personal: it lives in memory only."""

    message_id: str
    address: str
    called_at: dt.datetime


def evidence_of(workspace: Workspace, channel: str = "email", asked: Sequence[Asked] = ()) -> Evidence:
    """Where the messages of a channel leave traces: `[mail] log`, the folder of the loopback sink, or what a provider says when it is asked."""
    if channel == "sms":
        from connectors.channels.sms_evidence import sms_evidence

        return sms_evidence(workspace, asked)
    mail = workspace.mail
    if channel == "webhook":
        return SinkFolder(workspace.store / "sink") if workspace.webhook.url == "loopback" else Nothing()
    if channel in BROADCASTS:
        return NothingSent()
    if channel != "email":
        is_inside = workspace.push.url == "loopback" if channel == "push" else not workspace.wechat.app_id
        return SinkFolder(workspace.store / "sink") if is_inside else Nothing()
    if mail.log:
        path = workspace.root / mail.log
        if (path / "new").is_dir() or (path / "cur").is_dir():
            return Maildir(path)
        return SinkFolder(path) if path.is_dir() else ServerLog(path)
    if mail.server == "loopback":
        return SinkFolder(workspace.store / "sink")
    return Nothing()


@dataclass(frozen=True)
class Nothing:
    """No place at all: it shows nothing and covers nothing."""

    @property
    def where(self) -> str:
        """See Evidence."""
        return "nowhere"

    def shown(self) -> Mapping[str, dt.datetime]:
        """See Evidence."""
        return {}

    def covers(self, since: dt.datetime) -> bool:
        """See Evidence."""
        return False


@dataclass(frozen=True)
class NothingSent(Nothing):
    """A channel that calls nobody message by message: what a worker that died had in its hands went nowhere."""

    def covers(self, since: dt.datetime) -> bool:
        """See Evidence."""
        return True


@dataclass(frozen=True)
class SinkFolder:
    """A folder of mails and posts named by their message id. Each file is complete before the sink says 250, so the folder is the whole truth."""

    folder: Path

    @property
    def where(self) -> str:
        """See Evidence."""
        return str(self.folder)

    def shown(self) -> Mapping[str, dt.datetime]:
        """See Evidence."""
        found = ((_KEPT.fullmatch(file.name), file) for file in self.folder.glob("*"))
        return {match[1]: _changed_at(file) for match, file in found if match}

    def covers(self, since: dt.datetime) -> bool:
        """See Evidence."""
        return self.folder.is_dir()


@dataclass(frozen=True)
class Maildir:
    """A Maildir that gets a copy of everything (`always_bcc`). It covers what came after its oldest mail."""

    folder: Path

    @property
    def where(self) -> str:
        """See Evidence."""
        return str(self.folder)

    def shown(self) -> Mapping[str, dt.datetime]:
        """See Evidence."""
        taken = {}
        for file in self._files():
            with file.open("rb") as mail:
                found = _MESSAGE_ID.search(mail.read(HEADER_BYTES).partition(b"\n\n")[0].partition(b"\r\n\r\n")[0])
            if found:
                taken[found[1].decode()] = _changed_at(file)
        return taken

    def covers(self, since: dt.datetime) -> bool:
        """See Evidence."""
        return any(_changed_at(file) <= since for file in self._files())

    def _files(self) -> Iterator[Path]:
        for part in ("new", "cur"):
            yield from (self.folder / part).glob("*")


@dataclass
class ServerLog:
    """The log of postfix or OpenSMTPD, with the file before it (`.1`). It covers what came after its first line.

    postfix names the Message-ID while it still reads the mail, and the queue's manager when it has it: only both are a yes. OpenSMTPD logs
    envelopes when it has taken their mail; it names no Message-ID, so it tells only with `[mail] bounce = "verp"`.
    """

    file: Path
    _first: dt.datetime | None = field(default=None, init=False)

    @property
    def where(self) -> str:
        """See Evidence."""
        return str(self.file)

    def shown(self) -> Mapping[str, dt.datetime]:
        """See Evidence."""
        named: dict[str, str] = {}
        taken: dict[str, dt.datetime] = {}
        for at, line in self._lines():
            if found := _CLEANUP.search(line):
                named[found[1]] = found[2]
            elif (found := _QUEUED.search(line)) and found[1] in named:
                taken.setdefault(named[found[1]], at)
            elif found := _ENVELOPE.search(line):
                taken.setdefault(found[1], at)
        return taken

    def covers(self, since: dt.datetime) -> bool:
        """See Evidence."""
        first = next((at for at, _ in self._lines()), None)
        return first is not None and first <= since

    def _lines(self) -> Iterator[tuple[dt.datetime, str]]:
        for path in (self.file.with_name(f"{self.file.name}.1"), self.file):
            if not path.is_file():
                continue
            written = _changed_at(path)
            with path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    at = _stamp(line, written)
                    if at is not None:
                        yield at, line


_CLEANUP = re.compile(rf"/cleanup\[\d+\]: (\w+): message-id=<{_ID}@")
_QUEUED = re.compile(r"/qmgr\[\d+\]: (\w+): from=<[^>]*>, size=\d+, nrcpt=\d+ \(queue active\)")
_ENVELOPE = re.compile(rf"smtpd\[\d+\]: [0-9a-f]+ smtp envelope evpid=[0-9a-f]+ from=<[^@>]*\+{_ID}@")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) ")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _stamp(line: str, written: dt.datetime) -> dt.datetime | None:
    """The instant (UTC) of a log line. The old form has no year and no zone: this machine's, and the year in which the file was written last."""
    if found := _ISO.match(line):
        return dt.datetime.fromisoformat(found[0]).astimezone(dt.UTC).replace(tzinfo=None)
    found = _SYSLOG.match(line)
    if found is None or found[1] not in _MONTHS:
        return None
    month = _MONTHS.index(found[1]) + 1
    day, hour, minute, second = (int(found[n]) for n in range(2, 6))
    for year in (written.year, written.year - 1):
        try:
            local = dt.datetime(year, month, day, hour, minute, second)
        except ValueError:
            continue
        at = local.astimezone(dt.UTC).replace(tzinfo=None)
        if at <= written + dt.timedelta(days=1):
            return at
    return None


def _changed_at(file: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC).replace(tzinfo=None)
