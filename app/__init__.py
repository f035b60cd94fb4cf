"""Goodwill: one emotional bank account per customer."""

from app import core_alone as core_alone  # before anything imports SQLAlchemy

__version__ = "0.1.0"
