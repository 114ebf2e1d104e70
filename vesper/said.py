"""An error that says one sentence, in the reader's language (R111).

What belongs here: the one base class. What does not: sentences; each stands where it is raised, in English, and in `locales/` in Chinese.
"""

from vesper.language import Translate


class Said(Exception):
    """An English sentence with {names}, and the facts behind them. As a string it is English; `said` gives it in another language."""

    def __init__(self, sentence: str, **facts: object) -> None:
        super().__init__(sentence.format(**facts))
        self.sentence = sentence
        self.facts = facts

    def said(self, _: Translate) -> str:
        """The sentence in the language of a translator."""
        return _(self.sentence).format(**self.facts)
