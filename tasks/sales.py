"""What sales say, inside the consolidate stage: sources of BANT statements and of lead outcomes become their core tables."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from tasks.take_in import TakenIn
from tasks.vendor import VendorIds, feeding
from vesper.consolidate import sales
from vesper.tables.declare import empty
from vesper.tables.sales import BANT, LEAD_OUTCOME


def write_sales(bench: Bench, taken: Iterable[TakenIn], ids: VendorIds) -> None:
    """core__bant and core__lead_outcome, whole: a contact's id may have changed anywhere."""
    sources, zone = list(taken), bench.night.zone
    stated: list[sa.Select[Any]] = []
    for one in feeding(sources, "bant"):
        stated += sales.bant(one.raw, one.source, zone, ids.survivor)
    bench.fill(BANT, sa.union_all(*stated) if stated else empty(BANT))
    came = [sales.lead_outcomes(one.raw, one.source, zone, ids.survivor) for one in feeding(sources, "lead_outcome")]
    bench.fill(LEAD_OUTCOME, sa.union_all(*came) if came else empty(LEAD_OUTCOME))
