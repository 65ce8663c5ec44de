"""Tells people about incidents: PagerDuty first, then Slack and e-mail; sent by the watchdog, never by Celery."""
