"""A finding about one source, as one sentence a person can act on.

How it is found stands in contract.py, volume.py and coverage.py; rows are judged in row_rules.py.
"""

from dataclasses import dataclass

from vesper.language import Translate as Translate
from vesper.tables.declare import Severity


def plain(message: str) -> str:
    """The English message itself: the translation used when no language is given."""
    return message


@dataclass(frozen=True)
class Finding:
    """One thing wrong with what a source sent.

    `rule` is the key of the source's definition that was broken, such as `rows.min`; a critical finding stops the stage,
    a warning is shown.
    """

    source: str
    rule: str
    severity: Severity
    sentence: str

    @property
    def is_critical(self) -> bool:
        return self.severity == "critical"


def finding(source: str, rule: str, severity: Severity, message: str, **facts: object) -> Finding:
    """A finding whose message (already translated) is filled with facts; `source` and `rule` may be named in it too."""
    return Finding(source, rule, severity, message.format(source=source, rule=rule, **facts))
