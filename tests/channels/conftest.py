"""Fake providers of short messages and channels that talk to them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.channels.fakes import aliyun_sms, tencent_sms
from tests.channels.fakes.served import KEY_ID, KEY_SECRET, served
from tests.send.company import KEY
from tests.send.conftest import any_ledger, ledger, postgres_server
from vesper.model.channel import Sms
from warehouse.secret import VARIABLE

__all__ = ["any_ledger", "ledger", "postgres_server"]

FAKES = {"aliyun": aliyun_sms.Fake, "tencent": tencent_sms.Fake}
TEMPLATE = {"aliyun": "SMS_123", "tencent": "449739"}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.setenv("SMS_KEY_ID", KEY_ID)
    monkeypatch.setenv("SMS_KEY_SECRET", KEY_SECRET)


def settings(provider: str, endpoint: str, **changes: Any) -> Sms:
    """The section [sms] of a company whose provider is a fake."""
    return Sms(
        provider=provider,  # type: ignore[arg-type]
        key_id="${SMS_KEY_ID}",
        key_secret="${SMS_KEY_SECRET}",
        sign="好邻居",
        app_id=tencent_sms.APP_ID,
        endpoint=endpoint,
        **changes,
    )


@pytest.fixture(params=["aliyun", "tencent"])
def fake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Any, str]]:
    """Name, fake and address of each provider."""
    folder = tmp_path / "truth"
    folder.mkdir()
    one = FAKES[request.param](folder)
    with served(one.app) as address:
        yield request.param, one, address


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[dict[str, tuple[Any, str]]]:
    """Both providers, by name."""
    found = {}
    with ExitStack() as stack:
        for name, made in FAKES.items():
            (tmp_path / name).mkdir()
            one = made(tmp_path / name)
            found[name] = (one, stack.enter_context(served(one.app)))
        yield found
