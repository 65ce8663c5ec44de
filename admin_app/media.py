"""Serving product pictures: only files that services/pictures.py has written, under names it has given."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from admin_app.services.pictures import folder


@require_safe
def product_picture(request: HttpRequest, digest: str, side: str) -> HttpResponseBase:
    """One picture; its name says what is in it, so it never changes and may be kept for ever."""
    tag = f'"{digest}-{side}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    try:
        file = (folder() / f"{digest}-{side}.webp").open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": tag,
    }
    return FileResponse(file, content_type="image/webp", headers=headers)
