"""Logistics' staff pages: behind its duty, in the admin's frame."""

from __future__ import annotations

from erp.staff import desk
from erp.staff.desk import page, perform

__all__ = ["duty_page", "page", "perform"]

duty_page = desk.duty_page("logistics")
