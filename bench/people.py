"""Invented people of China as a CRM, forms, a hotline and WeChat hold them: any number of records, the truth beside them, the same for the same seed.

What belongs here: who there is, what each record says of them, and the slips on the way: homophones, traditional characters, pinyin in either order,
titles, typos, families on one phone, offices on one switchboard, mailboxes of a role. What does not: their names (people_names.py), linking them.
Run `python -m bench.people COUNT FILE [--seed SEED]` for a file that `bench.identity` reads.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.people_names import (
    CITIES,
    FORMS,
    FREE_MAIL,
    MOBILE_HEADS,
    ROLES,
    SOUNDS,
    SOURCES,
    SURNAMES,
    TITLES,
    TRADES,
    TRADITIONAL,
)

PER_PERSON = 0.62
MOST_RECORDS = 50
TAIL = 2.35
SECONDS_OF_A_YEAR = 31_536_000
FIRST_SECOND = 1_640_995_200
Array = np.ndarray[Any, Any]


@dataclass
class Crowd:
    """Everybody there is, one place each; a record points to a place."""

    surname: Array
    given: Array
    surname_sound: Array
    given_sound: Array
    phone: Array
    phone_2: Array
    mail: Array
    work_mail: Array
    company: Array
    company_stem: Array
    domain: Array
    switchboard: Array
    city: Array


def people(count: int, seed: int) -> pa.Table:
    """`count` records: unique_id, truth, source, updated_at, name, phone, email, company, city, openid, unionid, crm_id."""
    draw = np.random.default_rng(seed)
    crowd = _crowd(draw, max(1, int(count * PER_PERSON)))
    who = _who(draw, count, len(crowd.surname))
    source = draw.choice(list(SOURCES), count, p=np.array(list(SOURCES.values())) / 100)
    columns = {
        "unique_id": draw.permutation(count),
        "truth": who,
        "source": source,
        "updated_at": FIRST_SECOND + draw.integers(0, SECONDS_OF_A_YEAR, count),
        "name": _names(draw, crowd, who),
        "phone": _phones(draw, crowd, who, source),
        "email": _mails(draw, crowd, who),
        "company": _companies(draw, crowd, who),
        "city": _unless(draw.random(count) < 0.2, crowd.city[who]),
        **_ids(draw, who, source),
    }
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()}).sort_by("unique_id")


def _who(draw: np.random.Generator, count: int, persons: int) -> Array:
    """Whose record each one is: most people have one, few have up to fifty."""
    sizes = np.arange(1, MOST_RECORDS + 1)
    share = sizes**-TAIL
    size = draw.choice(sizes, persons, p=share / share.sum())
    every = np.repeat(np.arange(persons), size)
    if len(every) < count:
        every = np.concatenate(
            [every, draw.choice(np.nonzero(size < MOST_RECORDS // 2)[0], count - len(every), replace=False)]
        )
    return draw.permutation(every)[:count]


def _crowd(draw: np.random.Generator, count: int) -> Crowd:
    sounds, letters, frequency = _given_names()
    places = [draw.choice(len(letters), count, p=frequency) for _ in range(2)]
    is_short = draw.random(count) < 0.22
    given = np.where(is_short, letters[places[0]], np.char.add(letters[places[0]], letters[places[1]]))
    given_sound = np.where(is_short, sounds[places[0]], np.char.add(sounds[places[0]], sounds[places[1]]))
    common = np.array([share for _, share in SURNAMES.values()], float)
    family = draw.choice(len(SURNAMES), count, p=common / common.sum())
    surname = np.array(list(SURNAMES))[family]
    surname_sound = np.array([sound for sound, _ in SURNAMES.values()])[family]
    # A family shares a phone and, mostly, a surname: neighbours in the crowd.
    is_kin = draw.random(count) < 0.05
    kin = np.maximum(np.arange(count) - 1, 0)
    shares_name = is_kin & (draw.random(count) < 0.6)
    surname, surname_sound = (np.where(shares_name, what[kin], what) for what in (surname, surname_sound))
    phone = _mobile(draw, count)
    phone = np.where(is_kin, phone[kin], phone)
    works = _Works.invented(draw, count)
    mail = np.char.add(
        np.char.add(np.char.add(given_sound, draw.integers(10, 99_999, count).astype(str)), "@"),
        draw.choice(FREE_MAIL, count),
    )
    user = np.char.add(
        np.char.add(np.char.add(surname_sound, "."), given_sound),
        np.where(draw.random(count) < 0.5, "", draw.integers(1, 99, count).astype(str)),
    )
    return Crowd(
        surname, given, surname_sound, given_sound, phone, _mobile(draw, count), mail,
        np.char.add(np.char.add(user, "@"), works.domain), works.name, works.stem, works.domain, works.switchboard,
        np.where(draw.random(count) < 0.85, works.city, draw.choice(CITIES, count)),
    )  # fmt: skip


def _given_names() -> tuple[Array, Array, Array]:
    """Sound, character and frequency of every given-name character; the first of a sound is its commonest."""
    found = [
        (sound, letter, 1 / (1 + place)) for sound, letters in SOUNDS.items() for place, letter in enumerate(letters)
    ]
    frequency = np.array([share for _, _, share in found])
    return np.array([s for s, _, _ in found]), np.array([c for _, c, _ in found]), frequency / frequency.sum()


@dataclass
class _Works:
    """Where each person works; empty for those of whom no employer is known."""

    name: Array
    stem: Array
    domain: Array
    switchboard: Array
    city: Array

    @classmethod
    def invented(cls, draw: np.random.Generator, count: int) -> "_Works":
        """An employer for each person, some employing many."""
        firms = max(1, count // 6)
        letters = np.array([c for group in SOUNDS.values() for c in group])
        city = draw.choice(CITIES, firms)
        stem = city
        for part in (draw.choice(letters, firms), draw.choice(letters, firms), draw.choice(TRADES, firms)):
            stem = np.char.add(stem, part)
        name = np.char.add(stem, draw.choice(FORMS, firms, p=(0.7, 0.1, 0.15, 0.05)))
        domain = np.char.add(
            np.char.add("corp", np.arange(firms).astype(str)), draw.choice((".com", ".com.cn", ".cn"), firms)
        )
        board = np.char.add("021-5", draw.integers(1_000_000, 9_999_999, firms).astype(str))
        where = np.minimum((draw.random(count) ** 1.6 * firms).astype(int), firms - 1)
        return cls(name[where], stem[where], domain[where], board[where], city[where])


def _mobile(draw: np.random.Generator, count: int) -> Array:
    tail = np.char.zfill(draw.integers(0, 100_000_000, count).astype(str), 8)
    return np.char.add(draw.choice(MOBILE_HEADS, count), tail)


def _unless(is_missing: Array, values: Array) -> Array:
    found = values.astype(object)
    found[is_missing] = None
    return found


def _names(draw: np.random.Generator, crowd: Crowd, who: Array) -> Array:
    """Names as they were heard, typed and romanised."""
    surname, given = crowd.surname[who], crowd.given[who]
    kind = draw.random(len(who))
    found = np.char.add(surname, given).astype(object)

    def some(low: float, high: float) -> Array:
        (places,) = np.nonzero((kind >= low) & (kind < high))
        return places

    heard = some(0.0, 0.025)
    found[heard] = [surname[i] + _homophone(draw, given[i]) for i in heard]
    traditional = some(0.025, 0.05)
    found[traditional] = ["".join(TRADITIONAL.get(c, c) for c in found[i]) for i in traditional]
    romanised = some(0.05, 0.075)
    found[romanised] = [_romanised(draw, crowd.surname_sound[who[i]], crowd.given_sound[who[i]]) for i in romanised]
    titled = some(0.075, 0.11)
    found[titled] = np.char.add(surname[titled], draw.choice(TITLES, len(titled)))
    wrong = some(0.11, 0.12)
    letters = [c for group in SOUNDS.values() for c in group]
    found[wrong] = np.char.add(
        np.char.add(surname[wrong], np.array([g[:-1] for g in given[wrong]], "U2")), draw.choice(letters, len(wrong))
    )
    found[some(0.12, 0.17)] = None
    return found


HOMOPHONES = {letter: letters for letters in SOUNDS.values() for letter in letters}


def _homophone(draw: np.random.Generator, given: str) -> str:
    """One character of the name as somebody who only heard it would write it."""
    place = int(draw.integers(len(given)))
    letters = HOMOPHONES[given[place]]
    return given[:place] + letters[int(draw.integers(len(letters)))] + given[place + 1 :]


def _romanised(draw: np.random.Generator, surname: str, given: str) -> str:
    forms = (
        f"{surname.title()} {given.title()}",
        f"{given.title()} {surname.title()}",
        f"{surname} {given}",
        f"{given.upper()} {surname.upper()}",
    )
    return forms[int(draw.integers(len(forms)))]


def _typo(draw: np.random.Generator, values: Array, share: float) -> Array:
    """One digit or letter of some values replaced."""
    found = values.astype(object)
    (hit,) = np.nonzero(draw.random(len(values)) < share)
    for i in hit:
        place = int(draw.integers(3, max(4, len(found[i]) - 4)))
        found[i] = found[i][:place] + str(draw.integers(0, 10)) + found[i][place + 1 :]
    return found


def _phones(draw: np.random.Generator, crowd: Crowd, who: Array, source: Array) -> Array:
    """The first mobile mostly, the second sometimes, the office's switchboard, nothing; with slips and in several spellings."""
    count = len(who)
    found = _typo(draw, np.where(draw.random(count) < 0.86, crowd.phone[who], crowd.phone_2[who]), 0.015)
    spelled = draw.random(count)
    dashed = (spelled < 0.08).nonzero()[0]
    found[dashed] = [f"{text[:3]}-{text[3:7]}-{text[7:]}" for text in found[dashed]]
    coded = ((spelled >= 0.08) & (spelled < 0.16)).nonzero()[0]
    found[coded] = ["+86 " + text for text in found[coded]]
    at_work = draw.random(count) < 0.06
    found[at_work] = crowd.switchboard[who][at_work]
    missing = np.where(source == "hotline_400", 0.01, np.where(source == "wechat", 0.4, 0.18))
    found[draw.random(count) < missing] = None
    return found


