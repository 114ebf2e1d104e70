"""Recommendation by rule: what goes together, what is due, what the company states; counted here in plain Python (R118)."""

import datetime as dt
import email
import email.policy
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.explain import explain, explain_why
from tasks.night import directly, run_night
from tasks.recommended import recommended, recommending_now
from tasks.sql import bind_published, open_to_read, run_sql
from tests.conditions.world import Facts, Order, Tables, ago, night
from tests.definitions.conftest import Company
from tests.small_grocer import LAST, SECOND, GrocerNights, change, copied
from vesper.check import checked
from vesper.content_variant import PERSONALISATION
from vesper.marts.product_pair import PRODUCT_PAIR, product_pair
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.recommendation import Recommendation
from vesper.night import Night
from vesper.recommend import recommended_to
from vesper.tables.contact import CONSENT
from vesper.tables.order import PRODUCT
from warehouse.runner import Runner

CODES = ("p1", "p2", "p3", "p4", "p5")
TYPES = {"p1": "COFFEE", "p2": "MILK", "p3": "MILK", "p4": None}
"""What the catalogue calls them: two have one name, one has none, and p5 is not in it."""


def recommendation(*rules: dict[str, Any], most: int = 3) -> Recommendation:
    return Recommendation.model_validate(
        {"id": "main", "says": "推荐", "owner": "marketing", "rules": list(rules), "most": most}
    )


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    small = Tables()
    yield small
    small.connection.close()
    del small.connection


def put(tables: Tables, one: Recommendation, orders: Iterable[Order], **more: Any) -> None:
    people: dict[str, dict[str, Any]] = {"c1": {}, "c2": {}, "c3": {}}
    tonight = night(one)
    tables.put_facts(Facts(people, orders=tuple(orders)), tonight)
    tables.put(
        PRODUCT, [{"product_code": code, "product_type": type, "category": f"C{code}"} for code, type in TYPES.items()]
    )
    refusal = {"channel": "email", "purpose": PERSONALISATION, "is_granted": False, "source": "page"}
    tables.put(CONSENT, [{"contact_id": id, **refusal} for id in more.get("refusing", ())])
    tables.put(SEGMENT_MEMBER, [{"segment_id": "fans", "contact_id": id} for id in more.get("fans", ())])
    tables.make(PRODUCT_PAIR, product_pair(tonight))


def shown(tables: Tables, one: Recommendation, people: Iterable[str] = ("c1", "c2", "c3")) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in tables.rows(recommended_to(one, list(people), night(one))):
        found[row["contact_id"]].append(row["product_code"])
    return dict(found)


def order(person: str | None, days: int, *codes: str, category: str = "COFFEE") -> Order:
    return Order(
        person, ago(days), tuple(Decimal(1) for _ in codes), tuple(category for _ in codes), product_codes=codes
    )


def counted(
    baskets: list[frozenset[str]], at_least: int, least_lift: float
) -> dict[tuple[str, str], tuple[int, float]]:
    """(product, other) -> orders with both and the lift, by plain Python."""
    single = Counter(code for basket in baskets for code in basket)
    both = Counter(pair for basket in baskets for pair in permutations(sorted(basket), 2))
    lifts = {pair: count * len(baskets) / (single[pair[0]] * single[pair[1]]) for pair, count in both.items()}
    return {
        pair: (count, lifts[pair]) for pair, count in both.items() if count >= at_least and lifts[pair] >= least_lift
    }


def best(bought: set[str], pairs: dict[tuple[str, str], tuple[int, float]]) -> list[str]:
    """What goes with something that was bought, the strongest first; nothing that was bought."""
    found: dict[str, tuple[float, int]] = {}
    for (code, other), (count, lift) in pairs.items():
        if code in bought and other not in bought:
            strongest = found.get(other, (0.0, 0))
            found[other] = (max(strongest[0], lift), max(strongest[1], count))
    return sorted(found, key=lambda other: (-found[other][0], -found[other][1], other))


def each_name_once(codes: list[str], name: Callable[[str], str]) -> list[str]:
    """The codes in their order, without those whose name came before."""
    first: dict[str, str] = {}
    for code in codes:
        first.setdefault(name(code), code)
    return list(first.values())


