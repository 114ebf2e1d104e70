"""A stage's report in words: markdown and table rows for people, in the language of the translator that is handed in (R111).

What belongs here: how a `StageReport` reads, for Prefect's artifacts, for the terminal and for the log alike. What does not: where the words are
shown (`flows/artifacts.py`, the command line), computing anything new, personal data. Message ids are English sentences; the Chinese ones stand in
`locales/zh_CN/LC_MESSAGES/flows.po`.

Facts of a report are worded by their shape, so that a stage needs no wording of its own:
a number or text is a headline figure; a mapping is a small list (`since_yesterday` has its own heading); a list of mappings is a table of key
figures; a list of texts named `to_do` is what a person should do. A name that ends in `_ratio` is shown as per cent.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from vesper.stage_report import Balance, CheckResult, StageFailed, StageReport

Translate = Callable[[str], str]
Row = dict[str, str]

SINCE_YESTERDAY = "since_yesterday"
TO_DO = "to_do"
NOTHING = "—"  # a plain hyphen alone in a cell becomes a bullet on the dashboard
MOST_ROWS = 12  # of a table on a page of markdown
BEFORE_SENDING = ("consolidate", "measure", "score", "handover", "segment")


def headline(report: StageReport, _: Translate) -> str:
    """One line: rows written, tables, checks passed, rows set aside, warnings."""
    return _(
        "{stage} {on}: {rows} rows in {tables} tables, {passed} of {checks} checks passed, {aside} rows set aside, {warnings} warnings"
    ).format(
        stage=report.stage,
        on=report.business_on,
        rows=figure(sum(report.rows.values())),
        tables=len(report.rows),
        passed=sum(_verdicts(report)),
        checks=len(_verdicts(report)),
        aside=figure(sum(report.quarantined.values())),
        warnings=len(report.warnings),
    )


@dataclass(frozen=True)
class Beside:
    """What a page may show beside the report: the same stage's report of the night before, the report page's file, a note on the data."""

    before: StageReport | None = None
    page: Path | None = None
    note: str = ""


def summary(report: StageReport, _: Translate, beside: Beside = Beside()) -> str:
    """The stage's page in markdown: what it did, what changed, what was set aside, what the gate said, what to do."""
    title = f"# {_(stage_title(report.stage))} · {report.business_on}"
    act = _section(_("What to do"), _listed(to_do(report, _)))
    return _joined([title, headline(report, _), *_known(report, _, beside.before), *act, *_footer(beside, _)])


def failure(stage: str, failed: StageFailed, _: Translate, beside: Beside = Beside()) -> str:
    """The page of a stage that stopped: the one sentence first, then what stands, what to do, and what was known by then."""
    title = f"# {_(stage_title(stage))} · {_('stopped')}"
    stands = [
        _("Nothing of this stage was published: the tables of the last good night stand, and no later stage started.")
    ]
    if stage in BEFORE_SENDING:
        stands.append(_("Nothing was sent."))
    act = [_("Correct what the sentence names, then start the form of this stage again."), *_facts_to_do(failed.report)]
    known = [] if failed.report is None else _known(failed.report, _, None)
    return _joined(
        [
            title,
            f"**{failed}**",
            " ".join(stands),
            *_section(_("What to do"), _listed(act)),
            *known,
            *_footer(beside, _),
        ]
    )


def to_do(report: StageReport, _: Translate) -> list[str]:
    """What a person should look at after a stage that went well; one line saying so when there is nothing."""
    lines = _facts_to_do(report)
    if report.quarantined:
        lines.append(
            _(
                "Look at the rows that were set aside: `vesper quarantine list` counts them by source, rule and file. Correct the source or its "
                "definition; `vesper quarantine replay SOURCE --reason WHY` has the next night judge them again."
            )
        )
    if any(not check.passed for check in report.checks):
        lines.append(_("A check that only warns did not pass: see the gate's table, and tell the owner of that table."))
    return lines or [_("Nothing.")]


def gate_rows(report: StageReport, _: Translate) -> list[Row]:
    """The gate as a table, what did not pass first: conservation, then each check."""
    balances = [_balance_row(balance, _) for balance in sorted(report.balances, key=lambda b: b.holds)]
    return balances + [_check_row(check, _) for check in sorted(report.checks, key=lambda c: c.passed)]


