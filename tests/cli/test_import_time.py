"""Times as files write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.cli.importing.local_time import ReadTime, TimeReader, UnreadableTime

SAO_PAULO = TimeReader(zone=ZoneInfo("America/Sao_Paulo"))  # until 2019 its clocks were put forward at midnight
PARIS = TimeReader(zone=ZoneInfo("Europe/Paris"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2018-07-01 12:30:00", "2018-07-01T10:30:00"),
        ("2018-07-01T12:30:00", "2018-07-01T10:30:00"),
        (" 2018-07-01 12:30 ", "2018-07-01T10:30:00"),
        ("2018-07-01 12:30:00.25", "2018-07-01T10:30:00.250000"),
        ("2018-07-01 12:30:00.123456789", "2018-07-01T10:30:00.123456"),
        ("2018-07-01", "2018-06-30T22:00:00"),
        ("2018-07-01T12:30:00Z", "2018-07-01T12:30:00"),
        ("2018-07-01 12:30:00 +0530", "2018-07-01T07:00:00"),
        ("2018-07-01T12:30:00.5-03:00", "2018-07-01T15:30:00.500000"),
        ("2018-07-01T12:30:00+02", "2018-07-01T10:30:00"),
    ],
)
def test_a_time_is_read_in_each_accepted_form(given: str, expected: str) -> None:
    assert ReadTime(moment=utc(expected)) == PARIS.read(given)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "yesterday",
        "01/07/2018",
        "2018-13-01",
        "2018-07-01 25:00:00",
        "20180701",
        "2018-W01-1",
        5,
        None,
        "0001-01-01",
    ],
)
def test_what_is_no_time_is_refused(given: object) -> None:
    with pytest.raises(UnreadableTime):
        PARIS.read(given)


def test_a_local_time_that_occurs_twice_is_the_first_of_the_two() -> None:
    assert ReadTime(moment=utc("2018-02-18T01:30:00")) == SAO_PAULO.read("2018-02-17 23:30:00")
    assert ReadTime(moment=utc("2018-10-28T00:30:00")) == PARIS.read("2018-10-28 02:30:00")


def test_a_local_time_that_never_occurs_is_shifted_forward() -> None:
    assert ReadTime(moment=utc("2017-10-15T03:00:00"), is_shifted=True) == SAO_PAULO.read("2017-10-15")
    assert ReadTime(moment=utc("2018-03-25T01:30:00"), is_shifted=True) == PARIS.read("2018-03-25 02:30:00")


def test_a_local_time_without_a_zone_is_refused() -> None:
    with pytest.raises(UnreadableTime, match="time_zone"):
        TimeReader().read("2018-07-01 12:30:00")


def test_other_forms_are_read_by_their_format() -> None:
    german = TimeReader(zone=ZoneInfo("Europe/Berlin"), format="%d.%m.%Y %H:%M")
    assert ReadTime(moment=utc("2018-07-01T10:30:00")) == german.read("01.07.2018 12:30")
    with pytest.raises(UnreadableTime, match="time_format"):
        german.read("2018-07-01 12:30")


def test_numbers_are_read_as_unix_times() -> None:
    noon = utc("2018-07-01T12:00:00")
    assert ReadTime(moment=noon) == TimeReader(format="unix_seconds").read(1530446400)
    assert ReadTime(moment=noon) == TimeReader(format="unix_milliseconds").read("1530446400000")
    for given in ("noon", True, None, 1e300, float("nan")):
        with pytest.raises(UnreadableTime):
            TimeReader(format="unix_seconds").read(given)
