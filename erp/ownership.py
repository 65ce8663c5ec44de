"""The ownership map: who may write which entity, who reads a copy, and how old a copy may be.

Everything else is derived from this file: the router, roles and grants, the doors through which copies
are filled, the replication schedule, the freshness guard, the scrubber's copy checks, the API's
ownership headers and the consistency board. A new entity is one line here, plus the owner's model and
serializer and one copy model per reader.
"""

from __future__ import annotations

from dataclasses import dataclass

MODULES = ("admin_app", "finance", "logistics", "storefront")
"""Business modules, lowest first: calls go from the right to the left, never back."""

PLATFORM = "platform"
"""Schema and role of Django's own tables (users, sessions, schedule); Django alias ``default``."""

SCHEMAS = (PLATFORM, *MODULES)

MODULE_LABELS = {
    "admin_app": "Admin",
    "finance": "Finance",
    "logistics": "Logistics",
    "storefront": "Storefront",
    PLATFORM: "Platform",
}

PLATFORM_APPS = frozenset({"erp", "auth", "contenttypes", "sessions", "admin", "authtoken", "django_celery_beat"})
"""App labels whose tables live in the platform schema."""


@dataclass(frozen=True)
class Entity:
    """One line of the map."""

    name: str
    owner: str  # the module that may write it
    readers: tuple[str, ...]  # modules that hold a copy
    window_s: int  # how old a copy may be; 0 = instant (same transaction)
    table: str  # the owner's table
    custodians: tuple[str, ...] = ()  # modules the entity is handed over to; each owns what it accepted
    append_only: bool = False  # rows are inserted, never changed

    @property
    def is_instant(self) -> bool:
        """Whether a write must be confirmed by every attached reader before it commits."""
        return self.window_s == 0

    @property
    def writers(self) -> tuple[str, ...]:
        """Modules that own rows of this entity: the owner and the custodians it hands over to."""
        return (self.owner, *self.custodians)

    @property
    def copy_table(self) -> str:
        """Name of the copy in every reader's schema."""
        return f"{self.name}_copy"

    def sources_of(self, reader: str) -> tuple[str, ...]:
        """Modules from which this reader is fed (a custodian does not feed itself)."""
        if reader in self.writers:
            return tuple(w for w in self.custodians if w != reader)
        return self.writers


ENTITIES = (
    Entity("customer", "admin_app", ("finance", "logistics", "storefront"), 0, "customer"),
    Entity("product", "admin_app", ("finance", "logistics", "storefront"), 0, "product"),
    Entity("stock", "logistics", ("storefront", "admin_app"), 15, "stock"),
    Entity("ledger", "finance", ("admin_app",), 60, "journal_line", append_only=True),
    Entity("vat_code", "finance", ("admin_app", "storefront"), 0, "vat_code"),
    Entity("sales_order", "storefront", ("finance", "storefront"), 15, "sales_order", custodians=("logistics",)),
    Entity("invoice", "finance", ("admin_app", "storefront"), 0, "invoice"),
)


@dataclass(frozen=True)
class Internal:
    """A table that belongs to one module alone."""

    table: str
    append_only: bool = False  # the runtime role may INSERT and SELECT, nothing else


STANDARD = (
    Internal("change_journal", append_only=True),
    Internal("idempotency_key"),
    Internal("reader_state"),
    Internal("relay_item"),
)
"""Tables every module has."""

REPLICA_TABLES = ("copy_position", "copy_tick")
"""Position and tick log of windowed copies, in every reader's schema; written by doors only."""

