"""The API in this process, for the tests of the HTTP face."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.conftest import Bench


@pytest.fixture
async def api(bench: Bench) -> AsyncGenerator[httpx.AsyncClient]:
    """A caller with the book's first key."""
    async with bench.client() as client:
        yield client
