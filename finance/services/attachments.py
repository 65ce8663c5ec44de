"""Papers of entries: what they are is told from their first bytes; each lies below the home under its SHA-256."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from django.conf import settings

from erp.actor import Actor
from erp.db import module_transaction
from erp.errors import NotFound
from finance.errors import AttachmentRefused
from finance.models import EntryAttachment, JournalEntry

MAX_BYTES = 10 * 1024 * 1024

_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"PK\x03\x04", "application/zip"),  # also office documents
    (b"<?xml", "application/xml"),
)
_TEXT_ENDINGS = {".csv": "text/csv", ".txt": "text/plain"}
_OFFICE = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}


def attach(entry_id: int, name: str, content: bytes, *, actor: Actor) -> EntryAttachment:
    """Keep a file with an entry; the same file again is the attachment that is there.

    Raises:
        NotFound; AttachmentRefused: empty, too large, or of a kind that is not taken.
    """
    if not JournalEntry.objects.filter(pk=entry_id).exists():
        raise NotFound(f"entry {entry_id} does not exist")
    if not content:
        raise AttachmentRefused("The file is empty")
    if len(content) > MAX_BYTES:
        raise AttachmentRefused(f"The file has {len(content):,} bytes; at most {MAX_BYTES:,} are taken")
    name = Path(name).name[-150:]
    content_type, digest = _type_of(name, content), hashlib.sha256(content).hexdigest()
    _store(digest, content)
    with module_transaction("finance"):
        found, _ = EntryAttachment.objects.get_or_create(
            entry_id=entry_id, sha256=digest,
            defaults={"name": name, "content_type": content_type, "size": len(content), "actor_name": actor.name},
        )  # fmt: skip
    return found


def read(attachment: EntryAttachment) -> bytes:
    """The file, as it was attached. Raises AttachmentRefused when it is gone or was changed."""
    try:
        content = _path(attachment.sha256).read_bytes()
    except OSError as error:
        raise AttachmentRefused(f"The file of {attachment.name} is gone; restore it from a backup") from error
    if hashlib.sha256(content).hexdigest() != attachment.sha256:
        raise AttachmentRefused(f"The file of {attachment.name} was changed on the disk; restore it from a backup")
    return content


def _type_of(name: str, content: bytes) -> str:
    ending = Path(name).suffix.lower()
    for signature, content_type in _SIGNATURES:
        if content.startswith(signature):
            if content_type == "application/zip" and ending not in _OFFICE:
                break
            return _OFFICE.get(ending, content_type) if content_type == "application/zip" else content_type
    if ending in _TEXT_ENDINGS and b"\x00" not in content:
        return _TEXT_ENDINGS[ending]
    raise AttachmentRefused("PDF, PNG, JPEG, XML, CSV, text and office documents are taken; this is none of them")


def _path(digest: str) -> Path:
    return Path(settings.ENVIRONMENT.home) / "attachments" / digest[:2] / digest


def _store(digest: str, content: bytes) -> None:
    """Put the file in place in one step, readable by us alone."""
    path = _path(digest)
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