def kpi_tables(report: StageReport, _: Translate) -> dict[str, list[Row]]:
    """Key figures by the name of their fact: every fact that is a list of mappings, headings translated, each row with every column."""
    tables = {}
    for name, rows in report.facts.items():
        if _is_table(rows):
            columns = _columns(rows)
            if not columns:
                continue
            tables[name] = [{_label(key, _): _shown(_in_unit(row, key), key, _) for key in columns} for row in rows]
    return tables


def _in_unit(row: Mapping[str, Any], key: str) -> Any:
    """A value in the unit that its row names: goals of one table are numbers and shares."""
    value = row.get(key)
    if not isinstance(value, float) or key.endswith("_ratio") or "unit" not in row:
        return value
    return figure(value, "_ratio") if row["unit"] == "share" else round(value)


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every key of the rows that says something; an id beside its own title (`market_id`, `market`) is for machines."""
    keys = dict.fromkeys(key for row in rows for key in row if row[key] is not None)
    return [key for key in keys if not (key.endswith("_id") and key.removesuffix("_id") in keys)]


def stage_title(stage: str) -> str:
    """What a stage does, as a message id; the bare word for a stage that is not one of the night's."""
    return {
        "consolidate": "Consolidate: every source into one golden contact",
        "measure": "Measure: market visibility and what is missing",
        "score": "Score: who is ready for sales",
        "handover": "Hand over: who goes to sales, and whom a person talks to",
        "segment": "Segment: who belongs where tonight",
        "send": "Send: messages planned, refused and sent",
        "watch": "Watch: what the campaigns brought",
    }.get(stage, stage)


def figure(value: Any, name: str = "") -> str:
    """A value as people read it: thousands apart, money with two decimals, a ratio in per cent, nothing as a dash."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    if name.endswith("_ratio") and isinstance(value, int | float | Decimal):
        return f"{value * 100:.1f} %"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        return f"{value:,.2f}"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _known(report: StageReport, _: Translate, before: StageReport | None) -> list[str]:
    """Every part of the page that a report can fill, in reading order."""
    headings = [_("Table"), _("Rows"), _("Since yesterday")]
    return [
        *_section(_("Key figures"), _listed(_headline_facts(report, _))),
        *_section(_("What changed since yesterday"), _listed(_changes(report, before, _))),
        *_mappings(report, _),
        *_tables(report, _),
        *_section(_("Rows written"), _table(headings, _row_counts(report, before, _))),
        *_section(_("Rows set aside"), _table([_("Source"), _("Rule"), _("Rows")], _set_aside(report))),
        *_section(_("The gate"), _gate_in_words(report, _)),
        *_section(_("Warnings"), _listed(report.warnings)),
    ]


def _changes(report: StageReport, before: StageReport | None, _: Translate) -> Iterator[str]:
    """What the stage says of itself, then every key figure that is another than on the night before."""
    yield from _pairs(report.facts.get(SINCE_YESTERDAY, {}), _, signed=True)
    for name, value in report.facts.items() if before else ():
        old = before.facts.get(name) if before else None
        if _is_number(value) and _is_number(old) and value != old:
            yield f"{_label(name, _)}: {_difference(value, old)} ({figure(old, name)} → {figure(value, name)})"


def _headline_facts(report: StageReport, _: Translate) -> Iterator[str]:
    for name, value in report.facts.items():
        if not isinstance(value, Mapping | list | tuple | set):
            yield f"{_label(name, _)}: {_shown(value, name, _)}"


def _mappings(report: StageReport, _: Translate) -> Iterator[str]:
    for name, value in report.facts.items():
        if isinstance(value, Mapping) and name != SINCE_YESTERDAY:
            yield from _section(_capital(_label(name, _)), _listed(_pairs(value, _)))


def _tables(report: StageReport, _: Translate) -> Iterator[str]:
    """Tables of key figures in short; whole ones stand beside the page as artifacts of their own."""
    for name, rows in kpi_tables(report, _).items():
        headings = list(rows[0])
        shown = _table(headings, [list(row.values()) for row in rows[:MOST_ROWS]])
        rest = len(rows) - MOST_ROWS
        more = _("And {count} more, in the table beside this page.").format(count=figure(rest)) if rest > 0 else ""
        yield from _section(_capital(_label(name, _)), _joined([shown, more]))


def _pairs(values: Mapping[str, Any], _: Translate, *, signed: bool = False) -> Iterator[str]:
    for name, value in values.items():
        plus = "+" if signed and isinstance(value, int | float | Decimal) and value > 0 else ""
        yield f"{_label(str(name), _)}: {plus}{figure(value, str(name))}"


def _row_counts(report: StageReport, before: StageReport | None, _: Translate) -> list[list[str]]:
    """Rows by table, what was written first; the last column says what became of a table since the night before."""
    same = _("unchanged, kept as it was")
    old = before.rows if before else {}
    written = [name for name in report.rows if name not in report.reused]
    rows = [[f"`{name}`", figure(report.rows[name]), _difference(report.rows[name], old.get(name))] for name in written]
    return rows + [[f"`{name}`", figure(report.rows.get(name)), same] for name in report.reused]


def _difference(value: Any, old: Any) -> str:
    """With its sign; nothing where there was nothing to compare with."""
    if old is None:
        return ""
    change = value - old
    return f"{'+' if change > 0 else ''}{figure(change)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _set_aside(report: StageReport) -> list[list[str]]:
    """By source and rule, the most rows first."""
    ordered = sorted(report.quarantined.items(), key=lambda item: (-item[1], item[0]))
    return [[source, rule, figure(count)] for (source, rule), count in ordered]


def _verdicts(report: StageReport) -> list[bool]:
    """What the gate says of each check and each balance: on a page both are checks."""
    return [*(check.passed for check in report.checks), *(balance.holds for balance in report.balances)]


def _gate_in_words(report: StageReport, _: Translate) -> str:
    """How many checks passed, then every one that did not; all of them stand in the gate's table."""
    if not report.checks and not report.balances:
        return ""
    count = _("{passed} of {all} checks passed.").format(passed=sum(_verdicts(report)), all=len(_verdicts(report)))
    broken = [row for row in gate_rows(report, _) if row[_("Result")] != _("passed")]
    return _joined(
        [
            count,
            _listed(f"{row[_('Result')]}: {row[_('Table')]} · {row[_('Check')]} · {row[_('Seen')]}" for row in broken),
        ]
    )


