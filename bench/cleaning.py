"""`python -m bench.cleaning [--json] [--rows N] [--sheet-rows N]`: what cleaning costs, by value, in CPU seconds of this process.

What belongs here: contact rows as people type them, made from a fixed seed, and the clock around the cleaning that a night runs. What does not:
whether the results are right (tests/cleaning). The rows are bound before the clock starts; looked-up values, joins and the judged rows are inside.
"""

import argparse
import datetime as dt
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
import xlsxwriter

from bench.memory import peak_mb
from connectors.sources import read
from tasks.clean import cleaned
from vesper.consolidate import contact_row, source_record
from vesper.model.source import Source
from vesper.tables.raw import raw_table
from warehouse.arrow_schema import arrow_schema
from warehouse.lake import Lake
from warehouse.ledger.engine import open_ledger
from warehouse.runner import Runner

SEED = 20250301
ROWS, SHEET_ROWS, PEOPLE_RATIO = 1_000_000, 50_000, 0.62
FIRST_DIGITS = (
    "130",
    "131",
    "135",
    "136",
    "137",
    "138",
    "139",
    "150",
    "151",
    "158",
    "159",
    "177",
    "180",
    "186",
    "188",
    "199",
)
MOBILE = "{0}{1}{2}"
PLAIN = (MOBILE,) * 12 + (
    "{0}-{1}-{2}",
    "{0} {1} {2}",
    "+86 {0}{1}{2}",
    "+86{0}{1}{2}",
    "0086{0}{1}{2}",
    "86-{0}-{1}-{2}",
    "(+86){0}{1}{2}",
)
WITH_MORE = (
    "{0}{1}{2}转801",
    "{0}{1}{2}/010-62345678",
    "手机:{0}{1}{2}",
    "{0}{1}{2}.0",
    "{0}.{1}.{2}",
    "+1 212 555 {1}",
    "4008{1}{0}",
)
ODD = (*WITH_MORE, "{0}****{2}", "1.38E+10", "13800138000", "无")
LANDLINES = ("010-6{1}{0}", "021 6{1} {0}1", "0755-8{1}{0}", "02{2}{1}")
DOMAINS = ("qq.com",) * 5 + (
    "163.com",
    "126.com",
    "gmail.com",
    "sina.com",
    "foxmail.com",
    "outlook.com",
    "gmail.con",
    "mailinator.com",
)
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许邓韩冯曹陳張劉"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂小文华建国晓东雪梅志鹏婷宇欣怡浩然曉東"
BRANDS = "华为中兴联想海尔格力美的比亚迪东方明珠西门子博世三一重工徐工中联金蝶用友浪潮紫光同方"
FORMS = ("有限公司", "股份有限公司", "科技有限公司", "（上海）有限公司", "集团", " Co., Ltd.", "")
FIELDS = ("name", "phone", "email", "company")


def phone(chance: random.Random) -> str:
    """A number as typed: 19 of 20 are mobile numbers in a usual spelling."""
    form = (
        chance.choice(PLAIN) if chance.random() < 0.95 else chance.choice(ODD if chance.random() < 0.6 else LANDLINES)
    )
    return form.format(chance.choice(FIRST_DIGITS), f"{chance.randrange(10_000):04}", f"{chance.randrange(10_000):04}")


def email(chance: random.Random) -> str:
    """An address as typed: one in forty needs more than a pattern."""
    local = f"{chance.choice(('wang', 'li', 'zhang', 'chen', 'info', 'a.b'))}{chance.randrange(10**6)}"
    domain = chance.choice(DOMAINS) if chance.random() < 0.6 else f"firma{chance.randrange(20_000)}.com.cn"
    return (
        chance.choice(("mailto:{}@{}", "{}＠{}", "{}@{}，", "{} {}")).format(local, domain)
        if chance.random() < 0.025
        else f"{local}@{domain}"
    )


def name(chance: random.Random) -> str:
    """A Chinese name; some in traditional characters, some with a title."""
    title = chance.choice((" 先生", "总", "女士", "（采购）")) if chance.random() < 0.03 else ""
    return chance.choice(SURNAMES) + "".join(chance.choice(GIVEN) for _ in range(chance.choice((1, 2, 2)))) + title


def company(chance: random.Random) -> str:
    """A company's name with its legal form."""
    start = chance.randrange(len(BRANDS) - 3)
    return BRANDS[start : start + chance.choice((2, 3))] + str(chance.randrange(3000)) + chance.choice(FORMS)


MADE: dict[str, Callable[[random.Random], str]] = {"name": name, "phone": phone, "email": email, "company": company}


