"""Erasing a person: nothing left in any file, everybody else as before, the ledger without a name, and a source that sends them again in vain."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from connectors.sources import landed, read
from tasks.erase import erase, erasures, readmit
from tasks.night import directly, run_night
from tasks.ops import replay
from tasks.sql import run_sql
from tests.night.looking import engine_of, ledger_rows, rows
from tests.ops.conftest import NIGHT
from vesper.address import address_hash
from vesper.load import definition_set, definition_texts
from vesper.model.source import Source
from vesper.stage_report import StageFailed
from warehouse.ledger.schema import CONSENT, ERASED_FILE, LEDGER, MESSAGE, RECEIPT, SUPPRESSION, TOUCH
from warehouse.secret import address_key

REASON = "本人要求删除"
WHO = """select contact_id from core__contact_member where contact_id in
    (select contact_id from out__message where state = 'accepted') and contact_id in
    (select contact_id from core__contact_member where source = 'app_signup') and contact_id in
    (select contact_id from core__contact_member where source = 'crm_member') order by contact_id limit 1"""
CONTACT_SOURCES = ("app_signup", "crm_member", "hotline_lead")


def one(root: Path, query: str) -> Any:
    return run_sql(root, query)[1][0][0]


class Person:
    """What everybody can see of one contact before it is erased."""

    def __init__(self, root: Path) -> None:
        self.id: str = one(root, WHO)
        mine = f"where contact_id = '{self.id}'"
        self.records = [
            (a, b) for a, b in run_sql(root, f"select source, record_key from core__contact_member {mine}")[1]
        ]
        _, found = run_sql(root, f"select phone, email, card from core__contact {mine}")
        self.phone, self.email, self.card = found[0]
        self.names = {f"{source}:{key}" for source, key in self.records}
        self.messages = [row[0] for row in run_sql(root, f"select message_id from out__message {mine}")[1]]


@pytest.fixture(scope="module")
def before(grocer: Path) -> Person:
    return Person(grocer)


@pytest.fixture(scope="module")
def erased(grocer: Path, before: Person, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the grocer, one person of it erased. Read only."""
    import shutil

    root = Path(shutil.copytree(grocer, tmp_path_factory.mktemp("erased") / "grocer"))
    fault = root / ".vesper" / "faults" / "x.txt"
    fault.parent.mkdir()
    fault.write_text(f"ValueError: {before.phone}")
    said = erase(root, before.id, "anna", REASON)
    assert "没有残留" in said and before.id not in said
    return root


def lake_files(root: Path) -> Iterator[Path]:
    yield from sorted((root / ".vesper" / "lake").rglob("*.parquet"))


def cells(table: pa.Table) -> set[str]:
    """Every distinct text of a table, from every column."""
    texts: set[str] = set()
    for column in table.columns:
        if (
            pa.types.is_string(column.type)
            or pa.types.is_large_string(column.type)
            or pa.types.is_dictionary(column.type)
        ):
            texts |= {text for text in column.unique().to_pylist() if text}
    return texts


@pytest.mark.requirement("R90", "R122")
def test_no_file_of_the_lake_names_the_person(erased: Path, before: Person) -> None:
    """A search that knows nothing of columns: no cell is, and no cell contains, what names the person."""
    files = list(lake_files(erased))
    for file in files:
        texts = cells(pq.read_table(file))
        assert not texts & {before.id, before.phone, before.email, *before.names}, file
        assert not [text for text in texts if before.id in text or before.phone in text or before.email in text], file
    assert len(files) > 100


def landed_rows(root: Path) -> Iterator[tuple[Source, Path, list[dict[str, Any]]]]:
    for source in definition_set(definition_texts(root)).of(Source).values():
        for file in landed(root / ".vesper" / "landing", source.path):
            yield source, file.path, read(file.path, source).to_pylist()


@pytest.mark.requirement("R90")
def test_landed_copies_hold_everybody_but_the_person_each_on_their_line(
    grocer: Path, erased: Path, before: Person
) -> None:
    then = {path.name + source.id: rows for source, path, rows in landed_rows(grocer)}
    taken: Counter[str] = Counter()
    for source, path, now in landed_rows(erased):
        column = {name: field.column for name, field in source.fields.items()}
        mine = [key for name, key in before.records if name == source.id]
        for row in then[path.name + source.id]:
            is_mine = source.id in CONTACT_SOURCES and row[column["member_id"]] in mine
            is_mine |= source.id not in CONTACT_SOURCES and "card" in column and str(row[column["card"]]) == before.card
            if is_mine and source.id == "shop_order":
                row[column["card"]] = None
                is_mine = row not in now
            assert (row in now) != is_mine, (source.id, path.name)
            taken[source.id] += is_mine
    assert taken["crm_member"] and taken["app_signup"] and not taken["shop_order"]