def _mails(draw: np.random.Generator, crowd: Crowd, who: Array) -> Array:
    count = len(who)
    found = _typo(draw, np.where(draw.random(count) < 0.55, crowd.work_mail[who], crowd.mail[who]), 0.008)
    role = draw.random(count) < 0.03
    found[role] = np.char.add(np.char.add(draw.choice(ROLES, int(role.sum())), "@"), crowd.domain[who][role])
    upper = draw.random(count) < 0.04
    found[upper] = [text.upper() for text in found[upper]]
    found[draw.random(count) < 0.34] = None
    return found


def _companies(draw: np.random.Generator, crowd: Crowd, who: Array) -> Array:
    """The whole name, the name without its form, its traditional spelling, or nothing."""
    count = len(who)
    found = crowd.company[who].astype(object)
    kind = draw.random(count)
    short = kind < 0.2
    found[short] = crowd.company_stem[who][short]
    found[kind > 0.55] = None
    return found


def _ids(draw: np.random.Generator, who: Array, source: Array) -> dict[str, Array]:
    """Ids that systems give: WeChat's by app and over apps, and the CRM's, which has the same person twice now and then."""
    account = who.astype(str)
    again = np.where(draw.random(len(who)) < 0.04, "b", "")
    from_crm, from_wechat = source == "crm", source == "wechat"
    return {
        "openid": _unless(~from_wechat, np.char.add("o", account)),
        "unionid": _unless(~from_wechat | (draw.random(len(who)) < 0.6), np.char.add("u", account)),
        "crm_id": _unless(~from_crm, np.char.add(np.char.add("C", account), again)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Invented records of people, with the truth beside them.")
    parser.add_argument("count", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=20_260_301)
    arguments = parser.parse_args()
    pq.write_table(people(arguments.count, arguments.seed), arguments.file, compression="zstd")


if __name__ == "__main__":
    main()
