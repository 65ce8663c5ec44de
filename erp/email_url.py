"""Where e-mails go, as one URL: ``ERP_EMAIL_URL``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_BACKENDS = {
    "smtp": "smtp", "smtps": "smtp", "console": "console", "file": "filebased", "memory": "locmem",
}  # fmt: skip


@dataclass(frozen=True)
class EmailTarget:
    """Django's e-mail settings of one URL."""

    backend: str
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    use_tls: bool = False  # STARTTLS
    use_ssl: bool = False
    folder: Path | None = None  # where e-mails become files


def read_email_url(url: str) -> EmailTarget:
    """Read ``smtp://user:password@host:587?tls=1``, ``smtps://…``, ``file:///folder`` or ``console://``.

    Raises:
        ImproperlyConfigured: for anything else.
    """
    parts = urlsplit(url)
    kind = _BACKENDS.get(parts.scheme)
    is_smtp = parts.scheme in {"smtp", "smtps"}
    if kind is None or (is_smtp and not parts.hostname) or (kind == "filebased" and not parts.path):
        raise ImproperlyConfigured(
            f"ERP_EMAIL_URL={url!r} cannot be read; give smtp://user:password@host:587?tls=1, smtps://…, "
            "file:///folder or console://"
        )
    use_ssl = parts.scheme == "smtps"
    return EmailTarget(
        backend=f"django.core.mail.backends.{kind}.EmailBackend",
        host=parts.hostname or "",
        port=parts.port or (465 if use_ssl else 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=parse_qs(parts.query).get("tls") == ["1"],
        use_ssl=use_ssl,
        folder=Path(unquote(parts.path)) if kind == "filebased" else None,
    )