INTERNAL: dict[str, tuple[Internal, ...]] = {
    "admin_app": (*STANDARD, Internal("customer_address")),
    "finance": (
        *STANDARD,
        Internal("account"),
        Internal("journal"),
        Internal("fiscal_period"),
        Internal("journal_entry", append_only=True),
        Internal("period_change", append_only=True),
        Internal("period_check", append_only=True),
        Internal("closed_year", append_only=True),
        Internal("recurring_entry"),
        Internal("entry_attachment", append_only=True),
        Internal("entry_seal", append_only=True),
        Internal("seal_head"),
        Internal("ledger_balance"),
        Internal("seal_mark"),
        Internal("number_series"),
        Internal("invoice_seal", append_only=True),
        Internal("invoice_line"),
        Internal("invoice_settlement"),
        Internal("payment"),
        Internal("payment_allocation", append_only=True),
        Internal("write_off", append_only=True),
        Internal("bank_mapping"),
        Internal("bank_statement", append_only=True),
        Internal("bank_entry"),
        Internal("collective_customer"),
        Internal("waiting_issue"),
        Internal("exchange_rate"),
        Internal("product_cost"),
        Internal("valued_move", append_only=True),
        Internal("margin_cost", append_only=True),
        Internal("nav_submission"),
        Internal("nav_batch"),
        Internal("nav_item"),
        Internal("nav_annulment"),
        Internal("nav_channel"),
        Internal("nav_credential"),
    ),
    "logistics": (
        *STANDARD,
        Internal("warehouse"),
        Internal("stock_move", append_only=True),
        Internal("product_sequence"),
        Internal("reservation"),
        Internal("order_offer"),
        Internal("sales_order_line"),
        Internal("shipment"),
        Internal("shipment_line"),
        Internal("goods_receipt"),
        Internal("return_order"),
        Internal("return_line"),
        Internal("stock_count"),
        Internal("stock_count_line"),
        Internal("reorder_level"),
        Internal("expected_goods"),
    ),
    "storefront": (
        *STANDARD,
        Internal("replayed_invoice"),
        Internal("category"),
        Internal("cart"),
        Internal("cart_line"),
        Internal("payment_attempt"),
        Internal("payment_callback", append_only=True),
        Internal("payment_booking"),
        Internal("shop_account"),
        Internal("shipping_method"),
        Internal("sales_order_line"),
        Internal("attempt_count"),
        Internal("mailed_document"),
        Internal("search_word"),
        Internal("searched_product"),
    ),
}


STANDARD_FUNCTIONS = ("ensure_journal_partitions(integer)", "attached_readers(text, integer, integer)")

FUNCTIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(MODULES, STANDARD_FUNCTIONS),
    "admin_app": (*STANDARD_FUNCTIONS, "redact_journal(text, bigint, jsonb)"),
    "finance": (
        *STANDARD_FUNCTIONS,
        "chain_sha256(bytea, bytea)",
        "content_digest(jsonb)",
        "tax_day(text, numeric, numeric, date, date)",
    ),
}
"""Functions, besides the doors, that a module's runtime role may call in its own schema."""


class UnknownEntity(LookupError):
    """The ownership map has no such entity."""


def entity(name: str) -> Entity:
    """Return the map's line for ``name``. Raises UnknownEntity."""
    for found in ENTITIES:
        if found.name == name:
            return found
    known = ", ".join(e.name for e in ENTITIES)
    raise UnknownEntity(f"The ownership map has no entity {name!r}; it knows {known}")


def entities_read_by(module: str) -> tuple[Entity, ...]:
    """Entities of which ``module`` holds a copy, in map order."""
    return tuple(e for e in ENTITIES if module in e.readers)


def entities_written_by(module: str) -> tuple[Entity, ...]:
    """Entities of which ``module`` owns rows, in map order."""
    return tuple(e for e in ENTITIES if module in e.writers)


def windowed_pairs() -> tuple[tuple[Entity, str, str], ...]:
    """(entity, source, reader) of every copy that is filled by a periodic run."""
    return tuple(
        (e, source, reader)
        for e in ENTITIES
        if not e.is_instant
        for reader in e.readers
        for source in e.sources_of(reader)
    )


def alias_of(module: str) -> str:
    """Django database alias of a module."""
    return "default" if module == PLATFORM else module


def module_of_app(app_label: str) -> str:
    """Module whose schema holds the app's tables. Raises UnknownEntity for an unmapped app."""
    if app_label in MODULES:
        return app_label
    if app_label in PLATFORM_APPS:
        return PLATFORM
    raise UnknownEntity(f"The ownership map does not say where app {app_label!r} lives")


def runtime_role(module: str) -> str:
    """PostgreSQL role that runs a module."""
    return module


def ddl_role(module: str) -> str:
    """PostgreSQL role that owns a module's schema and migrates it."""
    return f"{module}_ddl"