@pytest.mark.requirement("R23")
def test_orders_stay_without_the_person_and_nobody_else_loses_a_row(grocer: Path, erased: Path, before: Person) -> None:
    for table in ("core__order_line", "raw_shop__order"):
        sums = f"select count(*), sum(amount) from {table}"
        assert run_sql(erased, sums)[1] == run_sql(grocer, sums)[1]
    others = f"where contact_id <> '{before.id}'"
    for table in ("core__order_line", "core__contact", "mart__score", "mart__lifecycle", "core__event", "out__message"):
        key = run_sql(erased, f"select * from {table} limit 0")[0]
        query = f"select * from {table} {others} order by all"
        kept = [row for row in run_sql(erased, query)[1] if not row[key.index("contact_id")].startswith("e")]
        assert kept == run_sql(grocer, query)[1], table


@pytest.mark.requirement("R90")
def test_the_ledger_keeps_keyed_hashes_and_tokens_only(grocer: Path, erased: Path, before: Person) -> None:
    for table in LEDGER.sorted_tables:
        said = repr(ledger_rows(erased, table))
        assert not [word for word in (before.id, before.phone, before.email) if word in said], table.name
    data = b"".join(file.read_bytes() for file in (erased / ".vesper").glob("ledger.db*"))
    assert not [word for word in (before.id, before.phone, before.email) if word.encode() in data]
    keys = {key for source, key in before.records if source == "crm_member"}
    place = CONSENT.c.keys().index("row_key")
    assert keys & {row[place] for row in ledger_rows(grocer, CONSENT)}
    assert not keys & {row[place] for row in ledger_rows(erased, CONSENT)}
    for table in (CONSENT, MESSAGE, TOUCH):  # the proof of consent, what was sent and what was counted stay
        assert len(ledger_rows(erased, table)) == len(ledger_rows(grocer, table)), table.name


@pytest.mark.requirement("R90")
def test_the_addresses_are_suppressed_for_good(erased: Path, before: Person) -> None:
    key = address_key(erased / ".vesper")
    suppressed = {(row[0], row[1]): row[2] for row in ledger_rows(erased, SUPPRESSION)}
    for channel, address in (("email", before.email), ("sms", before.phone)):
        assert suppressed[channel, address_hash(key, channel, address)] == "erased"


def test_letters_tracebacks_and_lists_beside_the_lake_are_gone(erased: Path, before: Person) -> None:
    store = erased / ".vesper"
    assert before.messages
    assert not [letter for id in before.messages for letter in (store / "sink").glob(f"{id}*")]
    assert len(list((store / "sink").glob("*.eml"))) > 1
    assert not (store / "faults").exists() and not list((store / "erasing").iterdir())
    for file in store.rglob("*"):
        if file.is_file() and file.suffix not in (".parquet", ".xlsx"):
            data = file.read_bytes()
            assert not [word for word in (before.id, before.phone, before.email) if word.encode() in data], file


@pytest.mark.requirement("R23")
def test_the_manifest_tells_old_and_new_bytes_of_every_rewritten_file(grocer: Path, erased: Path) -> None:
    (erasure,) = erasures(erased)
    assert (erasure["state"], erasure["residue"], erasure["by"], erasure["reason"]) == ("done", "", "anna", REASON)
    assert erasure["file_count"] == len(ledger_rows(erased, ERASED_FILE)) > 10
    assert erasure["scanned_count"] > len(list(lake_files(erased)))
    for _id, place, name, new_name, old_sha256, new_sha256, count in ledger_rows(erased, ERASED_FILE):
        assert count > 0
        assert sha256(grocer / ".vesper" / place / name) == old_sha256
        if place == "lake":
            assert not (erased / ".vesper" / place / name).exists()
        if new_name:
            assert sha256(erased / ".vesper" / place / new_name) == new_sha256
    place = RECEIPT.c.keys().index("sha256")
    held = {row[:2]: row[place] for row in ledger_rows(erased, RECEIPT)}
    for source, path, _ in landed_rows(erased):
        assert held[source.id, path.name] == sha256(path)
        then = grocer / path.relative_to(erased)
        assert path.stat().st_mtime_ns == then.stat().st_mtime_ns


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.requirement("R23")
def test_a_night_after_it_reads_nothing_anew_and_a_replay_has_its_bytes(own_erased: Path) -> None:
    arrived = sum(row[RECEIPT.c.keys().index("loaded_on")] == NIGHT for row in ledger_rows(own_erased, RECEIPT))
    reports = run_night(directly, own_erased, NIGHT, True)
    assert reports[0].facts["files"] == arrived < len(ledger_rows(own_erased, RECEIPT))
    assert replay(own_erased, NIGHT)  # raises when a table differs


