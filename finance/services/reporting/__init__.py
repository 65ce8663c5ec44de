"""Reporting to the tax office: from an issued document to its report, through the outbox, to DONE or ABORTED.

`documents` describes an issued document to the library (finance/nav); `outbox` sends what waits; `following` asks what
became of it and finds out about lost answers; `annulling`, `repairing` and `reconciling` are a person's tools.
"""
