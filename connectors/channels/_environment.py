"""Settings that stand in the environment and not in a file: `${NAME}` (secrets never stand in YAML, TOML, logs or artifacts)."""

import os

from connectors.channels import ChannelUnreachable
from vesper.model.pull import VARIABLE


def filled(text: str, where: str) -> str:
    """A text with its variables of the environment put in. Raises ChannelUnreachable, naming the variable."""
    for name in VARIABLE.findall(text):
        if not os.environ.get(name):
            raise ChannelUnreachable(
                "{where}: the variable {name} is not set. Set it in the environment of the run; the messages wait.",
                where=where,
                name=name,
            )
    return VARIABLE.sub(lambda found: os.environ[found[1]], text)
