"""Tokens of links: only the key makes them, and each does one thing for one message."""

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vesper.token import PURPOSES, TokenKeys, sign, verify

RING = TokenKeys.of(b"a secret of a workspace, long enough to be one")
messages = st.text("0123456789abcdef", min_size=1, max_size=26) | st.text(min_size=1, max_size=40)
purposes = st.sampled_from(sorted(PURPOSES))
secrets = st.binary(min_size=32, max_size=64)


@pytest.mark.requirement("R90")
@given(message=messages, purpose=purposes, secret=secrets)
def test_a_token_says_what_it_was_signed_for(message: str, purpose: str, secret: bytes) -> None:
    keys = TokenKeys.of(secret)
    token = sign(keys, purpose, message)
    assert verify(keys, purpose, token) == message
    assert token.isascii() and all(letter.isalnum() or letter in "-_" for letter in token)


@pytest.mark.requirement("R90")
@given(message=messages, purpose=purposes, other=purposes)
def test_another_purpose_never_verifies(message: str, purpose: str, other: str) -> None:
    assume(purpose != other)
    assert verify(RING, other, sign(RING, purpose, message)) is None


@pytest.mark.requirement("R90")
@given(message=messages, ours=secrets, theirs=secrets)
def test_another_key_never_verifies(message: str, ours: bytes, theirs: bytes) -> None:
    assume(ours != theirs)
    assert verify(TokenKeys.of(ours), "unsubscribe", sign(TokenKeys.of(theirs), "unsubscribe", message)) is None


@pytest.mark.requirement("R90")
@given(message=messages, data=st.data())
def test_a_changed_or_cut_token_never_verifies(message: str, data: st.DataObject) -> None:
    token = sign(RING, "unsubscribe", message)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ .%"
    way = data.draw(st.sampled_from(["cut", "change", "add", "drop"]))
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(alphabet))
    changed = {
        "cut": token[:place],
        "change": token[:place] + letter + token[place + 1 :],
        "add": token[:place] + letter + token[place:],
        "drop": token[:place] + token[place + 1 :],
    }[way]
    assume(changed != token)
    assert verify(RING, "unsubscribe", changed) is None


@pytest.mark.requirement("R90")
@given(text=st.text(max_size=400))
def test_any_other_text_is_no_token_and_no_error(text: str) -> None:
    assert verify(RING, "unsubscribe", text) is None


@pytest.mark.requirement("R90")
@given(message=messages, old=secrets, new=secrets)
def test_rotating_keeps_old_links_until_the_old_key_goes(message: str, old: bytes, new: bytes) -> None:
    assume(old != new)
    before = sign(TokenKeys.of(old), "unsubscribe", message)
    rotated = TokenKeys.of(new, old)
    assert verify(rotated, "unsubscribe", before) == message
    assert sign(rotated, "unsubscribe", message) == sign(TokenKeys.of(new), "unsubscribe", message)
    assert verify(TokenKeys.of(new), "unsubscribe", before) is None


@pytest.mark.requirement("R90")
def test_a_token_of_a_message_fits_into_a_header_line() -> None:
    assert len(sign(RING, "unsubscribe", "0123456789abcdef0123456789")) == 64


if __name__ == "__main__":  # how long it takes: python -m tests.intake.test_token
    started = time.perf_counter()
    for number in range(50_000):
        sign(RING, "unsubscribe", f"{number:026x}")
    print(f"{(time.perf_counter() - started) / 50_000 * 1e6:.1f} us per token")
