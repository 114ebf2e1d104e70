"""A company with many people for `bench.send_rate`: a workspace, its people as Parquet, a ledger with their consents, one campaign of 8 kB mails.

What belongs here: making it and opening it. What does not: planning, sending, measuring.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as parquet
import sqlalchemy as sa

from tests.send.company import campaign, definitions, frequency
from vesper.clock import today
from vesper.definition_set import DefinitionSet
from vesper.marts import reads
from vesper.marts.handover import RAW_HUMAN_TASK
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.message import RAW_MESSAGE, RAW_SUPPRESSION
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.content import Content
from vesper.night import Night
from vesper.tables.contact import CONSENT, CONTACT
from vesper.tables.declare import METADATA
from warehouse.house import House
from warehouse.ledger.bulk import insert_new_arrow, pages_in_memory
from warehouse.ledger.handover import tasks_as_arrow
from warehouse.ledger.outbox import messages_as_arrow, suppressions_as_arrow
from warehouse.ledger.schema import CONSENT as CONSENTS
from warehouse.ledger.suppression import bind_key
from warehouse.runner import Runner

ZONE = "Asia/Shanghai"
TOML = """production = false
[company]
name = "好邻居超市"
zone = "Asia/Shanghai"
[ledger]
synchronous = "{synchronous}"
[mail]
server = "127.0.0.1:{port}"
sender = "vesper@shop.example"
sender_name = "好邻居超市"
bounce = "verp"
mails_per_connection = 1000
[intake]
address = "http://127.0.0.1:8025"
"""
PEOPLE = {
    CONTACT.name: """select printf('c%026d', i) contact_id, printf('person%d@example.com', i) email, '王小' || chr((19968 + i % 9000)::integer) as name,
        ['上海', '北京', '广州', '成都'][1 + i % 4] city, ['上海市', '北京市', '广东省', '四川省'][1 + i % 4] province, 1 source_count,
        'crm_member' first_source, date '2018-01-01' first_seen_on, timestamp '2017-05-01' updated_at from range({people}) t(i)""",
    SEGMENT_MEMBER.name: """select 'everyone' segment_id, printf('c%026d', i) contact_id, date '2018-01-01' entered_on,
        date '2018-01-01' business_on, 'x' definition_hash from range({people}) t(i)""",
    LIFECYCLE.name: """select printf('c%026d', i) contact_id, if(i % 3 = 0, 'prospect', 'loyal') stage, timestamp '2017-05-01' entered_at,
        'x' rule_id, date '2018-01-01' business_on, 'x' definition_hash from range({people}) t(i)""",
    CONSENT.name: """select printf('c%026d', i) contact_id, 'email' channel, 'marketing' purpose, 'crm_member' source,
        i < {consenting} is_granted, timestamp '2017-05-01' as "at" from range({people}) t(i)""",
}
STYLE = "\n".join(
    f".s{n} {{ color: #3{n % 10}3333; font: 14px/1.6 sans-serif; margin: 0 0 {n}px 0; }}" for n in range(8)
)
BLOCK = '<tr><td class="s{n}"><h2>第{n}件好物</h2><p class="s{n}">{{{{ name or "会员" }}}}，{{{{ city }}}}的朋友都在买，本周到店立减 10 元。</p></td></tr>'
HTML = (
    "<!doctype html><html><body><p>{{ name or '会员' }}，您好：</p><table>"
    + "".join(BLOCK.format(n=n % 8) for n in range(30))
    + "</table>"
    + "".join(
        f'<p><a href="https://shop.example/{place}?from=mail">看看 {place}</a></p>'
        for place in ("week", "stores", "new")
    )
    + '<p>{{ company }}<br>{{ address }}</p><p><a href="{{ unsubscribe_url }}">退订</a></p></body></html>'
)
TEXT = "{{ name or '会员' }}，您好：\n\n本周到店立减 10 元，{{ city }}各店通用。\n\n{{ company }}\n退订：{{ unsubscribe_url }}\n"
SUBJECT = "{{ name or '会员' }}，好久不见，本周到店立减 10 元"


def build(
    root: Path, people: int, port: int, synchronous: str, consenting: int | None = None, in_ledger: bool = True
) -> None:
    """Make the workspace: all of the people are in the segment, the first `consenting` of them consent. Only these count on a ledger's consents."""
    (root / "people").mkdir(parents=True)
    (root / "vesper.toml").write_text(TOML.format(port=port, synchronous=synchronous), encoding="utf-8")
    for name, text in PEOPLE.items():
        query = text.format(people=people, consenting=people if consenting is None else consenting)
        duckdb.sql(f"copy ({query}) to '{root / 'people' / name}.parquet' (format parquet)")
    house = House.open(root)
    if in_ledger:
        _consents(house, root)
    house.close()


