"""Seals: every posted entry and every issued document is chained by hash, so that a later change shows."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from erp.fields import Xid8Field
from erp.models import InternalModel


class EntrySeal(InternalModel):
    """One entry in the chain: the hash covers the hash before it, the entry and its lines; append-only."""

    no = models.BigIntegerField(primary_key=True, help_text="Position in the chain, without gaps")
    entry_id = models.BigIntegerField(unique=True)
    header = models.BinaryField(help_text="SHA-256 of the entry without its lines")
    lines = models.BinaryField(help_text="SHA-256 of every line, 32 bytes each, in their order")
    hash = models.BinaryField(help_text="SHA-256 of the hash before, header and lines")
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "entry_seal"
        ordering = ("-no",)

    def __str__(self) -> str:
        return f"{self.no}: entry {self.entry_id}"


class SealHead(InternalModel):
    """How far the chain of entries has come; one row, locked by whoever seals."""

    last_no = models.BigIntegerField(default=0, db_default=0)
    last_hash = models.BinaryField(default=b"", db_default=b"")
    lo = Xid8Field(help_text="Entries of older transactions are sealed")
    dated_from = models.BigIntegerField(
        default=0, db_default=0, help_text="Seals after this one cover the lines' tax dates"
    )
    system_identifier = models.CharField(max_length=40, default="", db_default="")
    ran_at = models.DateTimeField(null=True, help_text="When a run last began that sealed all there was")

    class Meta:
        db_table = "seal_head"

    def __str__(self) -> str:
        return f"{self.last_no} entries sealed"


class SealMark(InternalModel):
    """Up to where a chain was verified: the ledger's, or a document series' of one year."""

    chain = models.CharField(max_length=40, unique=True)
    no = models.BigIntegerField()
    hash = models.BinaryField()
    lo = Xid8Field(null=True)
    verified_at = models.DateTimeField(db_default=Now())
    full_at = models.DateTimeField(null=True, help_text="When it was last verified from its beginning")

    class Meta:
        db_table = "seal_mark"

    def __str__(self) -> str:
        return f"{self.chain}: {self.no}"


class InvoiceSeal(InternalModel):
    """One issued document in the chain of its series; written by PostgreSQL when it is issued, append-only."""

    invoice_id = models.BigIntegerField(primary_key=True)
    number = models.CharField(max_length=40)
    series = models.CharField(max_length=10)
    fiscal_year = models.IntegerField()
    sequence_no = models.BigIntegerField()
    header = models.BinaryField(help_text="SHA-256 of the frozen document without its lines")
    lines = models.BinaryField(help_text="SHA-256 of every line, 32 bytes each, in their order")
    hash = models.BinaryField(help_text="SHA-256 of the hash before it in the series, header and lines")

    class Meta:
        db_table = "invoice_seal"
        constraints = (
            models.UniqueConstraint(fields=["series", "fiscal_year", "sequence_no"], name="invoice_seal_once"),
        )

    def __str__(self) -> str:
        return self.number
