"""E-mail, through Django's mail backend (ERP_EMAIL_URL)."""

from __future__ import annotations

import hashlib
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

from erp.alerting.message import ChannelError, Message, shortened

NAME = "email"
SUBJECT_LIMIT = 200


def is_configured() -> bool:
    """Whether there is someone to write to."""
    return bool(settings.ALERTING["email_to"])


def send(message: Message) -> None:
    """Send one e-mail to all addresses; what is about one incident is one thread. Raises ChannelError."""
    subject = message.heading if message.action == "summary" else f"{message.heading}: {message.title}"
    thread = f"<{hashlib.sha256(message.dedup_key.encode()).hexdigest()[:32]}@{message.source}>"
    headers = {"References": thread, "In-Reply-To": thread} if message.action == "resolve" else {"Message-ID": thread}
    mail = EmailMessage(
        subject=shortened(" ".join(f"[ERP] {subject}".split()), SUBJECT_LIMIT),
        body="\n".join(([] if message.action == "summary" else [message.title, ""]) + message.lines()) + "\n",
        to=list(settings.ALERTING["email_to"]),
        headers={**headers, "Auto-Submitted": "auto-generated"},
    )
    try:
        mail.send()
    except (OSError, SMTPException) as error:
        raise ChannelError(f"{type(error).__name__}: {error}") from error
