"""The admin's building blocks, and the platform's own pages: people, groups, tokens, the schedule.

Modules write ``from erp.admin import OwnedAdmin, CopyAdmin, InternalAdmin, EditableAdmin, register_copies``.
"""

from __future__ import annotations

import django_celery_beat.admin  # noqa: F401  (registers its pages first, so that ours can replace them)
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django_celery_beat import models as beat
from rest_framework.authtoken.admin import TokenAdmin as AuthTokenAdmin
from rest_framework.authtoken.models import TokenProxy
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from erp.models import User
from erp.staff.copies import CopyAdmin, ReadOnlyAdmin, register_copies
from erp.staff.internal import EditableAdmin, InternalAdmin, register_standard
from erp.staff.lines import ReadOnlyLines
from erp.staff.owned import OwnedAdmin

__all__ = [
    "CopyAdmin",
    "EditableAdmin",
    "InternalAdmin",
    "OwnedAdmin",
    "ReadOnlyAdmin",
    "ReadOnlyLines",
    "register_copies",
    "register_standard",
]

for _replaced in (Group, TokenProxy, beat.PeriodicTask, beat.IntervalSchedule, beat.CrontabSchedule):
    admin.site.unregister(_replaced)
for _unused in (beat.ClockedSchedule, beat.SolarSchedule):
    admin.site.unregister(_unused)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """People who log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Duties; ``manage.py provision`` sets the permissions of the groups that come from the map."""


@admin.register(TokenProxy)
class TokenAdmin(AuthTokenAdmin, ModelAdmin):  # type: ignore[misc]
    """API tokens of integrators."""


@admin.register(beat.PeriodicTask)
class PeriodicTaskAdmin(InternalAdmin):
    """The schedule (UTC), generated from the ownership map by ``manage.py provision``."""

    list_display = ("name", "task", "queue", "interval", "crontab", "enabled", "last_run_at", "total_run_count")
    list_filter = ("queue", "enabled")
    search_fields = ("name", "task")


@admin.register(beat.IntervalSchedule, beat.CrontabSchedule)
class ScheduleAdmin(InternalAdmin):
    """Intervals and times of the schedule."""
