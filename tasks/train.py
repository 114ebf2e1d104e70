"""`vesper train linkage ID`: the weights of a linkage, learned from the source rows of the last published night, written into its definition.

What belongs here: which rows, which text, where it is written. What does not: learning (`warehouse/linkage`), putting it in force (`ops.py`).
A night never trains: it runs by the weights that stand in the definition, so that it can be computed again.
"""

from pathlib import Path

import sqlalchemy as sa

from tasks.sql import Unanswered, open_to_read
from vesper.identity import keys
from vesper.identity.model_text import with_model
from vesper.language import Translate, translator
from vesper.load import definition_texts, parse, read_workspace
from vesper.model.identity import IdentityPolicy
from vesper.model.linkage import Linkage
from vesper.model.workspace import Workspace
from vesper.nearest import suggestion
from vesper.presets import preset_ids, preset_text
from vesper.tables.contact import SOURCE_RECORD
from warehouse.durable import write
from warehouse.house import House
from warehouse.ledger.definitions import hash_of
from warehouse.runner import Runner

FEWEST_ROWS = 1000
"""Fewer rows hold too few pairs of one person to count how often they agree; the model that ships is better than one of them."""


def train_linkage(root: Path, id: str) -> str:
    """Train a linkage and write it to definitions/linkage/<id>.yml of the workspace; a shipped one is copied there first.

    Returns a sentence: on how many rows, and how it comes into force. Nothing is in force by this alone.

    Raises:
        Unanswered: one sentence, where nothing was trained and nothing written: an unknown id or column, no night yet, too few rows.
        DefinitionsInvalid: the linkage or the identity policy cannot be read.
    """
    workspace = read_workspace(Path(root).resolve())
    _ = translator(workspace.company.language)
    texts = definition_texts(workspace.root, _)
    text = _text_of(texts, id, _)
    linkage, policy = parse("linkage", id, text, _), parse("policy", "identity", texts["policy/identity"], _)
    assert isinstance(linkage, Linkage) and isinstance(policy, IdentityPolicy)
    with open_to_read(workspace.root) as house, Runner(house.lake) as runner:
        trained = _trained(runner, _records(house, runner, policy, linkage, _), linkage, _)
    assert trained.model is not None
    new = with_model(text, trained.model)
    parse("linkage", id, new, _)  # a text that cannot be read again is not written
    write((workspace.root / "definitions" / "linkage" / f"{id}.yml").resolve(), new.encode(), mode=0o644)
    return _said(workspace, policy, trained, hash_of(new), _)


def _text_of(texts: dict[str, str], id: str, _: Translate) -> str:
    """The workspace's own linkage of an id, else the shipped one."""
    known = {key.partition("/")[2] for key in texts if key.startswith("linkage/")} | preset_ids("linkage")
    if id not in known:
        raise Unanswered(_("There is no linkage {word}.").format(word=id) + " " + suggestion(id, known, _))
    return texts.get(f"linkage/{id}") or preset_text("linkage", id) or ""


def _records(house: House, runner: Runner, policy: IdentityPolicy, linkage: Linkage, _: Translate) -> sa.Table:
    """The rows as a night compares them: `record` first, without keys that name no person. Raises Unanswered."""
    columns = sorted({field.column for field in linkage.fields.values()})
    for column in columns:
        if column not in SOURCE_RECORD.c:
            said = _("core__source_record has no column {word}.").format(word=column)
            raise Unanswered(f"{said} {suggestion(column, SOURCE_RECORD.c.keys(), _)}")
    runner.bind_snapshot(SOURCE_RECORD, house.lake.in_force(SOURCE_RECORD.name))
    live = runner.scalar(sa.select(sa.func.count()).select_from(SOURCE_RECORD).where(keys.live(SOURCE_RECORD)))
    if live < FEWEST_ROWS:
        said = _("linkage/{id} was not trained: {count} source rows are too few, it takes {fewest}.")
        raise Unanswered(said.format(id=linkage.id, count=f"{live:,}", fewest=f"{FEWEST_ROWS:,}"))
    identifier = runner.materialize(keys.identifiers(SOURCE_RECORD, policy), "identity_identifier")
    shared = runner.materialize(keys.shared_keys(identifier, policy), "identity_shared")
    return runner.materialize(keys.comparable(SOURCE_RECORD, shared, policy, columns), "identity_record")


def _trained(runner: Runner, records: sa.Table, linkage: Linkage, _: Translate) -> Linkage:
    """The linkage with a model. Raises Unanswered where the rows do not show enough agreement to learn from."""
    # Imported here: a workspace without a linkage never loads Splink.
    from warehouse.linkage import NotTrainable, train

    try:
        return train(runner, records, linkage)
    except NotTrainable:
        said = _(
            "linkage/{id} was not trained: too few rows agree on {rules} to learn from; "
            "name fields under `training` that most rows have, or wait for more rows."
        )
        rules = ", ".join(" + ".join(rule) for rule in linkage.training)
        raise Unanswered(said.format(id=linkage.id, rules=rules)) from None


def _said(workspace: Workspace, policy: IdentityPolicy, trained: Linkage, hash: str, _: Translate) -> str:
    assert trained.model is not None
    if workspace.definitions.activate == "automatic":
        said = _("linkage/{id} is trained on {count} source rows; it comes into force with the next night.")
    else:
        said = _(
            "linkage/{id} is trained on {count} source rows; put it in force with `vesper activate linkage/{id} {hash}`."
        )
    sentence = said.format(id=trained.id, count=f"{trained.model.records:,}", hash=hash[:12])
    if policy.linkage == trained.id:
        return sentence
    unnamed = _("No night uses it until definitions/policy/identity.yml says `linkage: {id}`.").format(id=trained.id)
    return f"{sentence} {unnamed}"
