"""Goodwill: one emotional bank account per customer."""

__version__ = "0.1.0"
