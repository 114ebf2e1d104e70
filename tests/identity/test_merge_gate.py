"""A night that merges too many contacts is not published: a key gone wrong looks like that (R6, R103)."""

from pathlib import Path

import pytest

from tests.consolidate.company import Company, day, member, members
from vesper.stage_report import StageFailed


@pytest.mark.requirement("R6", "R103")
def test_a_night_that_merges_more_than_the_policy_allows_is_stopped_with_a_sentence(tmp_path: Path) -> None:
    company = Company(tmp_path / "company")
    numbers = range(100, 130)
    company.land(members(day(0), *[member(str(n), name=f"王{n}", phone=f"13912340{n}") for n in numbers]))
    company.night(day(0))
    twice = [member(str(n + 500), name=f"王{n}", phone=f"13912340{n}", email=f"w{n}@jia.cn") for n in numbers]
    alone = [member(str(n + 900), name=f"王{n}", email=f"w{n}@jia.cn") for n in numbers]
    company.land(members(day(1), *alone))
    company.night(day(1))
    company.land(members(day(2), *twice))
    with pytest.raises(StageFailed, match=r"core__identity_night: 30 of 60 contacts merged in one night"):
        company.night(day(2))
    assert len(company.rows("core__contact")) == 60, "the night before stays in force"
