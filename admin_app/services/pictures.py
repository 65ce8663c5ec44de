"""Pictures of products: taken from an upload, made small, kept below the home's media folder by their content."""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from pathlib import Path
from typing import IO

from django.conf import settings
from PIL import Image, ImageOps, UnidentifiedImageError

from erp.errors import Refused

SIZES = (1200, 480)  # longest side in pixels: the picture on the product page, and the thumbnail in lists
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 50_000_000  # a small file can hold a picture that fills the memory
MIN_SIDE = 200
MAX_PICTURES = 8  # of one product


class PictureRefused(Refused):
    """This file cannot be used as a picture; please take a JPEG, PNG or WebP file."""

    code = "picture-refused"


def folder() -> Path:
    """Where the pictures are; the web process serves nothing else from there (admin_app/media.py)."""
    return Path(settings.MEDIA_ROOT) / "products"


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
    digest = hashlib.sha256(data).hexdigest()[:32]
    for side in SIZES:
        _write(ImageOps.contain(picture, (side, side)) if max(picture.size) > side else picture, digest, side)
    return f"/{settings.MEDIA_URL.lstrip('/')}products/{digest}-{SIZES[0]}.webp"


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
