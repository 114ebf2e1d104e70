"""Companies as they are compared: 西门子（中国）有限公司, 西門子中國 and Siemens Ltd., China each without legal form, brackets and blanks.

Words of a place stay in the key: a company's branches in Shanghai and in Beijing are two. What does not belong here: companies as rows (core__company).
"""

import re
from typing import Any

import sqlalchemy as sa

from vesper.cleaning.script import settled, simplified
from vesper.cleaning.text import HAN, folded, without_accents, words

# Inside a name only what cannot be anything else; the rest at its end, however much of it.
FORM = "有限责任公司|股份有限公司|有限公司|株式会社"
ENDING = f"(?:{FORM}|股份公司|集团公司|分公司|子公司|总公司|公司|集团|股份|有限合伙|普通合伙|株)+$"
NOTES = "有限合伙|普通合伙|特殊普通合伙|集团|总部|已注销|已离职|代理商?|经销商|株|个体工商户"
LATIN_FORM = words("ltd limited inc incorporated corp corporation llc llp gmbh plc pte pty co company")
LATIN_ENDING = LATIN_FORM | words(
    "ag sa se kg ab as oy bv nv spa srl sarl sas sdn bhd kk lp aps group holding holdings the and"
)
NOBODY = words(
    """
    无 没有 暂无 未知 未填写 不详 个人 个体 个体户 自由职业 自由职业者 待业 无业 退休 学生 公司 单位 测试 测试公司 none na null nil no unknown test
    testcompany individual personal private self selfemployed freelance freelancer student retired unemployed company mycompany
    """
)
"""Words that stand where there is no company; a hundred people who write 个人 do not work together."""

OWN_ROWS = 2

_NOTE = re.compile(rf"[(\[【](?:{NOTES})[)\]】]")
_BESIDE_HAN = re.compile(rf"(?<=[{HAN}])\s+|\s+(?=[{HAN}])")
_SIGN = re.compile(r"[^\w\s]|_")


def quick(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The key of a name that is one word in simplified characters, letters and digits; NULL of anything else, which `read` decides."""
    lower = sa.func.lower(value)
    bare = sa.func.regexp_replace(sa.func.regexp_replace(lower, FORM, "", "g"), ENDING, "")
    again = sa.func.regexp_matches(bare, f"{FORM}|{ENDING}")
    plain = sa.func.regexp_full_match(lower, f"[a-z0-9{settled()[1:-1]}]+")
    return sa.case((sa.and_(plain, sa.not_(again), bare.not_in(["", *sorted(NOBODY)])), bare))


def read(text: str) -> str | None:
    """The key of a company's name however it is written; None where no company is named."""
    before, key = text, _once(text)
    while key != before:
        before, key = key, _once(key)
    return key or None


def _once(text: str) -> str:
    whole = _NOTE.sub(" ", simplified(without_accents(folded(text)).lower()))
    # Abbreviations lose their stops (l.l.c.), every other sign parts words.
    stopped = re.sub(r"(?<=\b\w)\.(?=\w\b|\s|$|,)", "", whole.replace("&", " and "))
    named_by = _BESIDE_HAN.sub("", " ".join(_SIGN.sub(" ", stopped).split())).split()
    named = re.sub(ENDING, "", re.sub(FORM, "", "".join(_without_forms(named_by))))
    return "" if named in NOBODY else named


def _without_forms(said: list[str]) -> list[str]:
    """Words that name the company; the first one always does."""
    kept = [word for place, word in enumerate(said) if place == 0 or word not in LATIN_FORM]
    while len(kept) > 1 and kept[-1] in LATIN_ENDING:
        kept.pop()
    return kept[1:] if len(kept) > 1 and kept[0] == "the" else kept


def of_domains(rows: sa.FromClause) -> sa.Select[Any]:
    """domain, company_key and company of each mail domain that is one company's own: two rows or more name it, and four in five of those that name any.

    Args:
        rows: domain, verdict (of the domain), company and company_key.
    """
    named = sa.and_(rows.c.company_key.is_not(None), rows.c.domain.is_not(None), rows.c.verdict.is_(None))
    count = sa.func.count()
    counted = (
        sa.select(
            rows.c.domain,
            rows.c.company_key,
            sa.func.min(rows.c.company).label("company"),
            count.label("row_count"),
            sa.func.sum(count).over(partition_by=rows.c.domain).label("all_count"),
        )
        .where(named)
        .group_by(rows.c.domain, rows.c.company_key)
        .cte("counted")
    )
    # Four in five, so at most one company of a domain passes.
    own = sa.and_(counted.c.row_count >= OWN_ROWS, counted.c.row_count * 5 >= counted.c.all_count * 4)
    return sa.select(counted.c.domain, counted.c.company_key, counted.c.company).where(own)
