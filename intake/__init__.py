"""What people outside reach: the small web app, and the long-lived process that acts on what came in.

The first room is the unsubscribe endpoint (`app.py`, `page.py`, `body.py`, served by `serve.py`); `tick.py` is the process that wakes every ten
seconds. Forms, clicks and webhooks come into the same app: verify, one row into the inbox, commit, then the answer. What does not belong here:
what follows from a row (`tasks/tick.py`), and the ledger itself.
"""
