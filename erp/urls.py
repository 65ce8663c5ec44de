"""URLs of the whole: the shop at the root, staff under /admin/, integrators under /api/v1/."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
