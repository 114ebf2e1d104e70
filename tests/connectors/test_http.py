"""Asking an interface over HTTP, on a real one: every page once, later only what is new, patient while it is busy, and silent about secrets."""

import datetime as dt
import traceback
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectors.sources import Cursor, NotFetched, Request, asked, land, pull
from connectors.sources._http_session import retry_after, waiting
from connectors.sources.http import pull as pull_with_sleep
from tests.connectors.interface import Answer, Call, interface
from vesper.model.pull import HttpPull

CUTOFF = dt.datetime(2026, 11, 22, 12, 0)
ON = dt.date(2026, 11, 22)
LEADS = [{"id": 13800000000 + n, "name": f"王小{n}", "updated_at": f"2026-11-2{n % 2}T0{n}:00:00Z"} for n in range(7)]


def how(url: str, **settings: Any) -> HttpPull:
    return HttpPull.model_validate({"url": url, "per_second": 100, **settings})


def request(since: str | None = None, **environment: str) -> Request:
    cursor = Cursor("text", since) if since else None
    return Request(cursor, CUTOFF, "Asia/Shanghai", ("id", "name"), environment)


def landed(tmp_path: Path, settings: HttpPull, asking: Request) -> list[dict[str, Any]]:
    path = tmp_path / "lead" / f"{ON}.parquet"
    land(path, pull("http", settings, asking), ON, "it", asking.since)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    return list(pq.read_table(path).to_pylist())


def by_page(call: Call, number: int) -> Answer:
    page = int(call.params["page"])
    return Answer({"data": {"items": LEADS[3 * page - 3 : 3 * page]}})


def by_offset(call: Call, number: int) -> Answer:
    # Gives fewer rows than it was asked for, as interfaces with a limit of their own do.
    first = int(call.params["offset"])
    return Answer({"data": {"items": LEADS[first : first + min(2, int(call.params["limit"]))]}})


def by_cursor(call: Call, number: int) -> Answer:
    first = int(call.params.get("after", "0"))
    following = str(first + 3) if first + 3 < len(LEADS) else None
    return Answer({"data": {"items": LEADS[first : first + 3]}, "paging": {"next": {"after": following}}})


def by_link(call: Call, number: int) -> Answer:
    first = int(call.params.get("from", "0"))
    links = {"Link": f'</leads?from={first + 4}>; rel="next"'} if first + 4 < len(LEADS) else {}
    return Answer({"data": {"items": LEADS[first : first + 4]}}, headers=links)


PAGED: list[tuple[Any, dict[str, Any], int]] = [
    (by_page, {"by": "page", "param": "page", "size": 3, "size_param": "per_page"}, 4),
    (by_offset, {"by": "offset", "param": "offset", "size": 5, "size_param": "limit"}, 5),
    (by_cursor, {"by": "cursor", "param": "after", "next": "paging.next.after"}, 3),
    (by_link, {"by": "link"}, 2),
]


@pytest.mark.requirement("R2")
@pytest.mark.parametrize(("answers", "pages", "calls"), PAGED, ids=[pages["by"] for _, pages, _ in PAGED])
def test_every_record_of_every_page_comes_once(tmp_path: Path, answers: Any, pages: Any, calls: int) -> None:
    with interface(answers) as there:
        rows = landed(tmp_path, how(f"{there.url}/leads", records="data.items", pages=pages), request())
        assert [row["id"] for row in rows] == [str(lead["id"]) for lead in LEADS]
        assert rows[1]["name"] == "王小1"
        assert len(there.calls) == calls


def test_a_flag_may_say_that_there_is_no_other_page(tmp_path: Path) -> None:
    def answers(call: Call, number: int) -> Answer:
        return Answer({"rows": LEADS[:2], "more": number < 1})

    with interface(answers) as there:
        settings = how(there.url, records="rows", pages={"by": "page", "param": "p", "first": 0, "more": "more"})
        assert len(landed(tmp_path, settings, request())) == 4
        assert [call.params["p"] for call in there.calls] == ["0", "1"]


