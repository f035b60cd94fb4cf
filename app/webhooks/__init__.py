"""Webhooks: sign, guard, send. The outside world; no database."""
