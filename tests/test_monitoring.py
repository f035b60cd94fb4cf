"""The page, the dashboard and the alert rules name metrics that there are, with labels that they have."""

import json
import re
from importlib import import_module
from pathlib import Path

import httpx

from app.deliverer import standings
from tests.api.sentences import GIFT, posted
from tests.conftest import Bench
from tests.operations.delivering import delivering, until

FOLDER = Path(__file__).parents[1] / "docs" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
ALERTS = (FOLDER / "alerts.yml").read_text()
PAGE = (FOLDER / "README.md").read_text()


def expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [*panels, *re.findall(r"expr: (.*)", ALERTS)]


async def test_every_metric_that_they_name_is_there(bench: Bench) -> None:
    async with bench.client() as api:
        await posted(api, kind=GIFT)
        assert (await api.post("/v1/interactions", content=b"{")).status_code == httpx.codes.UNSUPPORTED_MEDIA_TYPE
        import_module("app.worker")  # the clock's are there wherever a server is
        async with delivering(bench.ledger):
            await until(lambda: standings.labels(bench.book, "delighted")._value.get() == 1)
        told = (await api.get("/metrics")).text
    there = set(re.findall(r"^# TYPE (goodwill_\w+) ", told, flags=re.MULTILINE))
    samples = set(re.findall(r"^(goodwill_\w+)", told, flags=re.MULTILINE))

    named = {name for each in [*expressions(), PAGE] for name in re.findall(r"goodwill_\w+", each)}
    assert len(named) >= 20
    assert {name for name in named if name not in samples | there} == set()
    for name, code in re.findall(r'(goodwill_refusals_total)\{code="(\w+)"\}', ALERTS):
        assert (name, code) == ("goodwill_refusals_total", "too_many_requests")
    assert 'goodwill_refusals_total{code="unsupported_media_type"}' in told
    assert "goodwill_append_items_count" in samples


def test_no_two_panels_cover_each_other() -> None:
    places = [(each["gridPos"]["x"], each["gridPos"]["y"]) for each in DASHBOARD["panels"]]
    assert len(set(places)) == len(places) == len({each["id"] for each in DASHBOARD["panels"]})