orders = st.lists(
    st.tuples(
        st.sampled_from(["c1", "c2", "c3", None]),
        st.integers(0, 40),
        st.lists(st.sampled_from(CODES), min_size=1, max_size=4, unique=True),
    ),
    max_size=30,
)


@pytest.mark.requirement("R118")
@settings(max_examples=40)
@given(drawn=orders, at_least=st.integers(2, 4), lift=st.sampled_from([1.0, 1.2]))
def test_what_goes_together_is_what_plain_python_counts(
    tables: Tables, drawn: list[tuple[str | None, int, list[str]]], at_least: int, lift: float
) -> None:
    one = recommendation({"bought_with": {"within": "30d", "at_least": at_least, "lift": lift}}, most=50)
    put(tables, one, [order(person, days, *codes) for person, days, codes in drawn])
    expected = counted([frozenset(codes) for _who, days, codes in drawn if days < 30], at_least, lift)
    found = tables.rows(PRODUCT_PAIR.select())
    got = {(row["product_code"], row["other_code"]): (row["together_count"], row["lift_ratio"]) for row in found}
    assert got.keys() == expected.keys()
    assert all(got[key] == pytest.approx(expected[key]) for key in got)
    bought = {id: {code for who, _days, codes in drawn if who == id for code in codes} for id in ("c1", "c2", "c3")}
    for id, codes in bought.items():
        assert shown(tables, one).get(id, []) == each_name_once(best(codes, expected), called)


def called(code: str) -> str:
    return TYPES.get(code) or (f"C{code}" if code in TYPES else code)


@pytest.mark.requirement("R118", "R37")
@pytest.mark.parametrize(("within", "codes"), [("3d", []), ("4d", ["p1"]), ("30d", ["p1"])])
def test_what_is_due_is_what_was_bought_most_often(tables: Tables, within: str, codes: list[str]) -> None:
    """Bought every 14 days, last 10 days ago: needed again in 4."""
    one = recommendation({"replenishment": {"category": ["COFFEE"], "within": within}})
    put(
        tables, one, [order("c1", days, "p1", "p2") if days == 10 else order("c1", days, "p1") for days in (10, 24, 38)]
    )
    assert shown(tables, one).get("c1", []) == codes


@pytest.mark.requirement("R118", "R37")
def test_of_two_categories_the_sooner_comes_first_and_what_is_overdue_still_counts(tables: Tables) -> None:
    one = recommendation({"replenishment": {"category": ["COFFEE", "SOUP"], "within": "7d"}})
    soup = [order("c1", days, "p4", category="SOUP") for days in (12, 22, 32)]  # needed 2 days ago
    put(tables, one, [*soup, *[order("c1", days, "p1") for days in (10, 24, 38)]])
    assert shown(tables, one) == {"c1": ["p4", "p1"]}


@pytest.mark.requirement("R118")
def test_the_companys_own_list_follows_in_its_order_each_name_once(tables: Tables) -> None:
    listed = {"list": {"codes": ["p5", "p3", "p2", "p4"], "segment": "fans"}}
    one = recommendation(
        {"replenishment": {"category": ["COFFEE"], "within": "7d"}}, listed, {"list": {"codes": ["p1"]}}
    )
    put(tables, one, [order("c1", days, "p1") for days in (10, 24, 38)], fans=("c1", "c2"))
    assert shown(tables, one) == {"c1": ["p1", "p5", "p3"], "c2": ["p5", "p3", "p4"], "c3": ["p1"]}
    assert shown(tables, one, ["c2"]) == {"c2": ["p5", "p3", "p4"]}
    assert shown(tables, one, []) == {}


@pytest.mark.requirement("R118")
def test_who_refuses_personalisation_is_recommended_nothing(tables: Tables) -> None:
    one = recommendation({"list": {"codes": ["p1"]}})
    put(tables, one, [], refusing=("c2",))
    assert shown(tables, one) == {"c1": ["p1"], "c3": ["p1"]}


def test_without_a_recommendation_nothing_is_counted(tables: Tables) -> None:
    one = recommendation({"list": {"codes": ["p1"]}})
    put(tables, one, [order("c1", 1, "p1", "p2"), order("c2", 1, "p1", "p2")])
    assert tables.rows(PRODUCT_PAIR.select()) == []