def _consents(house: House, root: Path) -> None:
    """What the night of the import appended."""
    from vesper.address import address_hash

    key = house.address_key
    file = parquet.ParquetFile(root / "people" / f"{CONTACT.name}.parquet")
    with house.engine.begin() as connection, pages_in_memory(connection):
        for batch in file.iter_batches(50_000, columns=["email"]):
            import pyarrow as pa

            emails = batch.column("email").to_pylist()
            same = {"channel": "email", "purpose": "marketing", "source": "crm_member", "text_version": "2017-05"}
            rows = {name: pa.repeat(value, len(emails)) for name, value in same.items()}
            rows["address_hash"] = pa.array([address_hash(key, "email", email) for email in emails])
            rows["row_key"] = pa.array(emails)
            rows["is_granted"] = pa.repeat(1, len(emails))
            rows["at"] = pa.array([dt.datetime(2017, 5, 1)] * len(emails), pa.timestamp("us"))
            rows["recorded_on"] = pa.array([dt.date(2017, 5, 1)] * len(emails))
            insert_new_arrow(connection, CONSENTS, pa.table(rows))


def content() -> Content:
    """8 kB of HTML, css in a style sheet, four words of the person in sixty places."""
    message = {"subject": SUBJECT, "html": HTML, "text": TEXT}
    return Content.model_validate(
        {"id": "coupon", "says": "券", "owner": "marketing", "messages": {"zh_CN": message}, "style": STYLE}
    )


def known() -> DefinitionSet:
    """One campaign to everybody, marketing, with both caps and no window: what is planned may go at once."""
    yesterday = today(ZONE) - dt.timedelta(days=1)
    one = campaign(max_people=10**9, starts_on=yesterday, ends_on=yesterday + dt.timedelta(days=30))
    return definitions(one, policy=frequency(windows={}, quiet_hours=None), said=content())


@contextmanager
def opened(root: Path) -> Iterator[tuple[House, Night, Runner]]:
    """The house, last night, and a runner that knows the people as a stage of a night does."""
    house = House.open(root)
    night = Night(today(ZONE) - dt.timedelta(days=1), house.workspace, known())
    with Runner(house.lake) as runner:
        for table in (CONTACT, SEGMENT_MEMBER, LIFECYCLE, CONSENT):
            _bind(runner, table, root / "people" / f"{table.name}.parquet")
        bind_key(runner, house.address_key)
        yield house, night, runner
    house.close()


def bind_ledger(house: House, runner: Runner) -> None:
    """What a plan reads of the ledger."""
    runner.bind_arrow(RAW_MESSAGE.name, messages_as_arrow(house.engine))
    runner.bind_arrow(RAW_SUPPRESSION.name, suppressions_as_arrow(house.engine))
    runner.bind_arrow(RAW_HUMAN_TASK.name, tasks_as_arrow(house.engine))


def know(runner: Runner, select: sa.Select[Any]) -> sa.Select[Any]:
    """A Select, once whatever it reads besides can be read: as empty, for this company keeps no more."""
    for name in reads(select) - runner.bound.keys():
        runner.bind_parts(METADATA.tables[name], ())
    return select


def _bind(runner: Runner, table: sa.Table, file: Path) -> None:
    """Columns that this company does not fill are NULL."""
    there = set(parquet.read_schema(file).names)
    columns = ", ".join(f'"{c.name}"' if c.name in there else f'null as "{c.name}"' for c in table.c)
    runner.connection.execute(
        f"create or replace view \"{table.name}\" as select {columns} from read_parquet('{file}')"
    )
    runner.bound[table.name] = "made"