def test_the_next_night_asks_from_the_last_value_and_a_night_without_news_keeps_it(tmp_path: Path) -> None:
    def answers(call: Call, number: int) -> Answer:
        since = call.params.get("since", "")
        return Answer([lead for lead in LEADS if str(lead["updated_at"]) >= since] if number < 2 else [])

    with interface(answers) as there:
        settings = how(there.url, cursor="updated_at", since_param="since")
        path = tmp_path / "lead" / f"{ON}.parquet"
        assert len(landed(tmp_path, settings, request())) == 7
        reached = asked(path)
        assert reached is not None
        assert reached.cursor == Cursor("text", "2026-11-21T05:00:00Z")
        for rows in (1, 0):
            assert reached.cursor is not None
            assert len(landed(tmp_path, settings, request(reached.cursor.text))) == rows
            reached = asked(path)
            assert reached is not None
            assert reached.cursor == Cursor("text", "2026-11-21T05:00:00Z")
        assert [call.params.get("since") for call in there.calls] == [None, *["2026-11-21T05:00:00Z"] * 2]
        assert pq.read_schema(path).names == ["id", "name"]


def test_what_changed_after_the_cut_off_waits_for_the_next_night(tmp_path: Path) -> None:
    late = {"id": 9, "name": "晚到", "updated_at": "2026-11-22T20:00:01+08:00"}
    with interface(lambda call, number: Answer([*LEADS, late])) as there:
        rows = landed(tmp_path, how(there.url, cursor="updated_at", since_param="since"), request())
        assert "晚到" not in [row["name"] for row in rows]
        reached = asked(tmp_path / "lead" / f"{ON}.parquet")
        assert reached is not None
        assert reached.cursor == Cursor("text", "2026-11-21T05:00:00Z")


@pytest.mark.parametrize(
    ("since", "lookback", "sent"),
    [
        ("2026-11-21T05:00:00Z", "1h", "2026-11-21T04:00:00Z"),
        ("2026-11-21 05:00:00", "30m", "2026-11-20T20:30:00Z"),
        ("1763700000000", "1m", "1763699940000"),
        ("1763700000", "1m", "1763699940"),
        ("4711", "1h", "4711"),
    ],
)
def test_a_look_back_asks_further_back(since: str, lookback: str, sent: str) -> None:
    with interface(lambda call, number: Answer([])) as there:
        settings = how(there.url, cursor="at", since_param="since", lookback=lookback)
        list(pull("http", settings, request(since)))
        assert there.calls[0].params == {"since": sent}


def test_numbers_are_compared_as_numbers(tmp_path: Path) -> None:
    with interface(lambda call, number: Answer([{"id": 9}, {"id": 10}])) as there:
        landed(tmp_path, how(there.url, cursor="id", since_param="since_id", start="1"), request())
        reached = asked(tmp_path / "lead" / f"{ON}.parquet")
        assert reached is not None
        assert reached.cursor == Cursor("text", "10")
        assert there.calls[0].params == {"since_id": "1"}


def test_it_waits_as_long_as_it_is_asked_to_and_then_asks_again() -> None:
    busy = [Answer("", 429, {"Retry-After": "7"}), Answer("", 503), Answer("<html>", 500)]
    waited: list[float] = []
    with interface(lambda call, number: busy[number] if number < 3 else Answer(LEADS)) as there:
        (table,) = list(pull_with_sleep(how(there.url, attempts=4), request(), waited.append))
        assert table.num_rows == 7
        assert [wait for wait in waited if wait >= 1] == [7.0, 2.0, 4.0]
        with pytest.raises(NotFetched, match=r"after 2 tries \(HTTP 503\)"):
            there.calls.clear()
            list(pull_with_sleep(how(there.url, attempts=2), request(), waited.append))


def test_waiting_has_a_limit_and_reads_dates() -> None:
    assert [waiting(attempt, None) for attempt in (1, 2, 5, 9)] == [1, 2, 16, 60]
    assert retry_after("120") == 120
    assert retry_after("Wed, 01 Jan 2020 00:00:00 GMT") == 0
    assert retry_after("soon") is None
    with (
        interface(lambda call, number: Answer("", 429, {"Retry-After": "86400"})) as there,
        pytest.raises(NotFetched, match="86400 seconds"),
    ):
        list(pull("http", how(there.url), request()))


