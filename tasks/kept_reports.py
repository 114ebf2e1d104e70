"""Reports of stages, kept beside the lake: prepare and score are two processes, and the page of the night shows both."""

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vesper.stage_report import Balance, CheckResult, StageReport


def keep_report(store: Path, report: StageReport) -> None:
    """Write a stage's report under `reports/<date>/<stage>.json`, replacing the one of an earlier run."""
    path = _file(store, report.business_on, report.stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(_as_data(report), ensure_ascii=False, default=str), encoding="utf-8")
    draft.replace(path)


def kept_reports(store: Path, business_on: dt.date, stages: tuple[str, ...]) -> list[StageReport]:
    """The reports of a night that are there, in the order of the stages."""
    files = [_file(store, business_on, stage) for stage in stages]
    return [_from_data(json.loads(file.read_text(encoding="utf-8"))) for file in files if file.is_file()]


def _file(store: Path, business_on: dt.date, stage: str) -> Path:
    return store / "reports" / business_on.isoformat() / f"{stage}.json"


def _as_data(report: StageReport) -> dict[str, Any]:
    facts = {name: fact for name, fact in report.facts.items() if not _names_people(fact)}
    counted = [[*key, count] for key, count in report.quarantined.items()]
    return asdict(report) | {"facts": facts, "quarantined": counted}


def _names_people(fact: Any) -> bool:
    """Whether a fact lists single contacts: such a list stays on the dashboard, and no kept file has to be rewritten when one of them is erased."""
    return isinstance(fact, list | tuple) and any(isinstance(row, dict) and "contact_id" in row for row in fact)


def _from_data(data: dict[str, Any]) -> StageReport:
    return StageReport(
        **data
        | {
            "business_on": dt.date.fromisoformat(data["business_on"]),
            "quarantined": {(source, rule): count for source, rule, count in data["quarantined"]},
            "checks": [CheckResult(**check) for check in data["checks"]],
            "balances": [Balance(**balance) for balance in data["balances"]],
        }
    )
