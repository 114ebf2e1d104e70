"""Who falls into which arm: stable, split as declared, the same in any order, and nothing of one experiment in another (R92)."""

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.experiments.company import experiment
from vesper.experiment.assign import arm_by_hash, arm_of, bucket, bucket_of

IDS = [f"c{n:016x}" for n in range(20_000)]
contacts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)


@pytest.mark.requirement("R92")
@given(contacts, st.sampled_from(["a", "b"]))
def test_a_person_always_falls_into_the_same_arm(contact_id: str, id: str) -> None:
    assert arm_of(experiment(id), contact_id) == arm_of(experiment(id), contact_id)


@pytest.mark.requirement("R92")
@given(contacts)
def test_neither_the_question_nor_the_dates_nor_the_words_deal_people_anew_but_another_salt_may(
    contact_id: str,
) -> None:
    mine = arm_of(experiment(), contact_id)
    assert arm_of(experiment(question="Anything else?", baseline=0.3), contact_id) == mine
    assert bucket("a", "1", contact_id) != bucket("a", "2", contact_id)


@pytest.mark.requirement("R92")
@given(st.lists(contacts, min_size=1, max_size=20, unique=True), st.randoms())
def test_sql_deals_as_python_does_in_any_order(ids: list[str], random: object) -> None:
    one = experiment(of_audience=0.6, arms=THREE)
    shuffled = sorted(ids, key=lambda _: random.random())  # type: ignore[attr-defined]
    engine = sa.create_engine("duckdb:///:memory:")
    given = sa.values(sa.column("contact_id", sa.String), name="given").data([(id,) for id in shuffled])
    with engine.connect() as connection:
        rows = connection.execute(
            sa.select(given.c.contact_id, arm_by_hash(one, given.c.contact_id), bucket_of("k", "s", given.c.contact_id))
        ).all()
    assert {row[0]: row[1] for row in rows} == {id: arm_of(one, id) for id in ids}
    assert {row[0]: row[2] for row in rows} == {id: bucket("k", "s", id) for id in ids}


THREE = [
    {"id": "plain", "share": 0.5, "variant": "default"},
    {"id": "question", "share": 0.3, "variant": "asks"},
    {"id": "story", "share": 0.2, "content": "story"},
]


@pytest.mark.requirement("R92")
def test_the_split_is_as_declared() -> None:
    one = experiment(arms=THREE)
    dealt = [arm_of(one, id) for id in IDS]
    for arm in one.arms:
        tolerance = 4 * (arm.share * (1 - arm.share) / len(IDS)) ** 0.5
        assert dealt.count(arm.id) / len(IDS) == pytest.approx(arm.share, abs=tolerance)


@pytest.mark.requirement("R92")
def test_who_takes_part_says_nothing_of_the_arm() -> None:
    one = experiment(of_audience=0.3)
    dealt = [arm_of(one, id) for id in IDS]
    asked = [arm for arm in dealt if arm is not None]
    assert len(asked) / len(IDS) == pytest.approx(0.3, abs=0.015)
    assert asked.count("plain") / len(asked) == pytest.approx(0.5, abs=0.03)


@pytest.mark.requirement("R92")
def test_one_experiment_says_nothing_of_another() -> None:
    one, other = (np.array([arm_of(experiment(id), contact) == "plain" for contact in IDS]) for id in ("a", "b"))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / len(IDS) ** 0.5
