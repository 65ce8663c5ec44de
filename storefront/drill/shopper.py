"""What one shopper does, again and again: look around, fill a cart, order, look at the order."""

from __future__ import annotations

import http.client
import random
import re
import threading
from html import unescape
from urllib.parse import urlencode, urlsplit

from storefront.drill.browser import Browser, NoAnswer, Page
from storefront.drill.measure import Log

_PRODUCT = re.compile(r'href="(/p/[^"/]+/(\d+)/)"')
_NEXT = re.compile(r'href="(/\?[^"]*after[^"]*)"')
_LINE = re.compile(r'name="quantity-(\d+)"[^>]*value="(\d+)"')
CARD = "4242424242424242"
ADDRESS = {
    "phone": "", "ship_name": "Black Friday", "ship_street": "Fő utca 1.", "ship_postcode": "1011",
    "ship_city": "Budapest", "ship_country": "HU", "bill_same": "on", "tax_number": "", "note": "",
    "accept_terms": "on",
}  # fmt: skip


class Shopper:
    """One shopper in a thread of his own; ``hot`` are the paths of products that everybody wants."""

    def __init__(self, number: int, base: str, log: Log, *, seed: int, hot: list[str], think_s: float) -> None:
        self._number, self._base, self._log, self._hot = number, base, log, hot
        self._random = random.Random(seed * 1000 + number)
        self._think_s = think_s
        self._visits = 0

    def run(self, stopping: threading.Event) -> None:
        """Visit until told to stop; a visit that has begun goes on to its order."""
        while not stopping.is_set():
            self._visits += 1
            browser = Browser(self._base, self._log)
            try:
                self._visit(browser, stopping)
            except NoAnswer:
                self._log.failure("no answer")
            except Exception as error:  # noqa: BLE001  a page that is not what we expect is a finding, not the end
                self._log.failure(f"{type(error).__name__}: {error}"[:200])
            finally:
                browser.close()

    def _visit(self, browser: Browser, stopping: threading.Event) -> None:
        start = browser.get("/", "list")
        self._think(stopping)
        paths = sorted({path for path, _ in _PRODUCT.findall(start.text)})
        if more := _NEXT.findall(start.text):
            page = browser.get(unescape(self._random.choice(more)), "list")
            paths = sorted({path for path, _ in _PRODUCT.findall(page.text)}) or paths
        wanted = self._random.sample(paths, min(len(paths), self._random.randint(1, 3)))
        if self._hot and self._random.random() < 0.6:
            wanted[:1] = [self._random.choice(self._hot)]
        for path in wanted:
            self._look_and_take(browser, path)
            self._think(stopping)
        cart = browser.get("/cart/", "cart")
        lines = [(int(product), int(quantity)) for product, quantity in _LINE.findall(cart.text)]
        if lines:
            self._order(browser, lines)

    def _look_and_take(self, browser: Browser, path: str) -> None:
        page = browser.get(path, "product")
        key = path.rstrip("/").rsplit("/", 1)[1]
        if self._random.random() < 0.5:
            browser.get(f"/stock/{key}/", "stock")  # the live refresh
        if page.status == 200 and f'action="/cart/add/{key}/"' in page.text:
            browser.post(f"/cart/add/{key}/", {"quantity": str(self._random.choice((1, 1, 1, 2)))}, "add")

    def _order(self, browser: Browser, lines: list[tuple[int, int]]) -> None:
        page = browser.get("/checkout/?shipping_method=PICKUP", "checkout")
        if page.status != 200:
            self._log.refusal()
            return
        takes_cards = 'value="card"' in page.text
        method = "card" if takes_cards and self._random.random() < 0.3 else self._random.choice(("transfer", "cod"))
        form = {
            **page.hidden(), **ADDRESS, "email": f"bf{self._number}@example.com", "shipping_method": "PICKUP",
            "payment_method": method,
        }  # fmt: skip
        form.pop("csrfmiddlewaretoken", None)
        answer = browser.post("/checkout/", form, "order")
        if answer.status == 302 and answer.location.startswith("/checkout/pay/"):
            answer = self._pay(browser, answer)
        if answer.status == 302 and answer.location.startswith("/orders/"):
            self._log.order(answer.location.split("/")[2], lines)
            browser.get(answer.location, "order page")
        elif answer.status < 500:
            self._log.refusal()

    def _pay(self, browser: Browser, step: Page) -> Page:
        browser.get(step.location, "payment")
        sent = browser.post(step.location, {}, "payment")
        if sent.status != 302 or not sent.location.startswith("http://127.0.0.1"):
            return sent
        at = urlsplit(sent.location)
        link = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)
        try:
            form = urlencode({"card": CARD, "action": "pay"})
            link.request("POST", at.path, form, {"Content-Type": "application/x-www-form-urlencoded"})
            back = link.getresponse()
            back.read()
        finally:
            link.close()
        return browser.get(urlsplit(back.headers.get("Location", "/")).path, "payment")

    def _think(self, stopping: threading.Event) -> None:
        stopping.wait(self._random.uniform(0.2, 1.8) * self._think_s)
