"""What has landed: the files of one source, by the day they are of. Finds and fingerprints; never opens them as data."""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from connectors.sources._unreadable import SourceUnreadable

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
        SourceUnreadable: a file name whose day does not exist in the calendar.
    """
    pattern = Path(source_path_pattern)
    if "{on}" not in pattern.name:
        raise ValueError(
            f"{source_path_pattern!r} has no {{on}} in its file name; write for example crm_member/{{on}}.csv"
        )
    shape = re.compile(_DAY.join(re.escape(piece) for piece in pattern.name.split("{on}")))
    place = folder / pattern.parent
    matches = ((path, shape.fullmatch(path.name)) for path in place.glob("*") if path.is_file())
    return sorted((_landed(path, match["on"]) for path, match in matches if match), key=lambda one: one.on)


def _landed(path: Path, day: str) -> Landed:
    try:
        on = dt.date.fromisoformat(day)
    except ValueError as error:
        raise SourceUnreadable(
            path, f"its name carries the day {day}, which does not exist", "name it by its day"
        ) from error
    data = path.read_bytes()
    received_at = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).replace(tzinfo=None)
    return Landed(path, on, received_at, len(data), hashlib.sha256(data).hexdigest())