def _check_row(check: CheckResult, _: Translate) -> Row:
    subject = _label(check.check, _) if check.column is None else f"{check.column}: {_label(check.check, _)}"
    seen = [
        check.error or "",
        _("{count} rows").format(count=figure(check.unexpected)) if check.unexpected else "",
        check.observed or "",
    ]
    result = _("passed") if check.passed else _("failed") if check.severity == "critical" else _("warning")
    return {
        _("Result"): result,
        _("Table"): check.table,
        _("Check"): subject,
        _("Seen"): ", ".join(filter(None, seen)) or NOTHING,
    }


def _balance_row(balance: Balance, _: Translate) -> Row:
    parts = " + ".join(f"{_label(name, _)} {figure(count)}" for name, count in balance.parts.items())
    result = _("passed") if balance.holds else _("failed")
    seen = f"{figure(balance.total)} {'=' if balance.holds else '≠'} {parts}"
    return {_("Result"): result, _("Table"): balance.name, _("Check"): _("nothing lost"), _("Seen"): seen}


def _facts_to_do(report: StageReport | None) -> list[str]:
    return [str(line) for line in report.facts.get(TO_DO, ())] if report else []


def _shown(value: Any, name: str, _: Translate) -> str:
    """A figure, or a word of the mechanism such as a band or a state, in the reader's language; ids stay as they are."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if not isinstance(value, str) or not value:
        return figure(value, name)
    words = value.replace("_", " ")
    return _(value) if _(value) != value or _(words) == words else _(words)


def _is_table(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _label(name: str, _: Translate) -> str:
    """A name of the mechanism as words: `mql_count` is looked up as "mql count", `refused: no_consent` part by part."""
    return ": ".join(_(part.replace("_", " ")) for part in name.split(": ") if part)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _section(title: str, body: str) -> list[str]:
    return [f"## {title}", body] if body else []


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    written = [headings, ["---"] * len(headings), *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in written)


def _cell(text: str) -> str:
    """What a table's own signs, and the stars of a masked name, would otherwise be taken for."""
    return text.replace("|", "\\|").replace("*", "\\*")


def _footer(beside: Beside, _: Translate) -> Iterator[str]:
    """The report page by link and by path, for a browser does not follow a link from a served page to a file; then the note on the data."""
    if beside.page:
        yield f"[{_('The report page of this night')}]({beside.page.as_uri()}): `{beside.page}`"
    if beside.note:
        yield f"*{beside.note}*"


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)
