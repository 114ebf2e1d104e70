"""The trained model of a linkage as the text of its definition holds it.

What belongs here: writing the section `model`, which people read and training replaces. What does not: training, reading definitions.
"""

import math
import re

from vesper.model.linkage import LinkageModel

SECTION = re.compile(r"^model:.*(?:\n(?:[ \t#].*)?)*", re.MULTILINE)


def with_model(text: str, model: LinkageModel) -> str:
    """The text of a definition with this model in the place of the one it had; everything else stays as it was written."""
    return SECTION.sub("", text).rstrip() + "\n" + _section(model)


def _section(model: LinkageModel) -> str:
    lines = ["model:", f"  records: {model.records}", f"  prior: {_number(model.prior)}", "  levels:"]
    for comparison, levels in model.levels.items():
        lines.append(f"    {comparison}:")
        width = max(len(level) for level in levels)
        lines += [
            f"      {level}: {' ' * (width - len(level))}{{m: {_number(odds.m)}, u: {_number(odds.u)}}}"
            for level, odds in levels.items()
        ]
    return "\n".join(lines) + "\n"


def _number(share: float) -> str:
    """Six digits written out; a number with an exponent reads as a text to most readers of YAML, and to many people."""
    places = 6 - 1 - math.floor(math.log10(share))
    return f"{share:.{places}f}".rstrip("0")
