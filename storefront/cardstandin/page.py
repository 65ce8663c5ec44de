"""The page of the stand-in on which a shopper pays; plain HTML, works without JavaScript."""

from __future__ import annotations

from html import escape
from typing import Any

from storefront.cardstandin.cards import CARDS

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pay by card</title><style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 0; background: #f3f4f6; color: #1f2937 }}
main {{ max-width: 30rem; margin: 2rem auto; padding: 1.5rem; background: #fff; border-radius: .5rem;
  box-shadow: 0 1px 4px rgb(0 0 0 / 15%) }}
h1 {{ font-size: 1.25rem; margin: 0 0 .25rem }} .amount {{ font-size: 1.75rem; font-weight: 600; margin: 0 0 1rem }}
label {{ display: block; font-weight: 600 }}
input {{ font: inherit; width: 100%; box-sizing: border-box; padding: .6rem; border: 1px solid #6b7280;
  border-radius: .375rem; margin: .25rem 0 1rem }}
button {{ font: inherit; font-weight: 600; padding: .7rem 1.2rem; border-radius: .375rem; border: 1px solid #1d4ed8;
  background: #1d4ed8; color: #fff }} button.quiet {{ background: #fff; color: #1d4ed8 }}
table {{ border-collapse: collapse; width: 100%; font-size: .875rem; margin-top: 1.5rem }}
td {{ padding: .25rem .5rem .25rem 0; border-top: 1px solid #e5e7eb; vertical-align: top }}
.note {{ background: #fef3c7; padding: .5rem .75rem; border-radius: .375rem }}
</style></head><body><main>
<p class="note">This is a stand-in for a card provider. No money moves.</p>
<h1>{description}</h1><p class="amount">{amount} {currency}</p>{message}
<form method="post"><label for="card">Card number</label>
<input id="card" name="card" inputmode="numeric" autocomplete="cc-number" value="4242 4242 4242 4242" required>
<button name="action" value="pay">Pay {amount} {currency}</button>
<button class="quiet" name="action" value="back" formnovalidate>Back to the shop</button></form>
<table><caption class="note">Cards to try</caption>{cards}</table>
</main></body></html>"""


def pay_page(payment: dict[str, Any], message: str = "") -> str:
    """The form, with the cards that can be tried."""
    cards = "".join(f"<tr><td>{escape(c.number)}</td><td>{escape(c.what)}</td></tr>" for c in CARDS)
    return _PAGE.format(
        description=escape(payment["description"]), amount=escape(payment["amount"].rstrip("0").rstrip(".")),
        currency=escape(payment["currency"]), cards=cards,
        message=f'<p role="alert" class="note">{escape(message)}</p>' if message else "",
    )  # fmt: skip


def plain_page(message: str) -> str:
    """One sentence."""
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Card</title><p>{escape(message)}</p></html>'
