"""Files as source systems deliver them: the same bytes for the same rows, and a modification time that says when they arrived."""

import csv
import datetime as dt
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import xlsxwriter

from vesper.clock import instant

ZONE = "America/New_York"
ARRIVAL = dt.time(2)
COMPOSED = """编造数据：本文件夹中的人员、电话、邮箱、地区和授权均由程序生成，不对应任何真实的人。
Composed: every person, phone, address, region and consent in this folder is generated; none is real.
"""
_CREATED = dt.datetime(2018, 1, 1)
_CELLS = {
    "default_date_format": "yyyy-mm-dd hh:mm:ss",
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "strings_to_formulas": False,
}

Row = Mapping[str, Any]


def arrival(on: dt.date) -> int:
    """When the file of a day arrives, in whole seconds since 1970: the next day at 02:00 of the company's zone."""
    received_at = instant(on + dt.timedelta(days=1), ARRIVAL, ZONE)
    return int(received_at.replace(tzinfo=dt.UTC).timestamp())


def stamp(path: Path, on: dt.date, arrives: Callable[[dt.date], int] = arrival) -> None:
    """Set a file's modification time to the arrival of its day."""
    os.utime(path, (arrives(on), arrives(on)))


class Landing:
    """The landing folder of one workspace: one method per file format. `arrives` says when the file of a day comes."""

    def __init__(self, folder: Path, arrives: Callable[[dt.date], int] = arrival) -> None:
        self._folder = folder
        self._arrives = arrives

    def parquet(self, source: str, on: dt.date, table: pa.Table) -> None:
        with self._place(source, on, "parquet").open("wb") as out:
            pq.write_table(table.replace_schema_metadata(None), out, compression="zstd")
        stamp(self._place(source, on, "parquet"), on, self._arrives)

    def arrow_csv(self, source: str, on: dt.date, table: pa.Table) -> None:
        out = io.BytesIO()
        arrow_csv.write_csv(table, out, arrow_csv.WriteOptions(quoting_header="none", quoting_style="needed"))
        self._bytes(source, on, "csv", out.getvalue())

    def csv(self, source: str, on: dt.date, columns: Sequence[str], rows: Sequence[Row], encoding: str) -> None:
        """Comma-separated text with the line ends of a Windows export."""
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, columns, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
        self._bytes(source, on, "csv", out.getvalue().encode(encoding))

    def jsonl(self, source: str, on: dt.date, rows: Sequence[Row]) -> None:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        self._bytes(source, on, "jsonl", "".join(lines).encode())

    def xlsx(
        self, source: str, on: dt.date, columns: Sequence[str], rows: Sequence[Row], sheet_name: str = "来电"
    ) -> None:
        """A real workbook: times are date cells, a number stays the number that Excel made of it."""
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True, **_CELLS}) as book:
            book.set_properties({"created": _CREATED, "comments": COMPOSED})
            sheet = book.add_worksheet(sheet_name)
            for number, cells in enumerate([dict(zip(columns, columns, strict=True)), *rows]):
                sheet.write_row(number, 0, [cells[name] for name in columns])
        self._bytes(source, on, "xlsx", out.getvalue())

    def label(self, source: str, on: dt.date) -> None:
        """The note beside composed files that says so."""
        path = self._folder / source / "COMPOSED.txt"
        path.write_text(COMPOSED, encoding="utf-8")
        stamp(path, on, self._arrives)

    def _bytes(self, source: str, on: dt.date, ending: str, data: bytes) -> None:
        path = self._place(source, on, ending)
        path.write_bytes(data)
        stamp(path, on, self._arrives)

    def _place(self, source: str, on: dt.date, ending: str) -> Path:
        folder = self._folder / source
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{on.isoformat()}.{ending}"


def zoned(at: dt.datetime, zone: str) -> str:
    """A company wall-clock time as ISO 8601 in another zone, as an app's server writes it."""
    return at.replace(tzinfo=ZoneInfo(ZONE)).astimezone(ZoneInfo(zone)).isoformat()
