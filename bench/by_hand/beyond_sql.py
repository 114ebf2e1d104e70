"""What the scripts by hand need that SQL for DuckDB cannot do: two file formats, values that a library reads, connected components.

What belongs here: small Python with the libraries that Vesper uses, its readers of single values (`vesper/cleaning`) among them, as one would take
them off a shelf. What does not: anything that knows tables, definitions or nights; that is SQL in the scripts.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import disposable_email_domains  # noqa: F401  (cleaning loads these when it first needs them; here they belong to the imports)
import email_validator  # noqa: F401
import numpy as np
import opencc  # noqa: F401
import phonenumbers  # noqa: F401
import pyarrow as pa
import pyarrow.compute as pc
from python_calamine import CalamineWorkbook
from scipy.sparse import coo_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from vesper.cleaning import email, mail_domain, name, phone, region

Reader = Callable[[str], Iterable[Any]]

READERS: dict[str, Reader] = {
    "phone": phone.read,
    "email": lambda written: [email.read(written)],
    "domain": lambda written: [mail_domain.verdict(written)],
    "name": lambda written: [name.read(written)],
    "region": region.resolve,
    "prefix": lambda written: region.by_phone([written])[0],
}
"""Kind of value -> what is read in one."""
COLUMNS = {
    "phone": ("number", "other", "status"),
    "email": ("address",),
    "domain": ("verdict",),
    "name": ("key",),
    "region": ("province", "city", "status"),
    "prefix": ("province", "city"),
}
WORDS = {"nobody": email.NOBODY, "filled_in": email.FILLED_IN, "no_qq": email.NO_QQ, "role": email.ROLE}
"""Local parts of mail addresses that are not one person's, as patterns for the scripts."""


def columns_of(values: Sequence[str], read: Reader, columns: Sequence[str]) -> pa.Table:
    """Values as written, with what is read in each."""
    rows = [(value, *read(value)) for value in values]
    names = ("written", *columns)
    return pa.table({name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names)})


def components(records: pa.Table, links: pa.Table) -> pa.Table:
    """(record, label): every record, in order, with the smallest record that links lead to."""
    ids = records.column(0).combine_chunks()
    a, b = (pc.index_in(links.column(side), ids).to_numpy() for side in (0, 1))
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(len(ids), len(ids)))
    group = connected_components(graph, directed=False)[1]
    first = np.unique(group, return_index=True)[1]
    return pa.table({"record": ids, "label": ids.take(pa.array(first[group]))})


def crm(folder: Path) -> pa.Table:
    """The members of all files as text; the history is GB18030, the days are UTF-8."""
    rows = []
    for path in sorted(folder.glob("*.csv")):
        data = path.read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("gb18030")
        found = csv.DictReader(io.StringIO(text, newline=""))
        rows += [
            {k: v or None for k, v in row.items()} | {"file": path.name, "source_row": i}
            for i, row in enumerate(found, 2)
        ]
    return pa.Table.from_pylist(rows)


def hotline(folder: Path) -> pa.Table:
    """The calls of all workbooks as text."""
    rows = []
    for path in sorted(folder.glob("*.xlsx")):
        header, *found = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
        for i, row in enumerate(found, 2):
            cells = {str(name): text(cell) for name, cell in zip(header, row, strict=True)}
            rows.append(cells | {"file": path.name, "source_row": i})
    return pa.Table.from_pylist(rows)


def text(cell: object) -> str | None:
    """A cell of a workbook as people wrote it: a phone number is no float."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell) or None
