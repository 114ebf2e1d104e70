"""`vesper preview` and `vesper map`: real people, masked, each variant at least once, both parts; nothing is written but the pages."""

import html
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from tasks.content_page import map_of
from tasks.preview import FOLDER, Preview, preview, previewed
from tasks.sql import Unanswered, open_to_read, run_sql
from tests.small_grocer import LAST, GrocerNights, change, copied
from vesper.problem import DefinitionsInvalid
from warehouse.ledger.engine import reading
from warehouse.ledger.schema import MESSAGE

CAMPAIGN = "winback_silent"


@pytest.fixture(scope="module")
def grocer(grocer_nights: GrocerNights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(grocer_nights.after[LAST], tmp_path_factory.mktemp("preview") / "grocer")


def found(root: Path, id: str, people: int = 6) -> Preview:
    with open_to_read(root) as house:
        return previewed(house, id, people)


@pytest.mark.requirement("R79", "R122")
def test_each_variant_is_shown_to_real_people_in_both_parts(grocer: Path) -> None:
    seen = found(grocer, CAMPAIGN)
    assert {one.variant for one in seen.shown} == {"default", "baby", "coffee"}
    assert sum(row["people"] for row in seen.people) == len(members(grocer, "silent_90d"))
    for one in seen.shown:
        assert one.mail.subject.startswith("广告：")
        assert "unsubscribe" in one.mail.text
        assert re.search(r'<a href="[^"]*unsubscribe', one.mail.html)
    by_variant = {one.variant: one.mail.text for one in seen.shown}
    assert "婴儿食品" in by_variant["baby"]
    assert "新豆" in by_variant["coffee"]
    assert "婴儿食品" not in by_variant["default"]


@pytest.mark.requirement("R122")
def test_nobody_can_be_recognised(grocer: Path) -> None:
    text = preview(grocer, CAMPAIGN, 50)
    page = (grocer / ".vesper" / FOLDER / "winback_silent.html").read_text(encoding="utf-8")
    names, mails = zip(*run_sql(grocer, "select name, email from core__contact where name is not null")[1], strict=True)
    for shown in (text, html.unescape(html.unescape(page))):
        assert [name for name in names if len(name) > 1 and name in shown] == []
        assert [mail for mail in filter(None, mails) if mail in shown] == []
    assert re.search(r"收件人: \S\*\*@\S\*\*", text)
    assert re.search(r"\S\*\*，您好", text)


def test_the_page_holds_both_parts_in_frames_that_run_nothing(grocer: Path) -> None:
    text = preview(grocer, CAMPAIGN)
    page = (grocer / ".vesper" / FOLDER / "winback_silent.html").read_text(encoding="utf-8")
    shown = text.count("```text")
    assert page.count('<iframe sandbox="" srcdoc="') == page.count("<pre>") == shown >= 3
    assert "<script" not in page
    assert "preview/winback_silent.html" in text


def test_a_preview_plans_and_records_nothing(grocer: Path) -> None:
    def messages() -> int:
        with open_to_read(grocer) as house, reading(house.engine) as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(MESSAGE)).scalar_one())

    before = messages()
    preview(grocer, CAMPAIGN)
    assert messages() == before > 0


def test_so_many_people_and_never_fewer_than_the_variants(grocer: Path) -> None:
    assert len(found(grocer, CAMPAIGN, 1).shown) == 3
    many = found(grocer, CAMPAIGN, 12)
    assert len([one for one in many.shown if one.to]) == 12


def test_a_content_of_its_own_is_shown_to_all(grocer: Path) -> None:
    everybody = run_sql(grocer, "select count(*) from core__contact")[1][0][0]
    change(grocer / "definitions/campaigns/winback_silent.yml", "segment: silent_90d", "segment: rfm_champion")
    some = found(grocer, CAMPAIGN)
    assert sum(row["people"] for row in some.people) == len(members(grocer, "rfm_champion"))
    (grocer / "definitions/content/plain.yml").write_text(PLAIN, encoding="utf-8")
    plain = found(grocer, "plain")
    assert sum(row["people"] for row in plain.people) == everybody
    assert {one.variant for one in plain.shown} == {"default"}


