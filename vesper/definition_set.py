"""The definitions that one night runs by: every active definition with its hash. Loading stands in `load.py`; this is only the set."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Model = TypeVar("Model")


@dataclass(frozen=True)
class DefinitionSet:
    """Definitions by model class and id, with the sha256 of each one's text.

    `hashes` is keyed by "<kind folder>/<id>", e.g. "segments/dormant_90d".
    """

    items: Mapping[type[Any], Mapping[str, Any]] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)

    def of(self, model: type[Model]) -> dict[str, Model]:
        """All definitions of one kind by id, in the order of their ids."""
        return dict(sorted(self.items.get(model, {}).items()))

    def one(self, model: type[Model], id: str) -> Model:
        """One definition; raises LookupError with the nearest known ids' list when absent."""
        found = self.items.get(model, {})
        if id not in found:
            raise LookupError(f"no {model.__name__.lower()} {id!r}; known: {', '.join(sorted(found)) or 'none'}")
        model_found: Model = found[id]
        return model_found

    @property
    def fingerprint(self) -> str:
        """One hash over the whole set: equal sets, equal nights."""
        return hashlib.sha256(repr(sorted(self.hashes.items())).encode()).hexdigest()
