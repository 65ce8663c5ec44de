"""Reports to the tax office: what of every issued document is reported, in which requests, with which answers.

A *submission* is the report of one document, from its issue to its end; a *batch* is one request to the NAV; an
*item* is a submission's place in a batch with the XML that was sent and what became of it; an *annulment* withdraws
a report whose data were wrong.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from erp.fields import ExactJSONField
from erp.models import InternalModel
from finance.models.invoices import Invoice
from finance.nav.xmlread import unpacked

DEADLINE = timedelta(hours=24)
"""After the issue; the law wants the report at once and grants this after an outage."""


class NavSubmission(InternalModel):
    """The report of one issued document; written by a trigger in the transaction that issues it."""

    class State(models.TextChoices):
        """How far the report has come; only *done* counts as reported."""

        WAITING = "waiting", "Waiting to be sent"
        SENDING = "sending", "Sent, no answer yet"
        SENT = "sent", "Taken in, being processed"
        DONE = "done", "Reported"
        REFUSED = "refused", "Refused by the NAV"
        BLOCKED = "blocked", "Cannot be reported as it is"
        ANNULLED = "annulled", "Report annulled"

    class Operation(models.TextChoices):
        """What the document does to its chain."""

        CREATE = "CREATE", "New"
        MODIFY = "MODIFY", "Changes an invoice"
        STORNO = "STORNO", "Ends an invoice"

    invoice = models.OneToOneField(Invoice, primary_key=True, on_delete=models.PROTECT, related_name="submission")
    number = models.CharField(max_length=50)
    issued_on = models.DateField()
    operation = models.CharField(max_length=6, choices=Operation)
    base = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="chain", db_index=False)
    modification_index = models.IntegerField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, db_default=State.WAITING)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now() + DEADLINE)
    next_at = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(default=0, db_default=0)
    alone = models.BooleanField(default=False, db_default=False, help_text="A batch with it was refused as a whole")
    claim = models.UUIDField(null=True, help_text="The worker that is preparing it")
    item = models.ForeignKey("NavItem", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    transaction_id = models.CharField(max_length=30, default="", db_default="")
    messages = ExactJSONField(default=list, db_default=models.Value([], models.JSONField()))
    has_warnings = models.BooleanField(default=False, db_default=False)
    reported = ExactJSONField(default=list, db_default=models.Value([], models.JSONField()))
    done_at = models.DateTimeField(null=True)
    buyer = ExactJSONField(null=True, help_text="The buyer's data as reported, where those on the document are wrong")
    transport = ExactJSONField(null=True, help_text="New means of transport by line, as described for the report")
    repaired_by = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        db_table = "nav_submission"
        ordering = ("-invoice_id",)
        verbose_name = "report to the NAV"
        verbose_name_plural = "reports to the NAV"
        constraints = (
            models.UniqueConstraint(fields=["base", "modification_index"], name="nav_submission_chain_once"),
            models.CheckConstraint(
                condition=Q(operation="CREATE", base=None, modification_index=None)
                | Q(operation__in=("MODIFY", "STORNO"), base__isnull=False, modification_index__gte=1),
                name="nav_submission_chain_of_changes",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(done_at__isnull=False), name="nav_submission_done_at_a_time"
            ),
        )
        indexes = (
            models.Index(fields=["invoice"], name="nav_submission_waiting", condition=Q(state="waiting")),
            models.Index(
                fields=["due_at"], name="nav_submission_open", condition=~Q(state__in=("done", "annulled"))
            ),
            models.Index(fields=["issued_on"], name="nav_submission_day"),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.number}: {self.get_state_display()}"


class NavBatch(InternalModel):
    """One request to the NAV with up to 100 documents, noted down before it is sent."""

    class State(models.TextChoices):
        """What is known of the request."""

        PREPARED = "prepared", "About to be sent"
        UNKNOWN = "unknown", "Sent, no clear answer"
        TAKEN_IN = "taken_in", "Taken in"
        FINISHED = "finished", "Finished"
        NOT_TAKEN_IN = "not_taken_in", "Not taken in"
        REFUSED = "refused", "Refused as a whole"

    is_annulment = models.BooleanField(default=False)
    endpoint = models.CharField(max_length=10)
    request_id = models.CharField(max_length=30, unique=True)
    state = models.CharField(max_length=12, choices=State, default=State.PREPARED)
    item_count = models.IntegerField()
    sent_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    http_status = models.IntegerField(null=True)
    transaction_id = models.CharField(max_length=30, null=True, unique=True)
    request = models.BinaryField(default=b"", help_text="As sent, without its secrets")
    response = models.BinaryField(default=b"")
    error = models.TextField(default="")
    next_at = models.DateTimeField(db_default=Now())
    polls = models.IntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "nav_batch"
        ordering = ("-id",)
        verbose_name = "request to the NAV"
        verbose_name_plural = "requests to the NAV"
        indexes = (
            models.Index(
                fields=["next_at"], name="nav_batch_open", condition=Q(state__in=("prepared", "unknown", "taken_in"))
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return self.transaction_id or self.request_id


class NavItem(InternalModel):
    """A document's place in a request, with the XML that was sent and what became of it."""

    batch = models.ForeignKey(NavBatch, on_delete=models.PROTECT, related_name="items", db_index=False)
    index_no = models.IntegerField()
    submission = models.ForeignKey(NavSubmission, on_delete=models.PROTECT, related_name="items")
    xml = models.BinaryField(help_text="GZIP-ped; plain in rows from before that was done")
    hash = models.CharField(max_length=128, help_text="SHA3-512 of the XML")
    totals = ExactJSONField(help_text="Per VAT treatment, as the XML says")
    status = models.CharField(max_length=12, default="", db_default="", help_text="The NAV's word for it")
    messages = ExactJSONField(default=list, db_default=models.Value([], models.JSONField()))
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "nav_item"
        ordering = ("batch_id", "index_no")
        constraints = (models.UniqueConstraint(fields=["batch", "index_no"], name="nav_item_once"),)

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.index_no}"

    @property
    def content(self) -> bytes:
        """The XML as it was sent."""
        return unpacked(bytes(self.xml))


