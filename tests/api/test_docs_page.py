"""The documentation page asks nobody else for anything."""

import re

from tests.conftest import Bench


async def test_the_documentation_page_and_all_it_loads_come_from_here(bench: Bench) -> None:
    async with bench.client() as client:
        page = await client.get("/docs")
        loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        answers = [await client.get(each) for each in loaded]

    assert page.status_code == 200
    assert len(loaded) >= 3
    assert all(each.startswith("/docs/assets/") for each in loaded)
    assert [answer.status_code for answer in answers] == [200] * len(loaded)
