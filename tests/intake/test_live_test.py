"""The live test of one-click unsubscribe: over real HTTP, and what a production workspace asks of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.tick_company import CONTENT, CRM, LIFECYCLE
from tasks import ops
from tasks.live_test import live_test
from tests.intake.conftest import HOUSE, Company, Found
from vesper.stage_report import StageFailed
from warehouse.house import House
from warehouse.ledger.schema import CONSENT, SUPPRESSION
from warehouse.ledger.send_schema import LIVE_TEST

CAMPAIGN = """says: A mail.
owner: marketing
series: S
state: {state}
brief:
  persona: Readers
  message: Come
  cta: {{what: come, benefit: see}}
  stages: [prospect]
  timing: now
  goal: 5 %
segment: everyone
channel: email
content: paper
purpose: marketing
max_people: 1000
starts_on: 2026-01-01
ends_on: 2027-01-01
"""
SEGMENT = "says: Everyone.\nowner: marketing\nmembers: {always: {}}\n"


def define(company: Company, state: str) -> None:
    texts = {
        "lifecycle/main": LIFECYCLE,
        "sources/crm_member": CRM,
        "content/paper": CONTENT,
        "segments/everyone": SEGMENT,
    }
    texts["sources/vesper_inbox"] = (HOUSE / "definitions" / "sources" / "vesper_inbox.yml").read_text(encoding="utf-8")
    for name, text in {**texts, "campaigns/spring": CAMPAIGN.format(state=state)}.items():
        file = company.root / "definitions" / f"{name}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@pytest.mark.requirement("R89", "R101")
def test_a_test_over_the_wire_passes_and_touches_nobody(found: Found) -> None:
    company = found()
    define(company, "pilot")
    company.serve()
    assert company.address in live_test(company.root, "spring", "ming")
    (row,) = company.rows(LIVE_TEST)
    assert (row.campaign_id, row.is_passed, row.by) == ("spring", True, "ming")
    assert not company.rows(SUPPRESSION) and not company.rows(CONSENT)


@pytest.mark.requirement("R101")
def test_an_address_that_does_not_answer_right_is_a_failed_test_with_a_reason(found: Found) -> None:
    company, other = found(), found()
    for one in (company, other):
        define(one, "pilot")
    with pytest.raises(LookupError, match="ConnectionError"):
        live_test(company.root, "spring", "ming")
    settings = (company.root / "vesper.toml").read_text()
    for behaviour, said in BEHAVIOURS.items():
        with answering(behaviour) as port:
            (company.root / "vesper.toml").write_text(settings.replace(company.address, f"http://127.0.0.1:{port}"))
            with pytest.raises(LookupError, match=said):
                live_test(company.root, "spring", "ming")
    assert [row.is_passed for row in company.rows(LIVE_TEST)] == [False] * (1 + len(BEHAVIOURS))
    (company.root / "vesper.toml").write_text(settings.replace(company.address, other.address))
    other.serve()  # has the same key, as a copy of the workspace has, and another ledger
    with pytest.raises(LookupError, match="另一个工作区"):
        live_test(company.root, "spring", "ming")


BEHAVIOURS = {"redirects": "302", "takes anything": "404", "refuses": "403"}


@contextmanager
def answering(behaviour: str) -> Iterator[int]:
    """A server that is not ours: it sends everybody to a log-in, says yes to everything, or no."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = {"redirects": 302, "takes anything": 200, "refuses": 403}[behaviour]
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/login")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.requirement("R101", "R89")
def test_in_production_full_waits_for_a_passed_test_of_this_address(found: Found) -> None:
    company = found()
    define(company, "full")
    ops.activate_all(company.root, "ming", "a company that tries things out")
    file = company.root / "vesper.toml"
    public = file.read_text().replace(company.address, "https://mail.example.com")
    file.write_text(f"production = true\n{public}", encoding="utf-8")
    define(company, "partial")
    ops.activate_all(company.root, "ming", "smaller")
    define(company, "full")
    with pytest.raises(StageFailed):
        ops.activate_all(company.root, "ming", "to everybody")
    passed(company, "https://other.example.com")
    with pytest.raises(StageFailed):
        ops.activate_all(company.root, "ming", "to everybody")
    passed(company, "https://mail.example.com")
    assert "campaigns/spring" in ops.activate_all(company.root, "ming", "to everybody")


def passed(company: Company, address: str) -> None:
    """A test that passed at an address: no public one can be had here, so its row is written as the test writes it."""
    from vesper.clock import now
    from vesper.live_test import tested_hash
    from warehouse.ledger.live_test import record

    house = House.open(company.root)
    with house.engine.begin() as connection:
        record(connection, "spring", tested_hash("spring", address), True, "", "ming", now())
    house.close()