def test_what_is_wrong_is_said_and_not_shown(grocer: Path) -> None:
    with pytest.raises(Unanswered, match=CAMPAIGN):
        preview(grocer, "winback_silnt")
    broken = grocer / "definitions/content/broken.yml"
    broken.write_text(PLAIN.replace("{{ company }}", "{{ compny }}"), encoding="utf-8")
    with pytest.raises(DefinitionsInvalid, match=r"broken.yml:7: .*compny"):
        preview(grocer, "plain")
    broken.unlink()


@pytest.mark.requirement("R78")
def test_the_maps_are_pages_with_their_gaps(repository: Path, tmp_path: Path) -> None:
    root = copied_example(repository, tmp_path)
    both = map_of(root)
    assert "| 潜客 | 关注电能质量 | - | 电能质量案例邮件 (`power_quality_case`) | email, webhook |" in both
    assert "- prospect_quiet: 还没有唤醒安静潜客的内容" in both
    assert "★ 30 分钟线上演示" in both
    assert "阶段“选型比较”没有写 便利 Convenience。" in both
    assert {file.name for file in (root / ".vesper/maps").iterdir()} == {"matrix_main.html", "journey_map_main.html"}
    with pytest.raises(Unanswered, match="mian"):
        map_of(root, "mian")


def copied_example(repository: Path, to: Path) -> Path:
    example = repository / "examples/instruments"
    root = to / "instruments"
    copied(example / "definitions", root / "definitions")
    (root / "vesper.toml").write_bytes((example / "vesper.toml").read_bytes())
    return root


def members(root: Path, segment: str) -> list[str]:
    rows = run_sql(root, f"select contact_id from mart__segment_member where segment_id = '{segment}'")[1]
    return [row[0] for row in rows]


PLAIN = """\
says: 通知
owner: marketing
messages:
  zh_CN:
    subject: 通知
    markdown: |
      {{ company }} [退订]({{ unsubscribe_url }})
"""


MATRIX = """\
says: 谁得到什么
owner: marketing@grocer.example.com
channels: [email]
rows:
  - {id: risk, stages: [at_risk], content: winback_coupon}
  - {id: rest, stages: [loyal, repurchase, first_purchase], content: plain}
  - {id: new, stages: [prospect], gap: 还没有}
"""


@pytest.mark.requirement("R78", "R79")
def test_a_campaign_by_matrix_shows_each_content_to_those_it_has_it_for(grocer: Path) -> None:
    (grocer / "definitions/matrix").mkdir(exist_ok=True)
    (grocer / "definitions/matrix/main.yml").write_text(MATRIX, encoding="utf-8")
    (grocer / "definitions/content/plain.yml").write_text(PLAIN, encoding="utf-8")
    file = grocer / "definitions/campaigns/winback_silent.yml"
    before = file.read_text(encoding="utf-8")
    change(file, "channel: email\n", "")
    change(file, "content: winback_coupon", "content: {matrix: main}")
    try:
        seen = found(grocer, CAMPAIGN)
        stages = "select stage from mart__lifecycle join mart__segment_member using (contact_id) where segment_id = "
        segment = re.search(r"segment: (\w+)", before)
        counted = [row[0] for row in run_sql(grocer, f"{stages}'{segment[1] if segment else ''}'")[1]]
        people = {
            id: sum(row["people"] for row in seen.people if row["content_id"] == id)
            for id in ("winback_coupon", "plain")
        }
        assert people["winback_coupon"] == counted.count("at_risk")
        assert people["plain"] == len(
            [stage for stage in counted if stage in ("loyal", "repurchase", "first_purchase")]
        )
        assert {one.content_id for one in seen.shown} <= {"winback_coupon", "plain"}
    finally:
        file.write_text(before, encoding="utf-8")
        (grocer / "definitions/matrix/main.yml").unlink()
