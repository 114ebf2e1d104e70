"""What campaigns and journeys share: one id for one of them, stages, test contacts, windows, contents, what the law asks of mail (R82, R83, R99, C3)."""

from collections.abc import Iterator

from vesper.checks.book import Book, unknown, unknown_stage
from vesper.language import Translate
from vesper.model.campaign import Campaign
from vesper.model.consent import ConsentPolicy
from vesper.model.content import Content, words_used
from vesper.model.from_matrix import FromMatrix
from vesper.model.matrix import Matrix
from vesper.model.outreach import RUNNING, Outreach
from vesper.model.policy import FrequencyPolicy
from vesper.model.workspace import Workspace
from vesper.problem import Problem
from vesper.reading import Reading
from vesper.sent import SentContent, contents_behind, sent_by

MARKETING = "marketing"
ENGLISH = "en"
ADDRESS = "address"
"""The word of a content that is the company's postal address."""


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with campaigns and journeys alike."""
    for reading, outreach in book.of(Outreach):
        for place, stage in enumerate(outreach.brief.stages):
            yield from unknown_stage(book, reading, ("brief", "stages", place), stage, _)
        if outreach.pilot.segment:
            what = _("There is no segment {word}.")
            yield from unknown(reading, ("pilot", "segment"), what, outreach.pilot.segment, book.ids("segments"), _)
        yield from _windows(book, reading, outreach, _)
        yield from _contents(book, reading, outreach, _)
        if not isinstance(outreach, Campaign) and reading.id in book.ids("campaigns"):
            what = _("There is a campaign {word}, and messages name campaigns and journeys alike by their ids.")
            yield reading.problem((), what.format(word=reading.id), _("Give the file another name."))
    for reading, policy in book.of(ConsentPolicy):
        for place, source in enumerate(policy.double_opt_in):
            what = _("There is no source {word}.")
            yield from unknown(reading, ("double_opt_in", place), what, source, book.ids("sources"), _)


def warnings(book: Book, _: Translate) -> Iterator[Problem]:
    """Marketing mail in English that does not say where the company is: the United States ask for it (CAN-SPAM)."""
    written = {reading.id: (reading, content) for reading, content in book.of(Content)}
    for id in sorted(_sent_as_marketing(book) & written.keys()):
        reading, content = written[id]
        for language, message in content.messages.items():
            if language == ENGLISH and not any(ADDRESS in words_used(body) for body in message.bodies.values()):
                what = _("A marketing mail to the United States must say the company's postal address.")
                yield reading.problem(("messages", language), what, _("Add a line with {{ address }}."))


def workspace_warnings(book: Book, workspace: Workspace, _: Translate) -> Iterator[Problem]:
    """Marketing mail leaves, and nothing says where the company is; or what is sent is not written in the company's language."""
    if _sent_as_marketing(book) and not workspace.mail.postal_address:
        what = _("Marketing mail leaves, and the company states no postal address.")
        yield Problem("vesper.toml", 1, what, _("Write postal_address under [mail]."))
    language, written = workspace.company.language, {reading.id: (reading, one) for reading, one in book.of(Content)}
    for id in sorted({id for _sent, id, _channels in _running(book)} & written.keys()):
        reading, content = written[id]
        if language not in content.languages:
            what = _("It is sent and not written in {language}; people get it in {other}.")
            said = what.format(language=language, other=content.languages[0])
            yield reading.problem(("messages",), said, _("Write it in the company's language, too."))


def _contents(book: Book, reading: Reading, outreach: Outreach, _: Translate) -> Iterator[Problem]:
    """Contents and matrices that nobody wrote."""
    for sent in sent_by(outreach):
        if isinstance(sent.content, FromMatrix):
            what, path = _("There is no matrix {word}."), (*sent.path, "matrix")
            yield from unknown(reading, path, what, sent.content.matrix, book.ids("matrix"), _)
        else:
            what = _("There is no content {word}.")
            yield from unknown(reading, sent.path, what, sent.content, book.ids("content"), _)


def _windows(book: Book, reading: Reading, outreach: Outreach, _: Translate) -> Iterator[Problem]:
    """Windows of its own that lie in the quiet hours: there nothing would ever leave."""
    quiet = [policy.quiet_hours for _reading, policy in book.of(FrequencyPolicy) if policy.quiet_hours]
    for place, window in enumerate(outreach.windows):
        if any(window.overlaps(hours) for hours in quiet):
            what = _("The window {starts} to {ends} lies in the quiet hours.")
            said = what.format(starts=window.starts, ends=window.ends)
            yield reading.problem(("windows", place), said, _("Move one of them."))


def _sent_as_marketing(book: Book) -> set[str]:
    """Ids of the contents that running campaigns and journeys send as marketing mail, one by one or by a matrix."""
    return {id for sent, id, channels in _running(book) if sent.purpose == MARKETING and "email" in channels}


def _running(book: Book) -> Iterator[tuple[SentContent, str, frozenset[str]]]:
    """Each content that a running campaign or journey may send, and the channels it may go out on."""
    matrices = {matrix.id: matrix for _reading, matrix in book.of(Matrix)}
    for _reading, outreach in book.of(Outreach):
        for sent in sent_by(outreach) if outreach.state in RUNNING else ():
            yield from ((sent, id, channels) for id, channels in contents_behind(sent, matrices))