class NavAnnulment(InternalModel):
    """The request to annul a report with wrong data, followed until the decision on the NAV's page."""

    class State(models.TextChoices):
        """How far it has come; the decision is taken by a person on the NAV's page."""

        WAITING = "waiting", "Waiting to be sent"
        SENDING = "sending", "Sent, no answer yet"
        SENT = "sent", "Taken in, being processed"
        PENDING = "pending", "Waits for approval on the NAV's page"
        DONE = "done", "Approved: the report is annulled"
        REJECTED = "rejected", "Rejected: the report stands"
        REFUSED = "refused", "Refused by the NAV"

    submission = models.ForeignKey(NavSubmission, on_delete=models.PROTECT, related_name="annulments")
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=1024)
    requested_by = models.CharField(max_length=150)
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    next_at = models.DateTimeField(db_default=Now())
    xml = models.BinaryField()
    batch = models.ForeignKey(NavBatch, null=True, on_delete=models.PROTECT, related_name="annulments")
    messages = ExactJSONField(default=list, db_default=models.Value([], models.JSONField()))
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "nav_annulment"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["submission"], name="nav_annulment_one_open",
                condition=Q(state__in=("waiting", "sending", "sent", "pending")),
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.submission_id}: {self.get_state_display()}"


OPEN_ANNULMENT = ("waiting", "sending", "sent", "pending")


class NavChannel(InternalModel):
    """What is known of the way to an endpoint: until when it is left alone, and why."""

    endpoint = models.CharField(max_length=10, primary_key=True)
    paused_until = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    failures = models.IntegerField(default=0)
    needs_a_person = models.BooleanField(default=False)

    class Meta:
        db_table = "nav_channel"

    def __str__(self) -> str:
        return self.endpoint


class NavCredential(InternalModel):
    """A technical user's secrets for an endpoint, encrypted with a key that is not in the database."""

    endpoint = models.CharField(max_length=10, primary_key=True)
    sealed = models.BinaryField()
    stored_by = models.CharField(max_length=150)
    stored_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "nav_credential"

    def __str__(self) -> str:
        return self.endpoint