@pytest.mark.requirement("R118")
def test_check_says_what_is_wrong(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.write(
        "recommendations/main.yml",
        "says: x\nowner: o\nrules:\n  - {list: {codes: [p1], segment: dormat}}\n"
        "  - {replenishment: {category: [A], within: 3d}}\n",
    )
    text = "        {% for one in recommended %}{{ one.name }}{% endfor %}\n      退订"
    company.spoil("content/winback", "      退订", text.replace("        ", "      ", 1))
    said = [problem.what for problem in company.problems()]
    assert said == ["There is no segment dormat.", "No source feeds product, so replenishment can never hold."]
    silent = "It shows what is recommended, and recommends nothing: the list is always empty."
    assert silent in [warning.what for warning in checked(tmp_path).warnings]
    file = tmp_path / "definitions/content/winback.yml"
    file.write_text(file.read_text(encoding="utf-8") + "recommends: mian\n", encoding="utf-8")
    found = checked(tmp_path)
    assert silent not in [warning.what for warning in found.warnings]
    assert ["main?" in one.instead for one in found.problems if "no recommendation mian" in one.what] == [True]
    company.write("recommendations/main.yml", "says: x\nowner: o\nrules:\n  - {bought_with: {}, list: {codes: [p1]}}\n")
    assert "A rule finds products in one way." in [problem.what for problem in company.problems()]


RECOMMENDATION = """\
says: {zh_CN: 一起买的, en: Bought together}
owner: marketing@grocer.example.com
rules:
  - bought_with: {within: 90d, at_least: 3, lift: 1.5}
most: 4
"""
LIST = "{% for one in recommended %}<{{ one.code }}>{% endfor %}"


@pytest.fixture(scope="module")
def grocer(grocer_nights: GrocerNights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The night of New Year once more, with a recommendation in the mail of the win-back, which a matrix sends to some."""
    root = copied(grocer_nights.after[SECOND], tmp_path_factory.mktemp("recommended") / "grocer")
    (root / "definitions/recommendations").mkdir()
    (root / "definitions/recommendations/together.yml").write_text(RECOMMENDATION, encoding="utf-8")
    (root / "definitions/content/winback_coupon.yml").write_text(MAIL, encoding="utf-8")
    (root / "definitions/matrix").mkdir()
    (root / "definitions/matrix/main.yml").write_text(MATRIX, encoding="utf-8")
    campaign = root / "definitions/campaigns/winback_silent.yml"
    change(campaign, "channel: email\ncontent: winback_coupon", "content: {matrix: main}")
    run_night(directly, root, LAST, True)
    return root


MAIL = f"""\
says: 推荐
owner: marketing@grocer.example.com
recommends: together
messages:
  zh_CN:
    subject: 一起买
    text: "[{LIST}] {{{{ unsubscribe_url }}}}"
"""


MATRIX = """\
says: 谁得到什么
owner: marketing@grocer.example.com
channels: [email]
rows:
  - {id: others, stages: [prospect, first_purchase, repurchase, at_risk], content: winback_coupon}
  - {id: regulars, stages: [loyal], gap: 他们本来就来}
"""


def rows(root: Path, sql: str) -> list[Any]:
    return list(run_sql(root, sql)[1])


@pytest.mark.requirement("R118")
def test_the_pairs_of_the_grocers_real_products_are_those_of_plain_python(grocer: Path) -> None:
    first = LAST - dt.timedelta(days=90)
    baskets: dict[Any, set[str]] = defaultdict(set)
    for on, id, code in rows(grocer, "select ordered_on, order_id, product_code from core__order_line"):
        if first < on <= LAST:
            baskets[on, id].add(code)
    expected = counted([frozenset(basket) for basket in baskets.values()], 3, 1.5)
    found = rows(grocer, "select product_code, other_code, together_count, lift_ratio, place from mart__product_pair")
    got = {(one, other): (count, lift) for one, other, count, lift, _place in found}
    by_product = Counter(one for one, _other in expected)
    whole = {pair for pair in expected if by_product[pair[0]] <= 50}
    assert len(whole) > 100
    assert {pair for pair in got if by_product[pair[0]] <= 50} == whole
    assert all(got[pair] == pytest.approx(expected[pair]) for pair in got)
    assert all(count <= 50 for count in Counter(one for one, *_rest in found).values())


@pytest.mark.requirement("R118", "R122")
def test_the_mails_of_the_night_show_what_each_person_is_recommended(grocer: Path) -> None:
    bought: dict[str, set[str]] = defaultdict(set)
    for id, code in rows(grocer, "select contact_id, product_code from core__order_line where contact_id is not null"):
        bought[id].add(code)
    pairs = {
        (one, other): (count, lift)
        for one, other, count, lift in rows(
            grocer, "select product_code, other_code, together_count, lift_ratio from mart__product_pair"
        )
    }
    names: dict[str, str] = dict(
        rows(grocer, "select product_code, coalesce(product_type, category, product_code) from core__product")
    )
    sent = dict(rows(grocer, "select message_id, contact_id from out__message where campaign_id = 'winback_silent'"))
    mails = {file.name.split(".")[0]: file for file in (grocer / ".vesper/sink").glob("*.eml")}
    seen = {}
    for message_id, file in mails.items():
        if message_id in sent:
            text = body_of(file)
            seen[sent[message_id]] = [code for code in text.split("]")[0].strip("[").strip("<>").split("><") if code]
    assert len(seen) > 10
    assert any(seen.values())
    for id, codes in seen.items():
        assert codes == each_name_once(best(bought[id], pairs), lambda code: names.get(code, code))[:4], id


def body_of(file: Path) -> str:
    parsed = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    part = parsed.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.mark.requirement("R78", "R83")
def test_the_night_sends_by_the_matrix_and_loses_nobody(grocer: Path) -> None:
    segment = "select contact_id, stage from mart__segment_member left join mart__lifecycle using (contact_id)"
    stages = dict(rows(grocer, f"{segment} where segment_id = 'silent_90d'"))
    mine = "where campaign_id = 'winback_silent'"
    sent = dict(
        rows(grocer, f"select contact_id, content_id || '/' || variant || '/' || channel from out__message {mine}")
    )
    refused = {
        id: (why, what) for id, why, what in rows(grocer, f"select contact_id, reason, detail from out__refusal {mine}")
    }
    assert set(sent.values()) == {"winback_coupon/default/email"}
    assert sent.keys() | refused.keys() == stages.keys()
    assert not sent.keys() & refused.keys()
    loyal = {id for id, stage in stages.items() if stage == "loyal"}
    assert loyal
    assert {id for id, (why, _what) in refused.items() if why == "gap"} == loyal
    assert {refused[id][1] for id in loyal} == {"regulars"}


@pytest.mark.requirement("R78", "R110")
def test_a_persons_page_says_which_row_they_met(grocer: Path) -> None:
    of_stage = "select min(contact_id) from mart__lifecycle join mart__segment_member using (contact_id) where segment_id = 'silent_90d' and stage"
    ((loyal,),) = rows(grocer, f"{of_stage} = 'loyal'")
    ((other,),) = rows(grocer, f"{of_stage} <> 'loyal'")
    page = explain(grocer, loyal)
    assert "| main | regulars | **缺口**: regulars | - | - | `definitions/matrix/main.yml`" in page
    assert "缺口: regulars" in page.split("## 未发送")[-1]
    assert "| main | others | winback_coupon | 通用 | email |" in explain(grocer, other)
    assert "| main | others | winback_coupon | 通用 | email |" in explain_why(grocer, other, "winback_silent")
    campaign = explain(grocer, "winback_silent")
    assert "`definitions/matrix/main.yml`" in campaign
    assert "`definitions/content/winback_coupon.yml`" in campaign


@pytest.mark.requirement("R118")
def test_between_nights_the_published_tables_are_asked(grocer: Path) -> None:
    with open_to_read(grocer) as house, Runner(house.lake) as runner:
        bind_published(house, runner)
        recommend = recommending_now(house, runner, Night(LAST, house.workspace, house.definitions_at(None)))
        ids = [id for (id,) in rows(grocer, "select contact_id from core__contact order by 1 limit 60")]
        found = recommended([("together", id) for id in ids], recommend)
        assert {id for _one, id in found} <= set(ids)
        assert found
        assert all(1 <= len(products) <= 4 for products in found.values())
        assert all(set(product) == {"name", "code"} for products in found.values() for product in products)
        assert dict(recommended([("gone", id) for id in ids], recommend)) == {}
