"""What has landed: the files of one source, by the day they are of. Finds and fingerprints; never opens them as data."""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from connectors.sources._unreadable import SourceUnreadable, _

_DAY = r"(?P<on>\d{4}-\d{2}-\d{2})"


@dataclass(frozen=True)
class Landed:
    """One landed file. `on` is the day it is of, `received_at` (UTC, naive) when it arrived: its modification time. `size` in bytes."""

    path: Path
    on: dt.date
    received_at: dt.datetime
    size: int
    sha256: str


def landed(folder: Path, source_path_pattern: str) -> list[Landed]:
    """The files under `folder` that the pattern names, oldest day first.

    Args:
        source_path_pattern: a path below `folder` with `{on}` where the day stands, such as `crm_member/{on}.csv`. Other files are ignored.

    Raises:
        SourceUnreadable: a file name whose day does not exist in the calendar, a link that leads out of the folder, a file still being written.
    """
    pattern = Path(source_path_pattern)
    if "{on}" not in pattern.name:
        raise ValueError(
            f"{source_path_pattern!r} has no {{on}} in its file name; write for example crm_member/{{on}}.csv"
        )
    if pattern.is_absolute() or ".." in pattern.parts:
        raise ValueError(f"{source_path_pattern!r} leads out of the landing folder; write a path below it")
    shape = re.compile(_DAY.join(re.escape(piece) for piece in pattern.name.split("{on}")), re.ASCII)
    place = folder / pattern.parent
    matches = ((path, shape.fullmatch(path.name)) for path in place.glob("*"))
    found = [(path, match["on"]) for path, match in matches if match and path.is_file()]
    return sorted((_landed(path, day, folder) for path, day in found), key=lambda one: one.on)


def unchanged(one: Landed) -> bool:
    """Whether a file is still the one that was fingerprinted: nobody wrote into it while it was read."""
    now = one.path.stat()
    return (now.st_size, _modified(now.st_mtime)) == (one.size, one.received_at)


def _landed(path: Path, day: str, folder: Path) -> Landed:
    try:
        on = dt.date.fromisoformat(day)
    except ValueError as error:
        wrong = _("its name carries the day {day}, which does not exist")
        raise SourceUnreadable(path, wrong, _("name it by its day"), day=day) from error
    if not path.resolve().is_relative_to(folder.resolve()):
        wrong = _("it is a link that leads out of the landing folder")
        raise SourceUnreadable(path, wrong, _("deliver the file itself"))
    state = path.stat()
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    one = Landed(path, on, _modified(state.st_mtime), state.st_size, sha256)
    if not unchanged(one):
        raise still_written(path)
    return one


def still_written(path: Path) -> SourceUnreadable:
    """The error of a file that changes under the reader."""
    wrong = _("it is still being written")
    return SourceUnreadable(path, wrong, _("deliver it under another name and rename it when it is whole"))


def _modified(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)
