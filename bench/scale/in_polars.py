"""`python -m bench.scale.in_polars FILES DATE OUT`: the same tables in Polars, lazily, from a row of figures per contact.

What belongs here: what `by_hand.py` does, said in Polars. What does not: nights after the first.
"""

import argparse
import datetime as dt
import json
import time
from pathlib import Path

from bench.memory import peak_mb
from bench.scale.by_hand_figures import HASH, ORDER_DAYS, SIZE, flush, shown
from bench.scale.rules import (
    BASE,
    CEILING,
    EVER,
    FLOOR,
    MARKETS,
    MQL_AT,
    WINDOW_OF_RFM,
    Group,
    figures,
    scoring,
    segments,
    with_evidence,
)

imports = time.process_time()

import polars as pl  # noqa: E402  (imports are measured apart, as on every side)

imported = time.process_time()
INSTANT = pl.Datetime("us")


class Night:
    """Frames of one night, and the writing of its tables."""

    def __init__(self, files: dict[str, list[str]], on: dt.date, out: Path, groups: tuple[Group, ...]) -> None:
        self.files, self.on, self.out, self.groups = files, on, out, groups
        self.rows: dict[str, int] = {}

    def since(self, days: int) -> pl.Expr:
        return pl.lit(self.on - dt.timedelta(days=days))

    def save(self, table: str, order: list[str], frame: pl.DataFrame) -> None:
        whole = frame.select(pl.lit(self.on).alias("business_on"), pl.all(), pl.lit(HASH).alias("definition_hash"))
        file = self.out / table / "all.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        whole.sort(order).write_parquet(file, compression="zstd", row_group_size=122_880)
        flush(file)
        self.rows[table] = whole.height

    def run(self) -> None:
        activity = self.activity()
        self.save("mart__activity", ["contact_id"], activity)
        scored = self.scored(activity)
        self.save("mart__visibility", ["market_id"], self.visibility(scored))
        self.save("mart__visibility_gap", ["market_id", "field"], self.gaps(scored))
        self.save("mart__score_reason", ["contact_id", "rule_id"], self.reasons(scored))
        columns = ["contact_id", "score", "fit_score", "engagement_score"]
        score = scored.select(
            *columns, (pl.col("score") >= MQL_AT).alias("is_mql"), pl.lit(None, pl.Int32).alias("previous_score")
        )
        self.save("mart__score", ["contact_id"], score)
        members = self.members(scored)
        self.save(
            "mart__segment_member",
            ["segment_id", "contact_id"],
            members.with_columns(pl.lit(self.on).alias("entered_on")),
        )
        self.save(
            "mart__segment_change",
            ["segment_id", "contact_id"],
            members.with_columns(pl.lit("entered").alias("change")),
        )

    def events(self) -> pl.LazyFrame:
        columns = []
        for figure in figures(self.groups):
            holds = pl.col("kind") == figure.kind
            if figure.days != EVER:
                holds &= pl.col("on") > self.since(figure.days)
            columns.append(holds.sum().cast(pl.Int32).alias(figure.name))
            if figure in with_evidence():
                columns += [
                    pl.col("at").filter(holds).min().alias(f"{figure.name}_first"),
                    pl.col("at").filter(holds).max().alias(f"{figure.name}_last"),
                ]
        event = pl.scan_parquet(self.files["core__event"]).filter(
            ~pl.col("is_machine"), pl.col("contact_id").is_not_null(), pl.col("on") <= self.on
        )
        return event.group_by("contact_id").agg(columns)

    def activity(self) -> pl.DataFrame:
        day = (
            pl.scan_parquet(self.files["core__order_day"])
            .filter(pl.col("ordered_on") <= self.on)
            .sort("contact_id", "ordered_on")
        )
        day = day.with_columns(pl.col("order_count").cum_sum().over("contact_id").alias("number"))
        lately, second = pl.col("ordered_on") > self.since(WINDOW_OF_RFM), pl.col("number") >= 2
        total = (
            day.group_by("contact_id")
            .agg(
                pl.col("order_count").sum().cast(pl.Int32),
                pl.len().cast(pl.Int32).alias("order_days"),
                pl.col("amount").sum().cast(pl.Decimal(12, 2)),
                pl.col("ordered_on").min().alias("first_order_on"),
                pl.col("ordered_on").filter(second).min().alias("second_order_on"),
                pl.col("ordered_on").max().alias("last_order_on"),
                pl.col("first_at").min(),
                pl.col("last_at").max(),
                pl.col("order_count").filter(lately).sum().alias("window_count"),
                pl.col("amount").filter(lately).sum().alias("window_amount"),
                lately.any().alias("is_recent"),
            )
            .collect()
        )
        recent = total.filter("is_recent")
        ranked = recent.select("contact_id")
        for figure, name in (
            ("last_order_on", "recency_rank"),
            ("window_count", "frequency_rank"),
            ("window_amount", "money_rank"),
        ):
            ordered = recent.sort(figure, "contact_id").select("contact_id", _fifth(recent.height).alias(name))
            ranked = ranked.join(ordered, on="contact_id")
        both = pl.col("recency_rank") + pl.col("frequency_rank")
        level = pl.when(both >= 8).then(pl.lit("high")).when(both >= 5).then(pl.lit("medium")).otherwise(pl.lit("low"))
        joined = total.join(ranked, on="contact_id", how="left").drop("window_count", "window_amount", "is_recent")
        return joined.with_columns(level.alias("activity_level"))

    def orders(self) -> pl.LazyFrame:
        columns = []
        for days in ORDER_DAYS:
            lately = pl.col("ordered_on") > self.since(days)
            columns += [
                pl.col("order_count").filter(lately).sum().alias(f"orders_{days}"),
                pl.col("amount").filter(lately).sum().alias(f"spent_{days}"),
                pl.col("first_at").filter(lately).min().alias(f"orders_{days}_first"),
                pl.col("last_at").filter(lately).max().alias(f"orders_{days}_last"),
            ]
        return (
            pl.scan_parquet(self.files["core__order_day"])
            .filter(pl.col("ordered_on") <= self.on)
            .group_by("contact_id")
            .agg(columns)
        )

    def scored(self, activity: pl.DataFrame) -> pl.DataFrame:
        """One row for each contact with all figures, scored."""
        held = ["contact_id", "name", "phone", "email", "city", "province", "company", "job_title"]
        order = activity.lazy().select(
            "contact_id",
            "recency_rank",
            "frequency_rank",
            pl.col("last_at").alias("last_order_at"),
            (pl.lit(self.on) - pl.col("last_order_on")).dt.total_days().alias("days_since_order"),
        )
        counts = [pl.col(figure.name).fill_null(0) for figure in figures(self.groups)]
        sums = [pl.col(f"{name}_{days}").fill_null(0) for days in ORDER_DAYS for name in ("orders", "spent")]
        wide = pl.scan_parquet(self.files["core__contact"]).select(held)
        for figures_of in (self.events(), self.orders(), order):
            wide = wide.join(figures_of, on="contact_id", how="left")
        points = [
            pl.sum_horizontal(
                [
                    pl.when(pl.sql_expr(holds)).then(points).otherwise(0)
                    for rule in scoring()
                    if rule.kind == kind
                    for holds, points in rule.cases
                ]
            )
            .cast(pl.Int32)
            .alias(f"{kind}_score")
            for kind in ("fit", "engagement")
        ]
        raw = (pl.lit(BASE) + pl.col("fit_score") + pl.col("engagement_score")).cast(pl.Int32)
        scored = wide.with_columns(counts + sums).with_columns(points).with_columns(raw.alias("raw_score"))
        return scored.with_columns(pl.col("raw_score").clip(FLOOR, CEILING).alias("score")).collect()

    def visibility(self, scored: pl.DataFrame) -> pl.DataFrame:
        rows = []
        for id, (_, holds, fields) in MARKETS.items():
            member = scored.filter(pl.sql_expr(holds))
            complete = member.filter(pl.all_horizontal([pl.col(field).is_not_null() for field in fields])).height
            rows.append(
                {
                    "market_id": id,
                    "complete_count": complete,
                    "known_count": member.height,
                    "market_size": SIZE,
                    "size_source": "invented",
                    "size_as_of_on": dt.date(2026, 1, 1),
                    "visibility_ratio": complete / SIZE,
                    "band": "below",
                    "target_ratio": 0.85,
                    "target_due_on": dt.date(2026, 12, 31),
                }
            )
        return pl.DataFrame(rows)

    def gaps(self, scored: pl.DataFrame) -> pl.DataFrame:
        rows = []
        for id, (_, holds, fields) in MARKETS.items():
            member = scored.filter(pl.sql_expr(holds))
            for field in fields:
                have = member.height - member[field].null_count()
                rows.append(
                    {
                        "market_id": id,
                        "field": field,
                        "have_count": have,
                        "missing_count": member.height - have,
                        "have_ratio": have / member.height,
                    }
                )
        return pl.DataFrame(rows)

    def reasons(self, scored: pl.DataFrame) -> pl.DataFrame:
        frame = scored.lazy()
        parts = [_reason(frame, "base", "base", pl.lit(BASE), "0", "null", "null")]
        for rule in scoring():
            for holds, points in rule.cases:
                parts.append(
                    _reason(frame.filter(pl.sql_expr(holds)), rule.id, rule.kind, pl.lit(points), *shown(rule))
                )
        off = frame.filter(pl.col("score") != pl.col("raw_score"))
        parts.append(_reason(off, "clamp", "clamp", pl.col("score") - pl.col("raw_score"), "0", "null", "null"))
        return pl.concat(parts).collect()

    def members(self, scored: pl.DataFrame) -> pl.DataFrame:
        flags = scored
        for group in self.groups:
            flags = flags.with_columns(pl.sql_expr(group.predicate).fill_null(False).alias(f"segment_{group.id}"))
        return pl.concat(
            [
                flags.filter(f"segment_{group.id}").select(pl.lit(group.id).alias("segment_id"), "contact_id")
                for group in self.groups
            ]
        )