def contact_rows(count: int) -> dict[str, pa.Array]:
    """Columns of so many rows; a person has 1.6 of them, and writes each value the same way twice."""
    chance = random.Random(SEED)
    people = int(count * PEOPLE_RATIO)
    columns = {field: pa.array([made(chance) for _ in range(people)]) for field, made in MADE.items()}
    rows = pa.array([chance.randrange(people) for _ in range(count)])
    return {field: values.take(rows) for field, values in columns.items()}


def source(fields: tuple[str, ...], id: str = "crm_member") -> Source:
    """A source of contacts with these fields."""
    return Source.model_validate(
        {
            "id": id, "says": "Measured.", "owner": "data@example.com", "system": "excel", "path": "{on}.xlsx", "feeds": "contact", "late": "warn",
            "cadence": {"every": "irregular"}, "rows": {"min": 0, "max": 10_000_000}, "key": ("member_id",),
            "fields": {field: {"column": field, "type": "text"} for field in ("member_id", *fields)},
        }
    )  # fmt: skip


def clean(runner: Runner, fields: tuple[str, ...], columns: dict[str, pa.Array]) -> float:
    """CPU seconds of cleaning the rows with these fields to core__source_record, kept as a table of the engine."""
    raw = raw_table(source(fields))
    count = len(next(iter(columns.values())))
    given: dict[str, Any] = {field: columns[field] for field in fields}
    given |= {
        "member_id": pc.cast(pa.array(range(count)), pa.string()),
        "source_row": pa.array(range(count), pa.int32()),
    }
    given |= {
        "file": pa.array(["a.xlsx"] * count),
        "received_at": pa.array([dt.datetime(2025, 3, 1)] * count, pa.timestamp("us")),
    }
    runner.bind_arrow(raw.name, pa.table(given, schema=arrow_schema(raw)), fingerprint=repr(fields))
    before = time.process_time()
    said = contact_row.said(raw, source(fields), "Asia/Shanghai")
    runner.materialize(cleaned(runner, contact_row.all_said([said])), "judged")
    return time.process_time() - before


def left_over(runner: Runner, kind: str, columns: dict[str, pa.Array]) -> float:
    """Share of distinct values that the library reads, of all distinct values; the rows of this kind were cleaned last."""
    said = sa.table(
        "said_tonight",
        *[
            sa.column(each)
            for each in ("phone_said", "phone_quick", "other_said", "other_quick", "email_said", "email_quick")
        ],
    )
    one_by_one = source_record.left_over(said, kind).subquery("one_by_one")
    count = int(runner.scalar(sa.select(sa.func.count()).select_from(one_by_one)))
    return count / int(pc.count_distinct(columns[kind]).as_py())


def sheet(folder: Path, count: int) -> float:
    """CPU seconds of reading a workbook of ten columns as text; writing it is not counted."""
    chance, path = random.Random(SEED), folder / "contacts.xlsx"
    fields = [*FIELDS, *(f"field_{number}" for number in range(10 - len(FIELDS)))]
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, fields)
        for row in range(1, count + 1):
            page.write_row(row, 0, [MADE[field](chance) if field in MADE else row for field in fields])
    before = time.process_time()
    table = read(path, source(FIELDS))
    spent = time.process_time() - before
    if table.num_rows != count:
        raise RuntimeError(f"{table.num_rows} of {count} rows of the workbook were read")
    return spent


def measured(folder: Path, rows: int, sheet_rows: int) -> dict[str, float]:
    """All figures."""
    engine = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    found: dict[str, float] = {"rows": rows, "sheet_rows": sheet_rows}
    columns = contact_rows(rows)
    with Runner(Lake(folder / "lake", engine)) as runner:
        clean(
            runner, FIELDS, {field: values.slice(0, 1000) for field, values in columns.items()}
        )  # what is loaded once
        for kind in ("phone", "email"):
            found[f"{kind}s_per_cpu_s"] = rows / clean(runner, (kind,), columns)
            found[f"{kind}_residue_ratio"] = left_over(runner, kind, columns)
        found["rows_per_cpu_s"] = rows / clean(runner, FIELDS, columns)
    engine.dispose()
    found["sheet_cpu_s"] = sheet(folder, sheet_rows)
    return {name: round(value, 4) for name, value in found.items()} | {"peak_mb": round(peak_mb())}


def main() -> None:
    parser = argparse.ArgumentParser(description="What cleaning costs.")
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    parser.add_argument("--rows", type=int, default=ROWS, help="contact rows")
    parser.add_argument("--sheet-rows", type=int, default=SHEET_ROWS, help="rows of the workbook")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), chosen.rows, chosen.sheet_rows)
    if not chosen.json:
        for figure, value in found.items():
            print(f"{figure:>20}  {value:,}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
