"""Pictures of products: taken from an upload, made small, kept below the home's media folder by their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db.models import Q
from PIL import Image, ImageOps, UnidentifiedImageError

from admin_app.models import Product
from erp.db import cursor, module_transaction
from erp.errors import Refused

SIZES = (1200, 480)  # longest side in pixels: the picture on the product page, and the thumbnail in lists
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 50_000_000  # a small file can hold a picture that fills the memory
MIN_SIDE = 200
MAX_PICTURES = 8  # of one product
LOCK = 0x45525004  # advisory: who uploads shares it until the product is committed, who deletes a file takes it alone
ABANDONED_S = 86_400  # an upload whose form was never saved


class PictureRefused(Refused):
    """This file cannot be used as a picture; please take a JPEG, PNG or WebP file."""

    code = "picture-refused"


def folder() -> Path:
    """Where the pictures are; the web process serves nothing else from there (admin_app/media.py)."""
    return Path(settings.MEDIA_ROOT) / "products"


def pictures_of(product: Product) -> list[str]:
    """Addresses of a product's pictures, the one shown first first."""
    return [url for url in (product.image, *(product.images or [])) if url]


def store_picture(file: IO[bytes], name: str, size: int) -> str:
    """Keep an uploaded picture in every size and return the address of the large one.

    Only pixels are kept: the file is written anew, so nothing else that it carried (place, camera, code) is served.
    The name comes from the content, so the same upload again changes nothing, and browsers may keep it for ever.

    Raises:
        PictureRefused: too large, not a picture of a known kind, damaged, or too small to look at.
    """
    if size > MAX_BYTES:
        raise PictureRefused(f"{name} has {size / 1048576:.1f} MB; please make it smaller, up to 8 MB are taken.")
    data = file.read(MAX_BYTES + 1)
    picture = _decoded(data, name)
    return keep(picture, data)


def keep(picture: Image.Image, data: bytes) -> str:
    """Write a picture in every size under a name made of ``data``; returns the address of the large one."""
    digest = hashlib.sha256(data).hexdigest()[:32]
    with cursor("admin_app") as cur:
        cur.execute("select pg_advisory_xact_lock_shared(%s, 0)", [LOCK])
    for side in SIZES:
        _write(ImageOps.contain(picture, (side, side)) if max(picture.size) > side else picture, digest, side)
    return f"{_base()}{digest}-{SIZES[0]}.webp"


def delete_unused(urls: Iterable[str]) -> int:
    """Delete the files of pictures that no product shows any more; returns their number. After the commit.

    Products with the same picture share its file; one that is uploaded just now is waited for.
    """
    deleted = 0
    with module_transaction("admin_app"):
        with cursor("admin_app") as cur:
            cur.execute("select pg_advisory_xact_lock(%s, 0)", [LOCK])
        for url in urls:
            is_shown = Product.objects.filter(Q(image=url) | Q(images__contains=[url])).exists()
            if url.startswith(_base()) and not is_shown:
                digest = Path(url).name.removesuffix(f"-{SIZES[0]}.webp")
                deleted += sum(_delete(folder() / f"{digest}-{side}.webp") for side in SIZES)
    return deleted


def sweep(now: float) -> int:
    """Delete files of a day ago and older that no product shows, e.g. of forms never saved; returns their number."""
    shown: set[str] = set()
    for image, images in Product.objects.exclude(image="", images=[]).values_list("image", "images"):
        shown.update(Path(url).name.rpartition("-")[0] for url in (image, *images))
    old = [path for path in folder().glob("*") if now - path.stat().st_mtime > ABANDONED_S]
    return sum(_delete(path) for path in old if path.name.rpartition("-")[0] not in shown)


def _base() -> str:
    return f"/{settings.MEDIA_URL.lstrip('/')}products/"


def _delete(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _decoded(data: bytes, name: str) -> Image.Image:
    try:
        opened = Image.open(BytesIO(data), formats=FORMATS)
        width, height = opened.size
        if width * height > MAX_PIXELS:
            raise PictureRefused(f"{name} has {width} × {height} pixels; please give one of up to 50 million pixels.")
        if min(width, height) < MIN_SIDE:
            raise PictureRefused(
                f"{name} has {width} × {height} pixels; please give one of at least {MIN_SIDE} × {MIN_SIDE}."
            )
        turned = ImageOps.exif_transpose(opened)
        return turned.convert("RGBA" if "A" in turned.getbands() or "transparency" in turned.info else "RGB")
    except UnidentifiedImageError as error:
        raise PictureRefused(f"{name} is not a JPEG, PNG or WebP picture.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureRefused(f"{name} is damaged and cannot be read; please save it again and upload that.") from error


def _write(picture: Image.Image, digest: str, side: int) -> None:
    """Put the file in place in one step: the web process sees the whole picture or none."""
    path = folder() / f"{digest}-{side}.webp"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    picture.save(unfinished, "WEBP", quality=82, method=4)
    unfinished.replace(path)
