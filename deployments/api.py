"""The few calls to Prefect's HTTP interface that need no Prefect: importing it would cost four seconds in a command that only waits."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

BUSY = 503


@dataclass(frozen=True)
class Api:
    """An address such as http://127.0.0.1:4200/api."""

    url: str
    timeout_seconds: float = 30

    def is_healthy(self) -> bool:
        """True when a server answers there."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, ValueError):
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
        """One call; 503 is how the server says that its database is busy with another writer, so it is asked again for a while."""
        over_at = time.monotonic() + self.timeout_seconds
        while True:
            try:
                return self._once(method, path, body)
            except urllib.error.HTTPError as error:
                if error.code != BUSY or time.monotonic() > over_at:
                    said = error.read().decode(errors="replace")[:500]
                    raise RuntimeError(f"Prefect refused {method} {path} with {error.code}: {said}") from error
            time.sleep(0.3)

    def _once(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            f"{self.url}/{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=self.timeout_seconds) as answer:
            text = answer.read()
        return json.loads(text) if text else None
