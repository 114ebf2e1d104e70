"""A labelled file of contacts in the shape of core__source_record, cleaned as the nightly run cleans it: once for each distinct value.

What belongs here: that shape, for the identity bench. What does not: what clean means (`vesper/cleaning`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from vesper.cleaning import company, email, mail_domain, name, phone
from vesper.tables.contact import SOURCE_RECORD
from warehouse.runner import Runner

SOURCE = "file"
RAW, RECORDS = "bench_raw", "bench_record"
READ: dict[str, tuple[str, Callable[[str], str | None]]] = {
    "name": ("name_key", name.read),
    "phone": ("phone", lambda text: phone.read(text).number),
    "other_phone": ("other_phone", lambda text: phone.read(text).number),
    "email": ("email", email.read),
    "company": ("company_key", company.read),
}
"""Field of the file -> column of the record, and how a distinct value is read."""
PLAIN = ("card", "unionid", "openid", "crm_id", "city", "province")


def cleaned(runner: Runner, raw: sa.Table, columns: Mapping[str, str]) -> sa.Table:
    """The rows of a bound file as records.

    Args:
        columns: field of the record -> column of the file; `key` names the row.
    """
    read = {field: _mapping(runner, raw, columns[field], field) for field in READ if field in columns}
    found: dict[str, Any] = {
        "source": sa.literal(SOURCE),
        "record_key": sa.cast(raw.c[columns["key"]], sa.String),
        **{field: sa.cast(raw.c[columns[field]], sa.String) for field in PLAIN if field in columns},
    }
    joined: Any = raw
    for field, table in read.items():
        joined = joined.join(table, table.c.raw == sa.cast(raw.c[columns[field]], sa.String), isouter=True)
        found[READ[field][0]] = table.c.clean
    rows = sa.select(*[value.label(column) for column, value in found.items()]).select_from(joined).cte("rows")
    return runner.materialize(_with_mail(runner, rows), RECORDS)


def _mapping(runner: Runner, raw: sa.Table, column: str, field: str) -> sa.Table:
    """Distinct values of a column and what they read as."""
    texts = runner.arrow(sa.select(sa.cast(raw.c[column], sa.String).label("raw")).distinct())["raw"].to_pylist()
    read = READ[field][1]
    pairs = sorted((text, read(text)) for text in texts if text is not None)
    return _bound(
        runner, f"clean_{field}", {"raw": [text for text, _ in pairs], "clean": [clean for _, clean in pairs]}
    )


def _bound(runner: Runner, table: str, columns: dict[str, list[str | None]]) -> sa.Table:
    runner.bind_arrow(table, pa.table({key: pa.array(values, pa.string()) for key, values in columns.items()}))
    return sa.Table(table, sa.MetaData(), *[sa.Column(key, sa.String) for key in columns])


def _with_mail(runner: Runner, rows: sa.CTE) -> sa.Select[Any]:
    """What the mail domain says: whose mailbox it is, and the company where the row names none."""
    known: dict[str, Any] = {column.name: rows.c[column.name] for column in rows.c}
    joined: Any = rows
    if "email" in rows.c:
        domain = _domains(runner, rows)
        joined = rows.join(domain, domain.c.domain == email.domain(rows.c.email), isouter=True)
        known["email_key"] = email.key(rows.c.email)
        known["email_status"] = email.status(rows.c.email, domain.c.verdict)
        known["email_kind"] = email.kind(rows.c.email, domain.c.verdict)
        known["company_key"] = sa.func.coalesce(known.get("company_key", sa.null()), domain.c.company_key)
    filled = [known.get(column.name, sa.cast(sa.null(), column.type)).label(column.name) for column in SOURCE_RECORD.c]
    return sa.select(*filled).select_from(joined)


def _domains(runner: Runner, rows: sa.CTE) -> sa.Table:
    """Each mail domain with its verdict and the one company that its rows name."""
    own = rows.c.company_key if "company_key" in rows.c else sa.cast(sa.null(), sa.String)
    held = runner.materialize(
        sa.select(email.domain(rows.c.email).label("domain"), own.label("company_key"), own.label("company")).where(
            rows.c.email.is_not(None)
        ),
        "bench_domain",
    )
    texts = sorted(runner.arrow(sa.select(held.c.domain).distinct())["domain"].to_pylist())
    verdicts = _bound(
        runner, "clean_domain", {"domain": texts, "verdict": [mail_domain.verdict(text) for text in texts]}
    )
    judged = (
        sa.select(held, verdicts.c.verdict).join_from(held, verdicts, verdicts.c.domain == held.c.domain).cte("judged")
    )
    named = company.of_domains(judged).cte("named")
    both = verdicts.join(named, named.c.domain == verdicts.c.domain, isouter=True)
    return runner.materialize(sa.select(verdicts, named.c.company_key).select_from(both), "bench_mail_domain")