def test_requests_keep_their_distance() -> None:
    waited: list[float] = []
    with interface(by_page) as there:
        settings = how(there.url, records="data.items", per_second=2, pages={"by": "page", "param": "page"})
        list(pull_with_sleep(settings, request(), waited.append))
        assert len(there.calls) == 4
    assert len(waited) == 3
    assert all(0 < wait <= 0.5 for wait in waited)


def test_a_server_that_is_not_there_and_one_that_hangs_up() -> None:
    with interface(lambda call, number: Answer("")) as there:
        closed = there.url
    with pytest.raises(NotFetched, match="ConnectionError"):
        list(pull_with_sleep(how(closed, attempts=2), request(), lambda _: None))
    cut = Answer("[1", headers={"Content-Length": "100"})
    with interface(lambda call, number: cut) as there, pytest.raises(NotFetched, match="after 2 tries"):
        list(pull_with_sleep(how(there.url, attempts=2, timeout=1), request(), lambda _: None))


@pytest.mark.requirement("R122")
def test_credentials_come_from_the_environment_and_stand_in_no_error() -> None:
    secret, password = "s3cr3t-token", "p4ss-word"
    settings: dict[str, Any] = {
        "headers": {"Authorization": "Bearer ${LEAD_TOKEN}"},
        "params": {"key": "${LEAD_TOKEN}"},
    }
    given = {"LEAD_TOKEN": secret, "LEAD_USER": "me", "LEAD_PASSWORD": password}
    with interface(lambda call, number: Answer(LEADS)) as there:
        list(pull("http", how(there.url, **settings), request(**given)))
        assert there.calls[0].headers["Authorization"] == f"Bearer {secret}"
        assert there.calls[0].params == {"key": secret}
        list(pull("http", how(there.url, user="${LEAD_USER}", password="${LEAD_PASSWORD}"), request(**given)))
        assert there.calls[1].headers["Authorization"].startswith("Basic ")
    with pytest.raises(NotFetched, match="LEAD_TOKEN of the environment is not set"):
        list(pull("http", how("http://127.0.0.1:1", **settings), request()))
    refusals = [Answer(secret, 401), Answer(secret, 404), Answer("", 302), Answer(f'{{"{secret}"'), Answer(b"\xff\xfe")]
    for refusal in refusals:
        with interface(lambda call, number, refusal=refusal: refusal) as there:
            _says_nothing(how(there.url, **settings), request(**given), secret)
    _says_nothing(how("http://127.0.0.1:1/", attempts=1, **settings), request(**given), secret)


def _says_nothing(settings: HttpPull, asking: Request, secret: str) -> None:
    with pytest.raises(NotFetched) as caught:
        list(pull("http", settings, asking))
    told = "".join(traceback.format_exception(caught.value))
    assert secret not in told


@pytest.mark.parametrize(
    ("body", "settings", "words"),
    [
        ({"data": {}}, {"records": "data.items"}, "holds no list at data.items"),
        ([1, 2], {}, "a record of page 1 is not a JSON object"),
        ([{"a": 1}], {"cursor": "at", "since_param": "s"}, "no field at"),
        ({"r": [{"a": 1}], "n": "x"}, {"records": "r", "pages": {"by": "cursor", "param": "p", "next": "n"}}, "asked already"),
        ({"r": [], "n": "http://evil.example/x"}, {"records": "r", "pages": {"by": "link", "next": "n"}}, "another host"),
        ("[" * 100_000, {}, "nested too deeply"),
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_one_sentence(body: Any, settings: dict[str, Any], words: str) -> None:
    with interface(lambda call, number: Answer(body)) as there, pytest.raises(NotFetched, match=words):
        list(pull("http", how(there.url, **settings), request()))


def test_nothing_lands_when_a_later_page_fails(tmp_path: Path) -> None:
    path = tmp_path / "lead" / f"{ON}.parquet"
    with interface(lambda call, number: by_page(call, number) if number < 2 else Answer("", 404)) as there:
        settings = how(there.url, records="data.items", pages={"by": "page", "param": "page"})
        with pytest.raises(NotFetched, match="404"):
            land(path, pull("http", settings, request()), ON, "it", None)
    assert list(path.parent.iterdir()) == []
