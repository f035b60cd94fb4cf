"""The rows of a file, with the lines on which they begin."""

import gzip
import io
from typing import Any

import pytest

from app.cli.importing.file_lines import LINE_BYTES_MAX, Lines, UnreadableFile
from app.cli.importing.table import read_table
from app.domain.errors import Refusal


def rows_of(content: bytes, *, delimiter: str | None = None) -> list[tuple[int, Any]]:
    table = read_table(Lines(io.BytesIO(content)), delimiter=delimiter)
    return [
        (row.line, row.values.faults[0].code if isinstance(row.values, Refusal) else row.values) for row in table.rows
    ]


def test_csv_rows_go_by_the_names_of_the_header() -> None:
    assert rows_of(b'a,b\r\n1,"x,y"\r\n2,\r\n') == [(2, {"a": "1", "b": "x,y"}), (3, {"a": "2", "b": ""})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    text = delimiter.join(["a", "b", '"c,;|\t"']) + "\n" + delimiter.join("123")
    assert rows_of(text.encode()) == [(2, {"a": "1", "b": "2", "c,;|\t": "3"})]


def test_the_delimiter_may_be_given() -> None:
    assert rows_of(b"a:b,c\n1:2,3\n", delimiter=":") == [(2, {"a": "1", "b,c": "2,3"})]


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert rows_of(b"\xef\xbb\xbf" + "ä\nö\n".encode()) == [(2, {"ä": "ö"})]
    assert rows_of(b'\xef\xbb\xbf{"a": 1}\n') == [(1, {"a": 1})]


def test_quoted_fields_may_hold_lines_and_the_count_goes_on() -> None:
    content = b'a,b\n1,"one\ntwo\n\nthree"\n\n2,x\n3,"y\n"\n4\n5,z\n'
    expected = [(2, "one\ntwo\n\nthree"), (7, "x"), (8, "y\n"), (10, None), (11, "z")]
    assert expected == [(line, got["b"] if isinstance(got, dict) else None) for line, got in rows_of(content)]


def test_gzip_is_told_by_its_magic_bytes_and_may_have_several_members() -> None:
    assert rows_of(gzip.compress(b"a\n1\n") + gzip.compress(b"2\n")) == [(2, {"a": "1"}), (3, {"a": "2"})]


def test_json_lines_keep_their_types() -> None:
    assert rows_of(b'{"a": 1.5}\n\n{"a": [null, true]}') == [(1, {"a": 1.5}), (3, {"a": [None, True]})]


def test_json_lines_at_fault_are_refused_alone() -> None:
    content = b'{"a": 1}\n{"a": NaN}\nnonsense\n{"a": 1, "a": 2}\n{"a": "\\u0000"}\n{"a": "\xff"}\n{"a": 2}\n'
    expected = [(1, {"a": 1}), (2, "number_out_of_range"), (3, "json_invalid"), (4, "duplicate_key")]
    assert [*expected, (5, "text_invalid"), (6, "json_invalid"), (7, {"a": 2})] == rows_of(content)


def test_csv_rows_at_fault_are_refused_alone() -> None:
    content = b'a,b\n1\n1,2,3\n\xff,2\n\0,2\nx,"\xff\n"\n1,2\n'
    expected = [(2, "csv_invalid"), (3, "csv_invalid"), (4, "text_invalid"), (5, "text_invalid"), (6, "text_invalid")]
    assert [*expected, (8, {"a": "1", "b": "2"})] == rows_of(content)


def test_a_quote_that_is_never_closed_does_not_swallow_the_file() -> None:
    filler = b"x,y\n" * 50_000
    rows = rows_of(b'a,b\n1,"open\n' + filler)
    assert rows[0] == (2, "csv_invalid")
    assert rows[-1] == (50_002, {"a": "x", "b": "y"})


def test_a_line_beyond_the_limit_is_refused_and_not_kept() -> None:
    long = b"y" * (3 * LINE_BYTES_MAX)
    assert rows_of(b'{"a": "' + long + b'"}\n{"a": 1}\n')[:2] == [(1, "too_long"), (2, {"a": 1})]
    assert rows_of(b"a\n" + long + b"\n1\n") == [(2, "too_long"), (3, {"a": "1"})]


def test_an_empty_file_has_no_rows() -> None:
    assert [] == rows_of(b"") == rows_of(b"\n\n") == rows_of(b"a,b\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "spreadsheet"),
        ("a,b\n".encode("utf-16"), "UTF-16"),
        (b'[{"a": 1}]', "one JSON object a line"),
        (b"a,b,a\n1,2,3\n", "names a column twice: a"),
        (b"a,\xff\n1,2\n", "UTF-8"),
        (gzip.compress(b"a\n" + b"1\n" * 9, mtime=0)[:-9], "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        rows_of(content)
