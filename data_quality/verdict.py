"""What a gate's results mean for people: whether the stage may publish, and one sentence when it may not (R103, R112).

Results come from gate.py; the notice itself goes out through connectors/notify.py.
"""

from collections.abc import Sequence

from data_quality.findings import Translate, plain
from vesper.stage_report import CheckResult


def failures(results: Sequence[CheckResult]) -> list[CheckResult]:
    """The critical checks that failed: any one of them keeps the stage from publishing."""
    return [each for each in results if not each.passed and each.severity == "critical"]


def failure_sentence(results: Sequence[CheckResult], owner: str, _: Translate = plain) -> str | None:
    """One sentence about the first critical failure: table, rule in plain words, rows, what to do. None when the stage
    may publish.
    """
    failed = failures(results)
    if not failed:
        return None
    more = [_("{count} more checks failed.").format(count=len(failed) - 1)] if len(failed) > 1 else []
    force = _("Nothing of this stage was published; the last publish stays in force. Owner: {owner}.").format(
        owner=owner
    )
    return " ".join([check_sentence(failed[0], _), *more, force])


def warning_sentences(results: Sequence[CheckResult], _: Translate = plain) -> list[str]:
    """A sentence for each failed check that lets the stage publish."""
    return [check_sentence(each, _) for each in results if not each.passed and each.severity == "warning"]


def check_sentence(result: CheckResult, _: Translate = plain) -> str:
    """What one failed check found."""
    if result.error and result.check != "declared":
        message = _("{table}: the check «{check}» on {column} could not run: {error}.")
    else:
        message = {
            "columns": _("{table}: its columns are not the declared ones ({observed})."),
            "row_count": _("{table}: it has only {observed} rows, fewer than declared (minimum_rows)."),
            "row_drop": _("{table}: it lost more than half of its rows since the night before ({observed})."),
            "unique": _("{table}: {rows} rows share their key {column} with another row."),
            "required": _("{table}: {column} is empty in {rows} rows, but required."),
            "between": _("{table}: {column} lies outside its declared range in {rows} rows."),
            "among": _("{table}: {column} has a value nobody declared in {rows} rows."),
            "declared": _(
                "{table}: it declares no check beyond its columns, so it cannot be published. Declare a grain, "
                "required columns or minimum_rows."
            ),
            "merged_share": _(
                "{table}: {observed} contacts merged in one night, more than the identity policy allows (most_merged_ratio). "
                "Look for a number or address that strangers share in what arrived, or raise the limit for this night."
            ),
        }[result.check]
    rows = "?" if result.unexpected is None else result.unexpected
    return message.format(
        table=result.table,
        check=result.check,
        column=result.column or "-",
        observed=result.observed,
        rows=rows,
        error=result.error,
    )
