"""Web events keep what they were about: page, content, product, search words, length and amount reach core__event (R17, R57)."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.vendor import events, vendor_ids
from tests.sources.vendors import ARRIVED, ON, company, taken_in, without_incidents
from vesper.consolidate.event import PARTICULARS
from vesper.tables.campaign import EVENT
from warehouse.lint import refuse_unstable
from warehouse.sql_text import shaped

BASE = """says: {id}
owner: web@example.com
system: jsonl
path: "{id}/{{on}}.jsonl"
feeds: event
cadence: {{every: day}}
late: {{carry_forward: 3}}
rows: {{min: 0, max: 100}}
key: [event_id]
fields:
  event_id: {{column: id, type: text, required: true}}
  email: {{column: mail, type: text}}
  at: {{column: at, type: instant, required: true}}
"""
PAGE_VIEW = """  kind: {column: what, type: text, map: {view: page_viewed, cart: cart_added}}
  url: {column: page, type: text}
  content_id: {column: paper, type: text}
  product_code: {column: sku, type: text}
  keyword: {column: q, type: text}
  duration_seconds: {column: stay, type: integer}
  amount: {column: worth, type: money}
"""
VIEWS: list[dict[str, Any]] = [
    {"id": "v1", "what": "view", "page": "/pricing?a=1", "paper": "paper_a", "sku": "m1", "q": "万用表", "stay": 120},
    {"id": "v2", "what": "cart", "worth": "99.50"},
]


def put(root: Path, id: str, fields: str, rows: list[dict[str, Any]]) -> None:
    (root / "definitions" / "sources" / f"{id}.yml").write_text(BASE.format(id=id) + fields, encoding="utf-8")
    path = root / ".vesper" / "landing" / id / f"{ON}.jsonl"
    path.parent.mkdir(parents=True)
    said = [{"mail": "wang@jia.cn", "at": f"{ON} 10:00:00", **row} for row in rows]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in said), encoding="utf-8")
    os.utime(path, (ARRIVED.timestamp(),) * 2)


@pytest.mark.requirement("R17", "R57")
def test_what_an_event_was_about_reaches_the_core_table(tmp_path: Path) -> None:
    root = company(tmp_path / "company", {})
    put(root, "web_view", PAGE_VIEW, VIEWS)
    put(root, "web_login", "", [{"id": "l1"}])
    login = root / "definitions" / "sources" / "web_login.yml"
    login.write_text(login.read_text().replace("cadence:", "event_kind: logged_in\ncadence:"), encoding="utf-8")
    with taken_in(root) as (bench, taken):
        assert bench.report.quarantined == {}
        selects = events(bench, taken.values(), vendor_ids(bench, taken.values()))
        for select in selects:
            refuse_unstable(select, EVENT.name)
        event = bench.materialize(shaped(without_incidents(*selects), EVENT), "event_tonight")
        rows = {row.event_id: row for row in bench.rows(sa.select(event))}
    about = {id: tuple(getattr(row, name) for name in PARTICULARS) for id, row in rows.items()}
    assert about == {
        "web_view:v1": ("/pricing?a=1", "paper_a", "m1", "万用表", 120, None),
        "web_view:v2": (None, None, None, None, None, Decimal("99.50")),
        "web_login:l1": (None,) * 6,
    }
    assert {row.kind for row in rows.values()} == {"page_viewed", "cart_added", "logged_in"}
