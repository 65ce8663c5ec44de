"""What the platform records about itself: incidents, deliveries, signs of life, clocks, scrubber runs, rebuilds."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from erp.fields import ExactJSONField


class Alert(models.Model):
    """An incident: opened when something is wrong, resolved when it is right again; one open per key."""

    class Severity(models.TextChoices):
        """How loud."""

        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    key = models.CharField(max_length=120)  # e.g. window:stock:storefront
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.CRITICAL)
    message = models.TextField()
    details = ExactJSONField(default=dict)
    opened_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "alert"
        ordering = ("-opened_at",)
        constraints = (
            models.UniqueConstraint(fields=["key"], condition=models.Q(resolved_at=None), name="alert_one_open"),
        )

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


class AlertDelivery(models.Model):
    """One message about an incident (or a day's summary) on one channel; sent by the watchdog, retried until it is."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        DROPPED = "dropped", "Dropped"  # the incident was over before the channel took the message

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries", null=True)
    day = models.DateField(null=True)  # of a summary; the alert is empty then
    channel = models.CharField(max_length=20)
    action = models.CharField(max_length=10)  # trigger | resolve | summary
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, db_default=State.WAITING)
    attempts = models.IntegerField(default=0, db_default=0)
    next_at = models.DateTimeField()
    last_error = models.TextField(default="", db_default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "alert_delivery"
        ordering = ("-id",)
        verbose_name_plural = "alert deliveries"
        constraints = (
            models.UniqueConstraint(fields=["alert", "channel", "action"], name="alert_delivery_once"),
            models.UniqueConstraint(fields=["day", "channel"], name="alert_summary_once"),
        )
        indexes = (models.Index(fields=["next_at"], name="alert_delivery_due", condition=models.Q(state="waiting")),)

    def __str__(self) -> str:
        return f"{self.action} on {self.channel}: {self.state}"


class ClockReading(models.Model):
    """Latest comparison of a server's clock with the watchdog's own; reported, never used to order data."""

    server = models.CharField(max_length=20, primary_key=True)  # postgresql | redis
    skew_s = models.FloatField()  # that server's clock less ours
    error_s = models.FloatField()  # half the round trip: the skew is known no better
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "clock_reading"

    def __str__(self) -> str:
        return f"{self.server} {self.skew_s:+.3f} s"


class Heartbeat(models.Model):
    """When a part of the system last showed that it lives (beat, a worker queue, the watchdog)."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "heartbeat"

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"


class ScrubRun(models.Model):
    """One run of the scrubber; unfinished when ``finished_at`` is empty."""

    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    trigger = models.CharField(max_length=20)  # nightly | manual (a command) | staff (a button) | repair
    status = models.CharField(max_length=10, default="running")  # requested | running | ok | warning | alert | failed
    names = ExactJSONField(default=list, db_default=[])  # checks to run; empty: all
    total = models.IntegerField(default=0, db_default=0)  # number of checks to run
    current = models.CharField(max_length=40, default="", db_default="", blank=True)  # the check that runs now
    asked_by = models.CharField(max_length=150, default="", db_default="", blank=True)

    class Meta:
        db_table = "scrub_run"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.status}"


class Rebuild(models.Model):
    """A copy, or some rows of it, that staff asked the workers to rebuild; unfinished when ``finished_at`` is empty."""

    entity = models.CharField(max_length=40)
    reader = models.CharField(max_length=40)
    keys = ExactJSONField(default=list, db_default=[])  # rows to rebuild; empty: all
    is_attach = models.BooleanField(default=False, db_default=False)  # attach the reader when the copy is right
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    requested_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, default="requested")  # requested | running | done | failed
    attempts = models.IntegerField(default=0, db_default=0)
    ranges = models.IntegerField(default=0, db_default=0)  # of keys, done so far
    changed = models.BigIntegerField(default=0, db_default=0)
    removed = models.BigIntegerField(default=0, db_default=0)
    error = models.TextField(default="", db_default="", blank=True)

    class Meta:
        db_table = "rebuild"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["entity", "reader"], condition=models.Q(finished_at=None), name="rebuild_one_unfinished"
            ),
        )

    def __str__(self) -> str:
        return f"{self.reader}/{self.entity} {self.status}"


class ScrubResult(models.Model):
    """Result of one check within a run."""

    run = models.ForeignKey(ScrubRun, on_delete=models.CASCADE, related_name="results")
    name = models.CharField(max_length=40)
    status = models.CharField(max_length=10)
    compared = models.BigIntegerField()
    mismatched = models.BigIntegerField()
    drift = models.FloatField()
    parts = ExactJSONField(default=dict, db_default={})  # "reader/entity" → [compared, mismatched]
    amount = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    samples = ExactJSONField(default=list)
    cause = models.TextField(blank=True)
    repair = models.TextField(blank=True)
    seconds = models.FloatField()
    position = models.TextField(blank=True)
    error = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "scrub_result"
        constraints = (models.UniqueConstraint(fields=["run", "name"], name="scrub_result_once"),)
        indexes = (models.Index(fields=["name", "-id"], name="scrub_result_latest"),)

    def __str__(self) -> str:
        return f"{self.name} {self.status}"
