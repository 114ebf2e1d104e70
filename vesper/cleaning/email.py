"""Mail addresses: one form for sending, one for comparing, and a judgement for every value that is not one person's address.

`quick` is SQL and reads nearly every address; `read` is Python and takes apart what is left, a cell at a time. Both only undo how an address was
written. A mistyped ending such as .con is invalid: it is named to people (`likely`) and never mended by guessing.
"""

import re

import sqlalchemy as sa

from vesper.cleaning import mail_domain
from vesper.cleaning.text import folded

# Shorter than any limit of the standard: what is longer, or has other letters, is for the library to judge.
PLAIN = "[a-z0-9_]+([.+-][a-z0-9_]+)*@[a-z0-9]+([.-][a-z0-9]+)*[.][a-z]{2,12}"
LONGEST = 60

NOBODY = (
    "no-?_?[.]?e?-?mails?|none|null|nil|unknown|nobody|noone|dummy|fake|(test(ing|er|mail|user)?|demo)[0-9]{0,4}|"
    "(test){2,}|asdf+(gh)?|qwer(ty)?|x{3,}|a{3,}|your[._-]?(name|e?mail)|meiyou|zanwu"
)
"""Local parts that say that there is no address, at any domain."""
FILLED_IN = (
    "[a-z0-9]{1,2}|(abc)+[0-9]{0,4}|abcd?|xyz|zzz+|name|user(name)?|e?mail|someone|john[._-]?(doe|smith)?|jane[._-]?doe|"
    "0+|1+|2+|3+|6+|8+|9+|012345|12?3?4?5?6?7?8?9?0?"
)
"""Local parts that people type to get past a form, where the domain makes them unlikely too."""
NO_QQ = "[0-9]{1,4}|123456?7?8?9?0?|[1-9]0{4,}|1{5,}|2{5,}|3{5,}|4{5,}|5{5,}|6{5,}|7{5,}|8{5,}|9{5,}"
"""QQ numbers have five digits or more; these are typed, not owned."""
ROLE = (
    "(info(rmation)?|sales?|xiaoshou|marketing|market|shichang|service|services|customer[._-]?(service|care|support)|care|"
    "support|kefu|cs|kf|shouhou|help(desk)?|hello|contact(us)?|enquir(y|ies)|inquir(y|ies)|feedback|office|reception|"
    "qiantai|bangongshi|admin|administrator|root|webmaster|postmaster|hostmaster|abuse|security|it|tech(nical)?|dev|"
    "hr|jobs?|careers?|recruit(ing|ment)?|zhaopin|renshi|finance|caiwu|account(s|ing)?|billing|invoice|fapiao|"
    "purchas(e|ing)|procurement|caigou|orders?|export|import|trade|waimao|logistics|business|bd|pr|ir|media|press|news|"
    "newsletter|legal|team|e?mail|no-?_?reply|do-?not-?reply|mailer-daemon|notifications?|alerts?|shop|store|"
    "booking|reservations?|events?|training|partners?|channel|agent|public|gongsi|[48]00([0-9]{7})?|95[0-9]{3})"
    "([._-]?(cn|china|hk|tw|asia|apac|eu|us|uk|global|sh|bj|sz|gz|[0-9]{1,3}))?"
)
"""Mailboxes of a function: read by many, so that they never tell who a person is."""


def quick(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A plainly written address in lower case; NULL of anything else, which `read` decides."""
    lower = sa.func.lower(value)
    return sa.case((sa.and_(sa.func.length(value) <= LONGEST, sa.func.regexp_full_match(lower, PLAIN)), lower))


def local(address: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """What stands before the @."""
    return sa.func.split_part(address, "@", 1)


def domain(address: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """What stands behind the @."""
    return sa.func.split_part(address, "@", 2)


def status(address: sa.ColumnElement[str], verdict: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """valid, invalid or placeholder, of an address and what its domain says (`mail_domain.verdict`)."""
    return sa.case(
        (sa.or_(address.is_(None), verdict == "unusable"), "invalid"),
        (sa.or_(verdict == "placeholder", _is_placeholder(address, verdict)), "placeholder"),
        else_="valid",
    )


def _is_placeholder(address: sa.ColumnElement[str], verdict: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    before, behind = local(address), domain(address)
    first = sa.func.split_part(behind, ".", 1)
    filled_in = sa.func.regexp_full_match(before, FILLED_IN)
    return sa.or_(
        sa.func.regexp_full_match(before, NOBODY),
        sa.and_(sa.func.regexp_matches(behind, "^example[.]"), filled_in),
        sa.and_(filled_in, sa.or_(first == before, sa.func.length(first) == 1)),
        sa.and_(behind.in_(("qq.com", "vip.qq.com")), sa.func.regexp_full_match(before, NO_QQ)),
        sa.and_(verdict == "free", sa.func.regexp_full_match(before, "123456?7?8?9?0?|abc(123)?|(.)|0+|1+|8+")),
    )


def kind(address: sa.ColumnElement[str], verdict: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """disposable, role or person, of a valid address."""
    return sa.case(
        (verdict == "disposable", "disposable"),
        (sa.func.regexp_full_match(local(address), ROLE), "role"),
        else_="person",
    )


def key(address: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The address for comparing: without a +tag, and at Gmail without dots. Never sent to."""
    gmail = sa.func.regexp_matches(address, "@(gmail|googlemail)[.]com$")
    untagged = sa.func.regexp_replace(address, "^([^+@]+)[+][^@]*@", r"\1@")
    bare = sa.func.replace(sa.func.regexp_replace(local(address), "^([^+]+)[+].*$", r"\1"), ".", "")
    return sa.case((gmail, bare + "@gmail.com"), (sa.func.contains(address, "+"), untagged), else_=address)


# Python, for distinct values that SQL left over

# A stop behind an address ends a sentence; one before it belongs to the address, and makes it a wrong one.
_BEFORE = " \t\r\n,;:、'\"<>()[]"
_BEHIND = _BEFORE + ".。"
_NAMED = re.compile(r"[^<>]*<([^<>]+)>\W*")
_SPLIT = re.compile(r"[;,、/|\s]+")


def read(text: str) -> str | None:
    """The address that a cell holds, in lower case with an ASCII domain; the first one where it holds several, None where it holds none."""
    cell = folded(text).lower()
    named = _NAMED.fullmatch(cell)
    bare = _bare(named[1] if named else cell)
    if (whole := _accepted(bare)) is not None:
        return whole
    parts = [_bare(part) for part in _SPLIT.split(bare)]
    # A blank inside one address is a slip; several addresses are only where each part is one.
    found = [_accepted(part) for part in parts if part]
    return found[0] if len(found) > 1 and None not in found else None


def _bare(text: str) -> str:
    bare = text.lstrip(_BEFORE).removeprefix("mailto:")
    return bare.lstrip(_BEFORE).rstrip(_BEHIND)


def _accepted(address: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    if address.count("@") != 1 or "." not in address.split("@")[1]:
        return None
    try:
        found = validate_email(address, check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        return None
    return found.lower() if found else None


def likely(text: str) -> str | None:
    """The address that was probably meant, where the domain is a slip of the keyboard; for a person to confirm."""
    address = read(text) or _bare(folded(text).lower())
    before, _, behind = address.rpartition("@")
    mended = mail_domain.meant(behind) if before else None
    return f"{before}@{mended}" if mended else None
