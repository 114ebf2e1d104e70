"""Channels: a content says something on each channel that it is sent on, and a channel carries no purpose that its provider forbids (R84, C6)."""

from collections.abc import Iterator

from vesper.checks.book import Book
from vesper.language import Translate
from vesper.model.condition import Path
from vesper.model.content import Content, Message, words_used
from vesper.model.content_short import BROADCASTS, EVERYBODY, SERVICE_ONLY, SHORTS
from vesper.model.matrix import Matrix
from vesper.model.outreach import Outreach
from vesper.model.workspace import Workspace
from vesper.problem import Problem
from vesper.reading import Reading
from vesper.sent import contents_behind, sent_by
from vesper.sms import says_way_out, starts_signed

MARKETING, STOPPED, SMS = "marketing", "stopped", "sms"


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """Messages that would have to leave on a channel on which they say nothing."""
    contents = {reading.id: (reading, content) for reading, content in book.of(Content)}
    told: set[tuple[str, str]] = set()
    for outreach_id, content_id, channel, _purpose in _sends(book):
        if content_id in contents and (content_id, channel) not in told:
            told.add((content_id, channel))
            yield from _silent(*contents[content_id], channel, outreach_id, _)
    for reading, content in contents.values():
        yield from _signed(reading, content, _)
        yield from _personal(reading, content, _)
    yield from _forbidden(book, _)


def workspace_warnings(book: Book, workspace: Workspace, _: Translate) -> Iterator[Problem]:
    """Marketing by short message that says no way out, where the provider adds none; nothing of it is ever sent."""
    if workspace.sms.appends_opt_out:
        return
    contents = {reading.id: (reading, content) for reading, content in book.of(Content)}
    marketing = {id for _id, id, channel, purpose in _sends(book) if channel == SMS and purpose == MARKETING}
    for id in sorted(marketing & contents.keys()):
        reading, content = contents[id]
        for path, message in _messages(content):
            if message.sms and not says_way_out(message.sms.text):
                what = _("The short message does not say how one leaves.")
                yield reading.problem((*path, SMS, "text"), what, _("Write 拒收请回复R at its end."))


def _sends(book: Book) -> Iterator[tuple[str, str, str, str]]:
    """Outreach, content, channel, purpose of everything that may be sent."""
    matrices = {matrix.id: matrix for _reading, matrix in book.of(Matrix)}
    for _reading, outreach in book.of(Outreach):
        for sent in sent_by(outreach) if outreach.state != STOPPED else ():
            for content_id, channels in contents_behind(sent, matrices):
                yield from ((outreach.id, content_id, channel, sent.purpose) for channel in sorted(channels))


def _silent(reading: Reading, content: Content, channel: str, outreach_id: str, _: Translate) -> Iterator[Problem]:
    key = SHORTS.get(channel)
    instead = _("Write {key} in it.").format(key=key) if key else _("Write subject and text in it.")
    for path, message in _messages(content):
        if not message.says_on(channel):
            what = _("{outreach} sends it on {channel}, and the message says nothing there.")
            yield reading.problem(path, what.format(outreach=outreach_id, channel=channel), instead)


def _signed(reading: Reading, content: Content, _: Translate) -> Iterator[Problem]:
    """Short messages that bring a signature: the provider puts the one of [sms] before it."""
    for path, message in _messages(content):
        if message.sms and starts_signed(message.sms.text):
            what = _("The short message begins with a signature; the one of vesper.toml [sms] comes before it.")
            yield reading.problem((*path, SMS, "text"), what, _("Take it out."))


def _personal(reading: Reading, content: Content, _: Translate) -> Iterator[Problem]:
    """Broadcasts that name a word of the person: they say the same to everybody."""
    for path, message in _messages(content):
        for key, short in message.shorts.items():
            for word in words_used(short.text) if key in BROADCASTS else ():
                if word not in EVERYBODY:
                    what = _("A broadcast says the same to everybody, and {word} is the person's own.").format(
                        word=word
                    )
                    yield reading.problem((*path, key, "text"), what, _("Take it out."))


def _forbidden(book: Book, _: Translate) -> Iterator[Problem]:
    """Marketing on a channel whose provider lets only service through."""
    matrices = {matrix.id: matrix for _reading, matrix in book.of(Matrix)}
    for reading, outreach in book.of(Outreach):
        for sent in sent_by(outreach):
            channels = set[str]().union(*[channels for _id, channels in contents_behind(sent, matrices)])
            for channel in sorted(channels & set(SERVICE_ONLY)) if sent.purpose == MARKETING else ():
                what = _("The provider of {channel} forbids marketing on it.").format(channel=channel)
                yield reading.problem(sent.path, what, _("Write another channel, or purpose: requested for service."))


def _messages(content: Content) -> Iterator[tuple[Path, Message]]:
    """Every whole message with its place."""
    for language, message in content.messages.items():
        yield ("messages", language), message
    for place, variant in enumerate(content.variants):
        for language, message in variant.messages.items():
            yield ("variants", place, "messages", language), message
