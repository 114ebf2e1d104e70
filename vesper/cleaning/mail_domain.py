"""Domains of mail addresses: free providers, throw-away providers, made-up ones and slips of the keyboard.

What belongs here: what a domain says about every address in it. What does not: the part before the @ (`email.py`).
"""

from functools import cache
from typing import Literal

from vesper.cleaning.text import words

Verdict = Literal["free", "disposable", "placeholder", "unusable"]

FREE = words(
    """
    qq.com vip.qq.com foxmail.com 163.com vip.163.com 126.com vip.126.com yeah.net 188.com vip.188.com netease.com
    sina.com sina.cn sina.com.cn vip.sina.com vip.sina.cn sohu.com vip.sohu.com tom.com vip.tom.com 21cn.com 139.com
    189.cn wo.cn wo.com.cn aliyun.com 263.net eyou.com chinaren.com sogou.com 2980.com hainan.net citiz.net gmail.com
    googlemail.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de outlook.com outlook.fr outlook.de live.com live.cn
    live.hk msn.com yahoo.com yahoo.cn yahoo.com.cn yahoo.com.hk yahoo.com.tw yahoo.com.sg yahoo.co.jp yahoo.co.uk
    yahoo.co.in yahoo.fr yahoo.de ymail.com rocketmail.com icloud.com me.com mac.com aol.com proton.me protonmail.com
    pm.me gmx.com gmx.de gmx.net web.de t-online.de freenet.de orange.fr wanadoo.fr free.fr laposte.net libero.it
    mail.com mail.ru bk.ru inbox.ru list.ru yandex.ru yandex.com zoho.com fastmail.com hey.com naver.com hanmail.net
    daum.net nate.com netvigator.com hinet.net pchome.com.tw comcast.net verizon.net att.net sbcglobal.net bellsouth.net
    cox.net btinternet.com rediffmail.com
    """
)
"""Providers where anybody may have an address: such a domain names no company."""

MADE_UP = words(
    """
    test.com test.cn test.com.cn test.net test.org testing.com tests.com noemail.com no-email.com nomail.com no-mail.com
    none.com no.com null.com nil.com na.com unknown.com nowhere.com noreply.com fake.com dummy.com asdf.com asd.com
    qwe.com qwerty.com xxx.com xx.com aaa.com aa.com bbb.com 123.com 1234.com 111.com abc.com abcd.com sample.com
    yourdomain.com domain.com yourcompany.com company.com
    """
)
"""Domains that people type to get past a form; a company that owns one is lost among them."""

ENDINGS = {
    **dict.fromkeys(("con", "cmo", "ocm", "comm", "cpm", "cim", "vom", "xom", "c0m", "coom", "ccom", "comn"), "com"),
    **dict.fromkeys(("conm", "coim", "cojm", "cnom", "copm", "clm", "dom", "con.cn"), "com"),
    **dict.fromkeys(("nett", "ner", "nte", "ent"), "net"),
    **dict.fromkeys(("ogr", "orgg", "rog"), "org"),
    **dict.fromkeys(("cnn", "ccn"), "cn"),
}
"""Endings that no registry has, and what was meant. Endings that exist, such as .cm and .om, are not here."""

SLIPS = {
    **dict.fromkeys(("gmial.com", "gamil.com", "gmal.com", "gmai.com", "gmaill.com", "gnail.com"), "gmail.com"),
    **dict.fromkeys(("hotmial.com", "hotmai.com", "hotmal.com", "hotmil.com", "hotmaill.com"), "hotmail.com"),
    **dict.fromkeys(("outlok.com", "outloo.com", "outllook.com", "oulook.com"), "outlook.com"),
    **dict.fromkeys(("yaho.com", "yahooo.com", "yhoo.com"), "yahoo.com"),
    **dict.fromkeys(("foxmial.com", "foxmal.com", "foxmai.com", "foxmaill.com"), "foxmail.com"),
    **dict.fromkeys(("iclould.com", "icoud.com", "icloud.cn"), "icloud.com"),
    **dict.fromkeys(("qq.cm", "qq.co", "qq.om", "qqq.com", "qq.cn", "qq.com.cn", "qq.vom"), "qq.com"),
    **dict.fromkeys(("163.co", "163.cm", "163.cn", "163.om", "163.com.cn", "136.com", "613.com"), "163.com"),
    **dict.fromkeys(("126.co", "126.cm", "126.cn", "126.om", "126.com.cn", "162.com"), "126.com"),
    **dict.fromkeys(("gmail.co", "gmail.cm", "gmail.om", "gmail.cn"), "gmail.com"),
}
"""Slips at large providers. None of these is a provider, whoever owns the domain."""


@cache
def _throw_away() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist) - FREE


@cache
def _reserved() -> tuple[str, ...]:
    """Endings that never reach a mailbox (RFC 2606, RFC 6761)."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES

    return tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)


def verdict(domain: str) -> Verdict | None:
    """What there is to say of a domain in lower case; None of an ordinary one."""
    if domain in FREE:
        return "free"
    if domain in MADE_UP:
        return "placeholder"
    if meant(domain) or f".{domain}".endswith(_reserved()):
        return "unusable"
    parents = domain.split(".")
    ours = (".".join(parents[place:]) for place in range(len(parents) - 1))
    return "disposable" if any(each in _throw_away() for each in ours) else None


def meant(domain: str) -> str | None:
    """The domain that was probably meant, where this one is a slip of the keyboard; for people to read, never to send to."""
    if domain in SLIPS:
        return SLIPS[domain]
    whole, _, ending = domain.rpartition(".")
    if ending not in ENDINGS or not whole:
        return None
    mended = f"{whole}.{ENDINGS[ending]}"
    return SLIPS.get(mended, mended)
