"""Batch jobs: thousands of labels per request, finished however often processes die (docs/jobs.md, ADR 0007).

Queueing, leases, retries and schedules are PgQueuer's; this package holds what they are used for.
"""
