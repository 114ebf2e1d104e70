"""Settings of the channels beside mail and webhook: one section of vesper.toml each. Nothing secret stands here.

What belongs here: who the provider is and what it was told about the company. What does not: what messages say (`content_short.py`), calls
(`connectors/channels/`).
"""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from vesper.model.section import Section, elsewhere
from vesper.problem import wrong

LOOPBACK = "loopback"


class App(Section):
    """An app of WeChat or WeCom. Without an id its messages stay in a server inside the run."""

    app_id: str = ""
    """Id of the official account (wx...) or of the company (ww...); people of it are known by openids written `id:openid`."""
    secret: str = ""
    """Its secret, a variable of the environment: ${WECHAT_SECRET}."""
    endpoint: str = ""
    """Another address than the provider's own, such as http://127.0.0.1:8000 of a rehearsal."""
    test_ids: tuple[str, ...] = ()
    """Whom a workspace that is not production may write to, as their openids stand in the lake; nobody else."""
    per_second: float = Field(default=0, ge=0)
    """Messages a second over all workers together; 0 for no limit but what the provider asks for."""

    @field_validator("secret")
    @classmethod
    def secret_is_elsewhere(cls, value: str) -> str:
        return elsewhere(value)

    @model_validator(mode="after")
    def whole(self) -> "App":
        if self.app_id and not self.secret:
            raise wrong(
                "The app {app} has no secret.", "Write secret = a variable of the environment.", app=self.app_id
            )
        return self

    @field_validator("endpoint")
    @classmethod
    def encrypted(cls, value: str) -> str:
        return _encrypted(value)


class Sms(Section):
    """How short messages leave. `loopback` keeps them in a server inside the run."""

    provider: Literal["loopback", "aliyun", "tencent"] = "loopback"
    key_id: str = ""
    """Access key of the provider, a variable of the environment: ${SMS_KEY_ID}."""
    key_secret: str = ""
    """Its secret, a variable of the environment: ${SMS_KEY_SECRET}."""
    sign: str = ""
    """The signature that the provider approved, without brackets; it stands as 【sign】 before every message (rule C6)."""
    app_id: str = ""
    """SmsSdkAppId of the application (Tencent)."""
    region: str = ""
    """Region of the provider; cn-hangzhou (Aliyun) or ap-guangzhou (Tencent) where it is empty."""
    endpoint: str = ""
    """Another address than the provider's own, such as http://127.0.0.1:8000 of a rehearsal."""
    opt_out: str = "拒收请回复R"
    """How one leaves, as it stands at the end of every marketing message."""
    appends_opt_out: bool = True
    """True when the provider adds that wording to marketing messages itself; otherwise the text of every content must say it."""
    receipt_key: str = ""
    """A long secret in the address that the provider posts receipts and answers to, a variable of the environment; without one it is closed."""
    test_numbers: tuple[str, ...] = ()
    """Whom a workspace that is not production may write to at a real provider, in E.164; nobody else."""
    per_second: float = Field(default=0, ge=0)
    """Messages a second over all workers together; 0 for no limit but what the provider asks for."""

    @field_validator("key_id", "key_secret", "receipt_key")
    @classmethod
    def secret_is_elsewhere(cls, value: str) -> str:
        return elsewhere(value)

    @model_validator(mode="after")
    def whole(self) -> "Sms":
        needed = {"key_id": self.key_id, "key_secret": self.key_secret, "sign": self.sign}
        if self.provider == "tencent":
            needed["app_id"] = self.app_id
        missing = [name for name, value in needed.items() if not value]
        if self.provider != LOOPBACK and missing:
            raise wrong(
                "[sms] of provider {provider} lacks {missing}.",
                'Write it, or provider = "loopback".',
                provider=self.provider,
                missing=", ".join(missing),
            )
        return self

    @field_validator("endpoint")
    @classmethod
    def encrypted(cls, value: str) -> str:
        return _encrypted(value)


def _encrypted(address: str) -> str:
    """An address that nobody reads along, or one of this machine."""
    parts = urlsplit(address)
    is_here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if address and parts.scheme != "https" and not is_here:
        raise wrong(
            "The address {address} is not encrypted.", "Write https:// (http:// on this machine).", address=address
        )
    return address
