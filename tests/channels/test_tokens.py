"""Access tokens: one for everybody, fetched once however many ask, and once more when it is taken no more."""

import datetime as dt
import threading
import time

import pytest
import sqlalchemy as sa

from tests.send.company import rows_of
from warehouse.ledger.channel_schema import PROVIDER_TOKEN
from warehouse.ledger.provider_token import token

TWO_HOURS = dt.timedelta(hours=2)


class Provider:
    """Gives tokens, slowly."""

    def __init__(self) -> None:
        self.given = 0
        self._lock = threading.Lock()

    def __call__(self) -> tuple[str, dt.timedelta]:
        with self._lock:
            self.given += 1
            mine = self.given
        time.sleep(0.05)
        return f"token {mine}", TWO_HOURS


@pytest.mark.requirement("R84")
def test_many_ask_and_one_fetches(any_ledger: sa.Engine) -> None:
    provider, got, lock = Provider(), [], threading.Lock()

    def ask(refused: str) -> None:
        found = token(any_ledger, "wechat wx1", provider, refused)
        with lock:
            got.append(found)

    for refused in ("", "token 1"):
        got.clear()
        threads = [threading.Thread(target=ask, args=(refused,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == len(threads)
        assert len(set(got)) == 1
    assert provider.given == 2
    assert got[0] == "token 2"


def test_a_fetch_that_fails_leaves_the_way_free(ledger: sa.Engine) -> None:
    def broken() -> tuple[str, dt.timedelta]:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        token(ledger, "wechat wx1", broken)
    assert token(ledger, "wechat wx1", lambda: ("t", TWO_HOURS)) == "t"
    (row,) = rows_of(ledger, sa.select(PROVIDER_TOKEN))
    assert row.lease_until is None


def test_a_token_that_ends_soon_is_not_used(ledger: sa.Engine) -> None:
    assert token(ledger, "w", lambda: ("short", dt.timedelta(seconds=1))) == "short"
    assert token(ledger, "w", lambda: ("long", TWO_HOURS)) == "long"
    assert token(ledger, "w", lambda: ("never", TWO_HOURS)) == "long"
