"""The grocer's landing folder: published shop files and composed contact files, by day, each with the time it arrived.

Run twice, it writes the same bytes; when nothing changed, it does nothing.
"""

import argparse
import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from examples.grocer.people import everyone
from examples.grocer.records import (
    APP,
    CRM,
    CRM_COLUMNS,
    DAYS,
    HISTORY,
    HOTLINE,
    HOTLINE_COLUMNS,
    Record,
    of_household,
    of_prospects,
    unusable,
)
from examples.grocer.shop import Shop
from examples.grocer.truth import write_truth
from examples.grocer.write import Landing

SEED = 84
SOURCES = (
    "shop_order",
    "shop_product",
    "shop_campaign",
    "shop_demographic",
    "shop_mailing",
    "shop_redemption",
    CRM,
    APP,
    HOTLINE,
)
MARKER = "composed.json"


def compose(root: Path, *, households: int | None = None, since: dt.date | None = None, seed: int = SEED) -> None:
    """Fill `<root>/.vesper/landing` and `<root>/.vesper/truth`.

    Args:
        households: so many households with all their orders, mailings and redemptions; None is all 2,469. The same ones every time.
        since: leave out the days before it of the two daily sources, orders and redemptions.
        seed: another seed makes other people of the same households.
    """
    store = root / ".vesper"
    wanted = {
        "households": households,
        "since": since.isoformat() if since else None,
        "seed": seed,
        "composer": _version(),
    }
    marker = store / MARKER
    if marker.is_file() and json.loads(marker.read_text(encoding="utf-8")) == wanted:
        return
    marker.unlink(missing_ok=True)
    for source in SOURCES:
        shutil.rmtree(store / "landing" / source, ignore_errors=True)
    shop = Shop(households, since, seed)
    try:
        landing = Landing(store / "landing")
        shop.export(landing)
        records = contact_records(shop, seed)
    finally:
        shop.close()
    _land(landing, records)
    write_truth(store / "truth", records)
    marker.write_text(json.dumps(wanted) + "\n", encoding="utf-8")


def contact_records(shop: Shop, seed: int) -> list[Record]:
    """Every composed row of all three sources."""
    people = everyone(shop.households, seed)
    records = [record for one in people if one.household for record in of_household(one, seed)]
    records += of_prospects([one for one in people if not one.household], seed)
    return [*records, *unusable(records, seed)]


def _land(landing: Landing, records: Sequence[Record]) -> None:
    for on in DAYS:
        encoding = "gb18030" if on == HISTORY else "utf-8-sig"
        landing.csv(CRM, on, CRM_COLUMNS, _rows(records, CRM, on), encoding)
        landing.jsonl(APP, on, _rows(records, APP, on))
        landing.xlsx(HOTLINE, on, HOTLINE_COLUMNS, _rows(records, HOTLINE, on))
    for source in (CRM, APP, HOTLINE):
        landing.label(source, HISTORY)


def _rows(records: Sequence[Record], source: str, on: dt.date) -> list[dict[str, object]]:
    """The rows of one file in the order in which they came about."""
    chosen = [one for one in records if one.source == source and one.on == on]
    return [dict(one.cells) for one in sorted(chosen, key=lambda one: one.at)]


def _version() -> str:
    """A fingerprint of the composer itself, so that a changed composer composes anew."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()[:16]


def main() -> None:
    """`python -m examples.grocer.compose [workspace]`."""
    parser = argparse.ArgumentParser(description="Compose the grocer's landing folder.")
    parser.add_argument("root", type=Path, nargs="?", default=Path(__file__).parent)
    parser.add_argument("--households", type=int)
    parser.add_argument("--since", type=dt.date.fromisoformat)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    compose(chosen.root, households=chosen.households, since=chosen.since, seed=chosen.seed)


if __name__ == "__main__":
    main()
