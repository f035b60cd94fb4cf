"""Fixtures of the commands' tests."""

from tests.cli.import_bench import folder, goodwill_import

__all__ = ["folder", "goodwill_import"]