def _fifth(count: int) -> pl.Expr:
    """SQL's ntile: the first fifths take what is left over."""
    small, larger = divmod(count, 5)
    place = pl.int_range(pl.len())
    edge = larger * (small + 1)
    early, late = place // (small + 1), larger + (place - edge) // max(small, 1)
    return (pl.when(place < edge).then(early).otherwise(late) + 1).cast(pl.Int32)


def _reason(
    frame: pl.LazyFrame, rule: str, kind: str, points: pl.Expr, count: str, first: str, last: str
) -> pl.LazyFrame:
    edges = [
        (pl.lit(None) if name == "null" else pl.col(name)).cast(INSTANT).alias(to)
        for name, to in ((first, "first_at"), (last, "last_at"))
    ]
    number = pl.lit(int(count)) if count.isdigit() else pl.col(count)
    return frame.select(
        "contact_id",
        pl.lit(rule).alias("rule_id"),
        pl.lit(kind).alias("kind"),
        points.cast(pl.Int32).alias("points"),
        number.cast(pl.Int32).alias("evidence_count"),
        *edges,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="A night of a large company in Polars.")
    parser.add_argument("files", type=Path)
    parser.add_argument("on", type=dt.date.fromisoformat)
    parser.add_argument("out", type=Path)
    parser.add_argument("--segments", type=int, default=50)
    chosen = parser.parse_args()
    started = time.process_time(), time.monotonic()
    night = Night(
        json.loads(chosen.files.read_text(encoding="utf-8")), chosen.on, chosen.out, segments(chosen.segments)
    )
    night.run()
    spent, wall = time.process_time() - started[0], time.monotonic() - started[1]
    print(
        json.dumps(
            {
                "cpu_s": spent,
                "wall_s": wall,
                "peak_mb": peak_mb(),
                "rows": night.rows,
                "import_cpu_s": imported - imports,
            }
        )
    )


if __name__ == "__main__":
    main()
