"""The few calls to Prefect's HTTP interface that need no Prefect: importing it would cost four seconds in a command that only waits."""

from dataclasses import dataclass
from typing import Any

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

BUSY = 503
PAUSE_SECONDS = 0.3


class ServerBusy(RuntimeError):
    """503 is how the server says that its database is busy with another writer."""


@dataclass(frozen=True)
class Api:
    """An address such as http://127.0.0.1:4200/api."""

    url: str
    timeout_seconds: float = 30

    def is_healthy(self) -> bool:
        """True when a server answers there."""
        try:
            return requests.get(f"{self.url}/health", timeout=2).ok
        except (requests.RequestException, ValueError):
            return False

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, body)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("PUT", path, body)

    def patch(self, path: str, body: dict[str, Any]) -> None:
        self._call("PATCH", path, body)

    def delete(self, path: str) -> None:
        self._call("DELETE", path, None)

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        """One call, asked again while the server is busy."""
        patient = Retrying(
            retry=retry_if_exception_type(ServerBusy),
            stop=stop_after_delay(self.timeout_seconds),
            wait=wait_fixed(PAUSE_SECONDS),
            reraise=True,
        )
        return patient(self._once, method, path, body)

    def _once(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        answer = requests.request(method, f"{self.url}/{path}", json=body, timeout=self.timeout_seconds)
        if not answer.ok:
            kind = ServerBusy if answer.status_code == BUSY else RuntimeError
            raise kind(f"Prefect refused {method} {path} with {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else None
