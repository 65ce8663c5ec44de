"""A browser without a screen: one connection, cookies, forms; writes down what every page took and showed."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Mapping
from html import unescape
from urllib.parse import urlencode, urljoin, urlsplit

from storefront.drill.measure import Log

TIMEOUT_S = 60
_AGE = re.compile(r'data-age-s="([\d.]+)"')
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class NoAnswer(Exception):
    """The shop did not answer this request."""


class Page:
    """An answer: its status, address and text."""

    def __init__(self, status: int, path: str, location: str, text: str) -> None:
        self.status, self.path, self.location, self.text = status, path, location, text

    def hidden(self) -> dict[str, str]:
        """Hidden fields of the page's forms; of a name that occurs twice the last."""
        return {name: unescape(value) for name, value in _FIELD.findall(self.text)}


class Browser:
    """One shopper's browser at one shop."""

    def __init__(self, base: str, log: Log) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._link = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        self._cookies: dict[str, str] = {}
        self._log = log

    def get(self, path: str, kind: str) -> Page:
        """Ask for a page."""
        return self._ask("GET", path, None, kind)

    def post(self, path: str, data: Mapping[str, str], kind: str) -> Page:
        """Send a form, with the token that Django wants."""
        token = self._cookies.get("csrftoken", "")
        return self._ask("POST", path, urlencode({"csrfmiddlewaretoken": token, **data}), kind)

    def _ask(self, method: str, path: str, body: str | None, kind: str) -> Page:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.monotonic()
        try:
            self._link.request(method, path, body, headers)
            answer = self._link.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            self._link.close()
            self._log.page(kind, 0, time.monotonic() - began, None)
            raise NoAnswer(f"{method} {path}: {error}") from error
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";", 1)[0].partition("=")
            self._cookies[name.strip()] = value.strip()
        ages = [float(age) for age in _AGE.findall(text)]
        self._log.page(kind, answer.status, time.monotonic() - began, max(ages, default=None))
        return Page(answer.status, path, urljoin(path, answer.headers.get("Location", "")), text)

    def close(self) -> None:
        """Hang up."""
        self._link.close()
