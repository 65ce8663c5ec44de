"""Who is shopping: a guest known by the cart token in the session, or a customer with a shop account."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from storefront.models import CustomerCopy, ShopAccount


@dataclass(frozen=True)
class Visitor:
    """A shopper of one request."""

    token: UUID | None  # of a guest's cart
    customer: CustomerCopy | None  # behind a confirmed log-in
    email: str = ""
    is_confirmed: bool = True  # the e-mail address of the log-in

    @property
    def customer_id(self) -> int | None:
        """Id of the customer, None for a guest."""
        return self.customer.pk if self.customer else None


def find_visitor(user_id: int | None, token: UUID | None) -> Visitor:
    """The visitor behind a platform user id (None: not logged in) and a session's cart token."""
    account = ShopAccount.objects.filter(user_id=user_id).first() if user_id is not None else None
    if account is None:
        return Visitor(token, None)
    customer = CustomerCopy.objects.filter(pk=account.customer_id, retired_at=None).first()
    return Visitor(token, customer, account.email, account.confirmed_at is not None)
