"""What a live test of one-click unsubscribe is a test of.

What belongs here: that one hash. What does not: trying (`tasks/live_test.py`), keeping what came of it (`warehouse/ledger/live_test.py`).
"""

import hashlib


def tested_hash(outreach_id: str, address: str) -> str:
    """Hash of what a test holds for: a campaign or journey, and the address that its mails name.

    Its words and its state are left out: whether a POST unsubscribes does not hang on them, and a test that every changed comma asks for again
    would soon be clicked away (docs/decisions/0031).
    """
    return hashlib.sha256(f"one-click|{outreach_id}|{address}".encode()).hexdigest()
