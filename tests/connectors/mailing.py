"""What the tests of mail share: a letter, a channel that is not patient, certificates."""

import datetime as dt
import email
import email.policy
import ipaddress
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.channels import Letter
from connectors.channels.dialogue import Patience, Route
from connectors.channels.mime import Letterhead
from connectors.channels.smtp import Smtp
from vesper.clock import now

SENDER, SENDER_NAME = "vesper@shop.example", "好邻居超市"
ONE_CLICK, MAILTO = "https://shop.example/u/token", "mailto:leave@shop.example?subject=token"
SHORT = Patience(opening=1.5, envelope=1.0, mail=1.0)


def letter(message_id: str = "m1", **changes: Any) -> Letter:
    fields = {
        "message_id": message_id,
        "address": "ming@example.com",
        "subject": "广告：好久不见",
        "text": "您好：\n\n.退订：x\n",
        "html": "<p>您好</p>",
        "unsubscribe_url": ONE_CLICK,
        "unsubscribe_mailto": MAILTO,
        "sent_at": dt.datetime(2018, 1, 2, 2),
    }
    return Letter(**(fields | changes))


def smtp(port: int, head: Letterhead | None = None, **changes: Any) -> Smtp:
    """A channel to a server of a test, with a second for each part of a dialogue. Settings of the route are those of Route."""
    route = {name: changes.pop(name) for name in ("security", "user", "password") if name in changes}
    host = changes.pop("host", "127.0.0.1")
    return Smtp(Route(host, port, **route), head or Letterhead(SENDER, SENDER_NAME), **({"patience": SHORT} | changes))


def parsed(mail: bytes) -> EmailMessage:
    return email.message_from_bytes(mail, policy=email.policy.default)


class Authority:
    """An authority of one test: certificates for names, in files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        self.file = folder / "authority.pem"
        made = self._certificate(self.name, self.key, days=30).add_extension(x509.BasicConstraints(True, None), True)
        self.file.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _certificate(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
        start = now() - dt.timedelta(days=60)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(now() + dt.timedelta(days=days))
            .add_extension(identifier, False)
            .add_extension(signer, False)
        )

    def server(self, days: int = 30, address: str = "127.0.0.1") -> ssl.SSLContext:
        """A server's context, valid for so many more days and for one address."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server")])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        made = self._certificate(subject, key, days).add_extension(names, False).sign(self.key, hashes.SHA256())
        file = self.folder / f"server{days}_{address}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context