@pytest.fixture
def own_erased(erased: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(erased, tmp_path / "grocer"))


def sent_again(root: Path, person: Person) -> None:
    """The app sends the person once more: the old row, and a new sign-up with the old number in another spelling."""
    (old,) = [key for source, key in person.records if source == "app_signup"][:1]
    at = "2017-12-31T12:00:00+00:00"
    lines = [
        {
            "id": old,
            "card_no": person.card,
            "name": "王小明",
            "mobile": "13966085172",
            "email": "new@example.cn",
            "created_at": at,
        },
        {
            "id": "A9",
            "card_no": None,
            "name": "王小明",
            "mobile": person.phone.removeprefix("+86"),
            "email": None,
            "created_at": at,
        },
        {
            "id": "A8",
            "card_no": None,
            "name": "李雷",
            "mobile": "13977160284",
            "email": "li@example.cn",
            "created_at": at,
        },
    ]
    file = root / ".vesper" / "landing" / "app_signup" / "2018-01-01.jsonl"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    arrived = (root / ".vesper" / "landing" / "app_signup" / "2017-12-31.jsonl").stat()
    os.utime(file, ns=(arrived.st_atime_ns, arrived.st_mtime_ns))


@pytest.mark.requirement("R1", "R90")
def test_a_person_whom_a_source_sends_again_stays_out_until_readmitted(own_erased: Path, before: Person) -> None:
    sent_again(own_erased, before)
    run_night(directly, own_erased, NIGHT, True, ("consolidate",))
    excluded = [row for row in rows(own_erased, "core__source_record") if row["excluded_by"]]
    assert {row["excluded_by"] for row in excluded} == {"erased"}
    assert {"A9"} < {row["record_key"] for row in excluded}
    shown = {
        "source",
        "record_key",
        "received_at",
        "trust",
        "phone_status",
        "email_status",
        "region_status",
        "excluded_by",
    }
    assert not [name for row in excluded for name, value in row.items() if value is not None and name not in shown]
    names = {(row["source"], row["record_key"]) for row in excluded}
    known = {(row["source"], row["record_key"]) for row in rows(own_erased, "core__source_record")}
    assert ("app_signup", "A8") in known - names
    erase(own_erased, "app_signup:A9", "anna", REASON)
    members = {row["member_id"] for row in rows(own_erased, "raw_app__signup")}
    assert "A9" not in members and "A8" in members
    for erasure in erasures(own_erased):
        assert "禁发" in readmit(own_erased, erasure["erasure_id"], "anna", "重新注册")
    run_night(directly, own_erased, NIGHT, True, ("consolidate",))
    assert not [row for row in rows(own_erased, "core__source_record") if row["excluded_by"]]
    assert "+8613966085172" in {row["phone"] for row in rows(own_erased, "core__contact")}
    with pytest.raises(LookupError, match=erasure["erasure_id"]):
        readmit(own_erased, erasure["erasure_id"], "anna", "again")


def test_somebody_unknown_is_one_sentence_and_changes_nothing(own_grocer: Path) -> None:
    with pytest.raises(LookupError, match="c0000"):
        erase(own_grocer, "c0000", "anna", REASON)
    assert erasures(own_grocer) == []


@pytest.mark.requirement("R90")
def test_what_waits_is_refused_and_a_file_that_cannot_be_rewritten_is_named(own_grocer: Path, before: Person) -> None:
    engine = engine_of(own_grocer)
    with engine.begin() as connection:
        connection.execute(sa.update(MESSAGE).values(state="planned").where(MESSAGE.c.contact_id == before.id))
    engine.dispose()
    broken = own_grocer / ".vesper" / "landing" / "crm_member" / "2017-12-05.csv"
    broken.write_bytes(f"会员卡号,姓名\n1,2,3,{before.email}\n".encode())
    with pytest.raises(StageFailed, match=r"crm_member/2017-12-05\.csv"):
        erase(own_grocer, before.id, "anna", REASON)
    (erasure,) = erasures(own_grocer)
    assert (erasure["state"], erasure["residue"].split("\n")[-1]) == ("done", "landing/crm_member/2017-12-05.csv")
    state, reason, id = (MESSAGE.c.keys().index(name) for name in ("state", "reason", "message_id"))
    found = {(row[state], row[reason]) for row in ledger_rows(own_grocer, MESSAGE) if row[id] in before.messages}
    assert found == {("refused", "erased")}
