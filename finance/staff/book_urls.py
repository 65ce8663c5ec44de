"""URLs of the bookkeeper's pages about periods, VAT and entries."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from finance.staff import entry_pages, period_pages, vat_pages

book_urlpatterns: list[URLPattern | URLResolver] = [
    path("finance/vat-return/", vat_pages.vat_return_page, name="finance-vat-return"),
    path("finance/vat-return/<str:side>/<str:code>/", vat_pages.vat_documents_page, name="finance-vat-documents"),
    path("finance/vat-settlement/<str:period>/", vat_pages.settle_vat_page, name="finance-settle-vat"),
    path("finance/vat-margin/<str:period>/", vat_pages.post_margin_page, name="finance-post-margin-vat"),
    path("finance/margin-costs/", vat_pages.margin_costs_page, name="finance-margin-costs"),
    path("finance/periods/", period_pages.period_calendar, name="finance-periods"),
    path("finance/periods/<int:pk>/check/", period_pages.check_period, name="finance-check-period"),
    path("finance/periods/<int:pk>/accrue/", period_pages.accrue, name="finance-accrue"),
    path("finance/periods/<int:pk>/collect/", period_pages.issue_collective, name="finance-collect-period"),
    path("finance/periods/<int:pk>/<str:state>/", period_pages.change_period, name="finance-change-period"),
    path("finance/years/<int:year>/", period_pages.year_page, name="finance-year"),
    path("finance/recurring/", entry_pages.recurring_entries, name="finance-recurring"),
    path("finance/recurring/new/", entry_pages.edit_recurring, name="finance-new-recurring"),
    path("finance/recurring/<int:pk>/", entry_pages.edit_recurring, name="finance-edit-recurring"),
    path("finance/recurring/<int:pk>/<str:what>/", entry_pages.run_recurring, name="finance-run-recurring"),
    path("finance/entries/<int:pk>/attach/", entry_pages.attach_file, name="finance-attach"),
    path("finance/attachments/<int:pk>/", entry_pages.download_attachment, name="finance-attachment"),
    path("finance/chart/import/", entry_pages.import_chart_page, name="finance-import-chart"),
]
