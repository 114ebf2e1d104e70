"""The live test: a campaign's one-click unsubscribe tried over the wire before everybody is written to (RFC 8058, rule C4).

What belongs here: what is tried, in which order, and what is said of it. What does not: the requests (`connectors/one_click.py`), the rule that
asks for the test (`rollout.py`).

A test message has no receiver: its token goes to the address that mails name, through proxy and TLS, to the web app, and must leave its mark in
this ledger. So a passed test says: whoever answers there is ours, commits before it answers, and takes a POST without cookies or redirects.
"""

import secrets
from pathlib import Path

from connectors.one_click import Answer, fetch, post
from vesper.clock import now
from vesper.language import Translate, translator
from vesper.live_test import tested_hash
from vesper.load import definition_set, definition_texts
from vesper.model.outreach import outreaches
from vesper.token import unsubscribe_url
from warehouse.house import House
from warehouse.ledger import live_test as in_ledger
from warehouse.ledger.unsubscribe import TEST, is_known_test
from warehouse.secret import token_keys

NOT_FOUND = 404


def live_test(root: Path, campaign_id: str, by: str) -> str:
    """Try a campaign's or journey's one-click unsubscribe and keep what came of it; returns the sentence.

    Raises LookupError for a campaign that no file names, without an intake address, and when the test fails; a failed one is kept, too.
    """
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        if campaign_id not in outreaches(definition_set(definition_texts(root), _)):
            raise LookupError(_("No file names a campaign or journey {id}.").format(id=campaign_id))
        address = house.workspace.intake.address
        if not address:
            raise LookupError(
                _(
                    'vesper.toml: [intake] address is empty. Write the address that mails are to name, such as "https://mail.example.com".'
                )
            )
        fault = _fault(house, _)
        said = fault or _("One-click unsubscribe works at {address}.").format(address=address)
        with house.engine.begin() as connection:
            hash = tested_hash(campaign_id, address)
            in_ledger.record(connection, campaign_id, hash, fault is None, said, by, now())
    finally:
        house.close()
    if fault:
        raise LookupError(f"{campaign_id}: {fault}")
    return f"{campaign_id}: {said}"


def _fault(house: House, _: Translate) -> str | None:
    """What is wrong with the address, or None."""
    message_id = f"{TEST}{secrets.token_hex(10)}"
    url = unsubscribe_url(house.workspace, token_keys(house.workspace.store), message_id) or ""
    return _fault_of_others(house, url, message_id, _) or _fault_of_post(house, url, message_id, _)


def _fault_of_others(house: House, url: str, message_id: str, _: Translate) -> str | None:
    """What a fetch and a forged link bring: nothing may come of either."""
    shown = fetch(url)
    if not shown.is_success:
        said = _(
            "A GET was answered with {what} instead of a page with a button. Is the web app up (`vesper up`), and does the proxy pass /u/ on?"
        )
        return said.format(what=_what(shown))
    if is_known_test(house.engine, message_id):
        return _("A GET unsubscribed. Mail scanners fetch every link: look for what turns a GET into a POST.")
    forged = post(f"{url[:-4]}AAAA" if not url.endswith("AAAA") else f"{url[:-4]}BBBB")
    if forged.status != NOT_FOUND:
        said = _("A forged link was answered with {what} instead of 404: somebody else than Vesper answers there.")
        return said.format(what=_what(forged))
    return None


def _fault_of_post(house: House, url: str, message_id: str, _: Translate) -> str | None:
    """What the POST of a mail program brings: it must be committed here before it is answered."""
    answer = post(url)
    if not answer.is_success:
        said = _(
            "The POST of a mail program was answered with {what} instead of 200. It must need no cookie, no log-in, no redirect."
        )
        return said.format(what=_what(answer))
    if answer.sets_cookie:
        return _("The answer sets a cookie. Take it out of the proxy: a mail program brings none back.")
    if not is_known_test(house.engine, message_id):
        said = _(
            "The POST was answered with {what}, but nothing arrived in this ledger: the address leads to another workspace."
        )
        return said.format(what=_what(answer))
    return None


def _what(answer: Answer) -> str:
    return str(answer.status) if answer.status is not None else answer.failure
