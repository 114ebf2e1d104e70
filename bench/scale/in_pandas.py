"""`python -m bench.scale.in_pandas FILES DATE OUT`: the same tables in pandas, from a row of figures per contact.

What belongs here: what `by_hand.py` does, said in pandas. What does not: nights after the first.
"""

import argparse
import datetime as dt
import json
import re
import time
from pathlib import Path
from typing import Any

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

import numpy as np  # noqa: E402  (imports are measured apart, as on every side)
import pandas as pd  # noqa: E402

imported = time.process_time()
SERIES = "pd.Series[Any]"


class Night:
    """Frames of one night, and the writing of its tables."""

    def __init__(self, files: dict[str, list[str]], on: dt.date, out: Path, groups: tuple[Group, ...]) -> None:
        self.files, self.on, self.out, self.groups = files, on, out, groups
        self.rows: dict[str, int] = {}

    def since(self, days: int) -> pd.Timestamp:
        return pd.Timestamp(self.on - dt.timedelta(days=days))

    def read(self, table: str, columns: list[str]) -> pd.DataFrame:
        """Columns of all files, days as numbers that compare fast."""
        frame = pd.concat([pd.read_parquet(file, columns=columns) for file in self.files[table]], ignore_index=True)
        for name in ("on", "ordered_on"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name])
        return frame

    def save(self, table: str, order: list[str], frame: pd.DataFrame) -> None:
        frame = frame.sort_values(order)
        frame.insert(0, "business_on", self.on)
        frame["definition_hash"] = HASH
        file = self.out / table / "all.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(file, compression="zstd", row_group_size=122_880, index=False)
        flush(file)
        self.rows[table] = len(frame)

    def run(self) -> None:
        activity = self.activity()
        shown_days = {name: activity[name].dt.date for name in ("first_order_on", "second_order_on", "last_order_on")}
        self.save("mart__activity", ["contact_id"], activity.assign(**shown_days))
        scored = self.scored(activity)
        del activity
        self.save("mart__visibility", ["market_id"], self.visibility(scored))
        self.save("mart__visibility_gap", ["market_id", "field"], self.gaps(scored))
        self.save("mart__score_reason", ["contact_id", "rule_id"], self.reasons(scored))
        score = scored[["contact_id", "score", "fit_score", "engagement_score"]].copy()
        score["is_mql"] = score["score"] >= MQL_AT
        score["previous_score"] = pd.array([pd.NA] * len(score), dtype="Int32")
        self.save("mart__score", ["contact_id"], score)
        members = self.members(scored)
        del scored
        self.save("mart__segment_member", ["segment_id", "contact_id"], members.assign(entered_on=self.on))
        self.save("mart__segment_change", ["segment_id", "contact_id"], members.assign(change="entered"))

    def events(self) -> pd.DataFrame:
        event = self.read("core__event", ["contact_id", "on", "kind", "at", "is_machine"])
        event = event[~event["is_machine"] & event["contact_id"].notna() & (event["on"] <= pd.Timestamp(self.on))]
        by_kind = event.groupby("kind", sort=False)
        found: dict[str, Any] = {}
        for figure in figures(self.groups):
            rows = by_kind.get_group(figure.kind)
            rows = rows if figure.days == EVER else rows[rows["on"] > self.since(figure.days)]
            by = rows.groupby("contact_id", sort=False)["at"]
            found[figure.name] = by.size()
            if figure in with_evidence():
                found[f"{figure.name}_first"], found[f"{figure.name}_last"] = by.min(), by.max()
        return pd.DataFrame(found)

    def activity(self) -> pd.DataFrame:
        day = self.read("core__order_day", ["contact_id", "ordered_on", "order_count", "amount", "first_at", "last_at"])
        day = day[day["ordered_on"] <= pd.Timestamp(self.on)].sort_values(["contact_id", "ordered_on"])
        day["cents"] = (day["amount"].astype("float64") * 100).round().astype("int64")
        number = day.groupby("contact_id", sort=False)["order_count"].cumsum()
        by = day.groupby("contact_id", sort=False)
        total = by.agg(
            order_count=("order_count", "sum"),
            order_days=("order_count", "size"),
            cents=("cents", "sum"),
            first_order_on=("ordered_on", "min"),
            last_order_on=("ordered_on", "max"),
            first_at=("first_at", "min"),
            last_at=("last_at", "max"),
        )
        total["second_order_on"] = day[number >= 2].groupby("contact_id")["ordered_on"].min()
        self._rank(day, total)
        both = total["recency_rank"] + total["frequency_rank"]
        total["activity_level"] = np.select([both >= 8, both >= 5], ["high", "medium"], "low")
        ranks = {name: total[name].astype("Int32") for name in ("recency_rank", "frequency_rank", "money_rank")}
        total = total.assign(
            **ranks,
            amount=_money(total.pop("cents")),
            order_count=total["order_count"].astype("int32"),
            order_days=total["order_days"].astype("int32"),
        )
        first = [
            "order_count",
            "order_days",
            "amount",
            "first_order_on",
            "second_order_on",
            "last_order_on",
            "first_at",
            "last_at",
        ]
        return total[[*first, *ranks, "activity_level"]].rename_axis("contact_id").reset_index()

    def _rank(self, day: pd.DataFrame, total: pd.DataFrame) -> None:
        """Fifths of those who ordered in the window."""
        recent = day[day["ordered_on"] > self.since(WINDOW_OF_RFM)].groupby("contact_id")
        window = pd.DataFrame({"count": recent["order_count"].sum(), "cents": recent["cents"].sum()})
        window["last"] = total["last_order_on"]
        window = window.rename_axis("contact_id").reset_index()
        for figure, name in (("last", "recency_rank"), ("count", "frequency_rank"), ("cents", "money_rank")):
            ordered = window.sort_values([figure, "contact_id"])["contact_id"]
            total[name] = pd.Series(_fifths(len(ordered)), index=ordered.to_numpy())

    def orders(self) -> pd.DataFrame:
        day = self.read("core__order_day", ["contact_id", "ordered_on", "order_count", "amount", "first_at", "last_at"])
        day["amount"] = day["amount"].astype("float64")
        found: dict[str, Any] = {}
        for days in ORDER_DAYS:
            by = day[(day["ordered_on"] > self.since(days)) & (day["ordered_on"] <= pd.Timestamp(self.on))].groupby(
                "contact_id", sort=False
            )
            found |= {
                f"orders_{days}": by["order_count"].sum(),
                f"spent_{days}": by["amount"].sum().round(2),
                f"orders_{days}_first": by["first_at"].min(),
                f"orders_{days}_last": by["last_at"].max(),
            }
        return pd.DataFrame(found)

    def scored(self, activity: pd.DataFrame) -> pd.DataFrame:
        """One row for each contact with all figures, scored."""
        wide = self.read(
            "core__contact", ["contact_id", "name", "phone", "email", "city", "province", "company", "job_title"]
        )
        order = activity.set_index("contact_id")[["recency_rank", "frequency_rank", "last_at", "last_order_on"]]
        order = order.assign(days_since_order=(pd.Timestamp(self.on) - order.pop("last_order_on")).dt.days).rename(
            columns={"last_at": "last_order_at"}
        )
        for frame in (
            self.events(),
            self.orders(),
            order.astype({"recency_rank": "float64", "frequency_rank": "float64"}),
        ):
            wide = wide.join(frame, on="contact_id")
        counts = [figure.name for figure in figures(self.groups)] + [
            f"{name}_{days}" for days in ORDER_DAYS for name in ("orders", "spent")
        ]
        wide[counts] = wide[counts].fillna(0)
        for kind in ("fit", "engagement"):
            cases = [(holds, points) for rule in scoring() if rule.kind == kind for holds, points in rule.cases]
            wide[f"{kind}_score"] = sum(np.where(_holds(wide, holds), points, 0) for holds, points in cases)
        wide["raw_score"] = BASE + wide["fit_score"] + wide["engagement_score"]
        wide["score"] = wide["raw_score"].clip(FLOOR, CEILING)
        return wide.astype(dict.fromkeys(["score", "raw_score", "fit_score", "engagement_score"], "int32"))

    def visibility(self, scored: pd.DataFrame) -> pd.DataFrame:
        rows = []
        for id, (_, holds, fields) in MARKETS.items():
            member = scored.loc[_holds(scored, holds), list(fields)]
            complete = int(member.notna().all(axis=1).sum())
            rows.append(
                {
                    "market_id": id,
                    "complete_count": complete,
                    "known_count": len(member),
                    "market_size": SIZE,
                    "size_source": "invented",
                    "size_as_of_on": dt.date(2026, 1, 1),
                    "visibility_ratio": complete / SIZE,
                    "band": "below",
                    "target_ratio": 0.85,
                    "target_due_on": dt.date(2026, 12, 31),
                }
            )
        return pd.DataFrame(rows)

    def gaps(self, scored: pd.DataFrame) -> pd.DataFrame:
        rows = []
        for id, (_, holds, fields) in MARKETS.items():
            member = scored.loc[_holds(scored, holds), list(fields)]
            for field in fields:
                have = int(member[field].notna().sum())
                rows.append(
                    {
                        "market_id": id,
                        "field": field,
                        "have_count": have,
                        "missing_count": len(member) - have,
                        "have_ratio": have / len(member),
                    }
                )
        return pd.DataFrame(rows)

    def reasons(self, scored: pd.DataFrame) -> pd.DataFrame:
        parts = [_reason(scored, "base", "base", BASE, ("0", "null", "null"))]
        for rule in scoring():
            parts += [
                _reason(scored[_holds(scored, holds)], rule.id, rule.kind, points, shown(rule))
                for holds, points in rule.cases
            ]
        off = scored[scored["score"] != scored["raw_score"]]
        parts.append(_reason(off, "clamp", "clamp", off["score"] - off["raw_score"], ("0", "null", "null")))
        return pd.concat(parts, ignore_index=True)

    def members(self, scored: pd.DataFrame) -> pd.DataFrame:
        parts = []
        for group in self.groups:
            holds = _holds(scored, group.predicate)
            scored[f"segment_{group.id}"] = holds
            parts.append(pd.DataFrame({"segment_id": group.id, "contact_id": scored.loc[holds, "contact_id"]}))
        return pd.concat(parts, ignore_index=True)


