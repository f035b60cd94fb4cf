"""The lines that `make mutants` breaks are still there, each once."""

import pytest

from benchmarks.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.partition(":")[0])
def test_a_line_that_is_to_be_broken_is_there(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text().count(mutant.line) == 1
    assert all((ROOT / room).exists() for room in mutant.caught_by)
