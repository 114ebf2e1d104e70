"""Ten ways of breaking one input of the last day, for tests and for `vesper demo break`. Each says in one sentence what was done.

To mend it, delete `.vesper/composed.json` and compose again: the bytes are the same as before.
"""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from examples.grocer.shop import LAST
from examples.grocer.write import stamp

_ORDER = f"shop_order/{LAST}.parquet"
_YESTERDAY = f"shop_order/{LAST.replace(day=LAST.day - 1)}.parquet"
_MEMBER = f"crm_member/{LAST}.csv"
_CALLS = f"hotline_lead/{LAST}.xlsx"
_REDEMPTION = f"shop_redemption/{LAST}.csv"
_EVERY = 20
_DAY = pa.scalar(86_400_000_000, pa.duration("us"))


def break_input(root: Path, way: str) -> str:
    """Break one landed file of the workspace's last day; the file keeps its arrival time.

    Returns:
        One sentence: the file, and what is wrong with it now.

    Raises:
        ValueError: the way is not one of WAYS.
        FileNotFoundError: the workspace has not been composed.
    """
    if way not in _DEEDS:
        raise ValueError(f"{way!r} is no way of breaking an input; choose one of {', '.join(WAYS)}")
    name, deed = _DEEDS[way]
    path = root / ".vesper" / "landing" / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there; compose the grocer first: python -m examples.grocer.compose {root}"
        )
    done = deed(path)
    stamp(path, LAST)
    return f"{name}: {done}."


def _column_missing(path: Path) -> str:
    lines = _cells(path)
    lines[0][lines[0].index("手机")] = "联系电话"
    _save(path, lines)
    return "column 手机 is now called 联系电话, so 手机 is missing"


def _column_added(path: Path) -> str:
    lines = _cells(path)
    _save(path, [[*lines[0], "微信号"], *([*cells, f"wx{number}"] for number, cells in enumerate(lines[1:], start=1))])
    return "a column 微信号 was added that no contract knows"


def _wrong_encoding(path: Path) -> str:
    lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    half = len(lines) // 2
    path.write_bytes("".join(lines[:half]).encode("utf-8-sig") + "".join(lines[half:]).encode("gb18030"))
    return f"from line {half + 1} on it is GB18030 although it begins as UTF-8"


def _truncated(path: Path) -> str:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    return f"the workbook ends after {len(data) * 6 // 10} of its {len(data)} bytes"


def _emptied(path: Path) -> str:
    path.write_bytes(b"")
    return "the file has 0 bytes"


def _yesterday_again(path: Path) -> str:
    path.write_bytes((path.parent.parent / _YESTERDAY).read_bytes())
    return f"it is {_YESTERDAY} once more"


def _volume_tenth(path: Path) -> str:
    orders = pq.read_table(path)
    pq.write_table(orders.slice(0, orders.num_rows // 10), path)
    return f"only {orders.num_rows // 10} of {orders.num_rows} order lines are left"


def _unknown_category(path: Path) -> str:
    lines = _cells(path)
    place = lines[0].index("授权文本")
    chosen = lines[1:4]
    for cells in chosen:
        cells[place] = "2019-Z"
    _save(path, lines)
    return f"授权文本 says 2019-Z in {len(chosen)} rows, a consent text that does not exist"


def _invalid_keys(path: Path) -> str:
    orders = pq.read_table(path)
    spoiled = pa.array([row % _EVERY == 0 for row in range(orders.num_rows)])
    baskets = pc.if_else(spoiled, pa.scalar(None, pa.int64()), orders["basket_id"])
    _put(path, orders, "basket_id", baskets)
    return f"{baskets.null_count} of {orders.num_rows} order lines have no basket_id"


def _clock_one_day_off(path: Path) -> str:
    orders = pq.read_table(path)
    _put(path, orders, "transaction_timestamp", pc.add(orders["transaction_timestamp"], _DAY))
    return f"all {orders.num_rows} order times are one day ahead of the file's day"


def _put(path: Path, orders: pa.Table, name: str, values: pa.ChunkedArray) -> None:
    place = orders.schema.get_field_index(name)
    pq.write_table(orders.set_column(place, orders.schema.field(place), values), path)


def _cells(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def _save(path: Path, lines: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    path.write_bytes(out.getvalue().encode("utf-8-sig"))


_DEEDS: dict[str, tuple[str, Callable[[Path], str]]] = {
    "column_missing": (_MEMBER, _column_missing),
    "column_added": (_MEMBER, _column_added),
    "wrong_encoding": (_MEMBER, _wrong_encoding),
    "truncated_xlsx": (_CALLS, _truncated),
    "empty_file": (_REDEMPTION, _emptied),
    "yesterday_again": (_ORDER, _yesterday_again),
    "volume_tenth": (_ORDER, _volume_tenth),
    "unknown_category": (_MEMBER, _unknown_category),
    "invalid_keys": (_ORDER, _invalid_keys),
    "clock_one_day_off": (_ORDER, _clock_one_day_off),
}
WAYS = tuple(_DEEDS)