def _holds(frame: pd.DataFrame, predicate: str) -> Any:
    """A predicate as pandas evaluates it. `not` of a value that is missing holds nowhere."""
    if predicate == "true":
        return np.ones(len(frame), bool)
    said = re.sub(r"(\w+) is not null", r"\1 == \1", predicate)
    said = re.sub(r"(\w+) is null", r"\1 != \1", said)
    said = re.sub(r"not \((\w+) in \(([^)]*)\)\)", r"(\1 == \1 and \1 not in [\2])", said)
    said = re.sub(r"(\w+) in \(([^)]*)\)", r"\1 in [\2]", said)
    said = re.sub(r"(\w+) between (\d+) and (\d+)", r"(\1 >= \2 and \1 <= \3)", said)
    said = re.sub(r"^not \((.*_rank.*)\)$", r"(recency_rank == recency_rank and not (\1))", said)
    said = re.sub(r"(?<![<>=!])=(?!=)", "==", said)
    return frame.eval(said).to_numpy(bool)


def _fifths(count: int) -> Any:
    """SQL's ntile: the first fifths take what is left over."""
    small, larger = divmod(count, 5)
    return np.repeat(np.arange(1, 6), [small + 1] * larger + [small] * (5 - larger))


def _money(cents: Any) -> Any:
    """Exact decimals of whole cents."""
    import pyarrow as pa

    exact = pa.array(cents.to_numpy() / 100.0).cast(pa.decimal128(12, 2))
    return pd.Series(pd.arrays.ArrowExtensionArray(exact), index=cents.index)


def _reason(frame: pd.DataFrame, rule: str, kind: str, points: Any, columns: tuple[str, str, str]) -> pd.DataFrame:
    count, first, last = columns
    nothing = pd.NaT
    return pd.DataFrame(
        {
            "contact_id": frame["contact_id"],
            "rule_id": rule,
            "kind": kind,
            "points": points,
            "evidence_count": np.int32(count) if count.isdigit() else frame[count].astype("int32"),
            "first_at": nothing if first == "null" else frame[first],
            "last_at": nothing if last == "null" else frame[last],
        }
    ).astype({"points": "int32", "first_at": "datetime64[us]", "last_at": "datetime64[us]"})


def main() -> None:
    parser = argparse.ArgumentParser(description="A night of a large company in pandas.")
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
