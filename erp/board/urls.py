"""URLs of the board, all for staff only."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from erp.board import views

urlpatterns = [
    path("", admin.site.admin_view(views.board), name="ownership-board"),
    path("runs/", admin.site.admin_view(views.runs), name="scrub-runs"),
    path("runs/<int:pk>/", admin.site.admin_view(views.run), name="scrub-run"),
    path("runs/<int:pk>/<slug:name>/", admin.site.admin_view(views.samples), name="scrub-samples"),
    path("incidents/", admin.site.admin_view(views.alerts), name="incidents"),
    path("report/", admin.site.admin_view(views.report), name="consistency-report"),
]
