"""API keys: how they are written, what they open, and for how long."""

from dataclasses import replace

import pytest

from app.domain.api_key import ApiKey, Scope, Token, is_book_name, is_sandbox, opens, parse_token, sandbox_of
from app.domain.instant import DAY
from tests.conftest import NOON

NO_SANDBOXES = ("test_", "test_test", "test_a_b", "test_Acme", "test_" + "a" * 36, "test_acme\n", "TEST_acme")
SECRET = "0123456789ab" + "c" * 40
TOKEN = Token(book="acme", secret=SECRET)
KEY = ApiKey(
    book="acme",
    key_id="0123456789ab",
    name="tests",
    secret_hash=TOKEN.secret_hash(),
    scopes=(Scope.ACCOUNTS_READ,),
    source=None,
    created_at=NOON,
    expires_at=None,
    revoked_at=None,
)


def test_a_token_is_read_back_as_it_was_written() -> None:
    assert TOKEN.text == f"gw_acme_{SECRET}"
    assert parse_token(TOKEN.text) == TOKEN
    assert TOKEN.key_id == "0123456789ab"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gw",
        SECRET,
        f"gw_{SECRET}",
        f"gw_acme_{SECRET[:-1]}",
        f"gw_acme_{SECRET}0",
        f"gw_acme_{SECRET.upper()}",
        f"gw_Acme_{SECRET}",
        f"gw__{SECRET}",
        f"gw_test__{SECRET}",
        f"gw_a_b_{SECRET}",
        f"gw_test_a_b_{SECRET}",
        f"gw_test_{'a' * 36}_{SECRET}",
        f"gw_{'a' * 41}_{SECRET}",
        f" gw_acme_{SECRET}",
        f"gw_acme_{SECRET}\n",
        f"gw_acme_{SECRET}é",
    ],
)
def test_what_is_not_shaped_like_a_token_is_none(text: str) -> None:
    assert parse_token(text) is None


def test_a_key_opens_to_its_own_token_alone() -> None:
    assert opens(KEY, TOKEN, NOON)
    assert not opens(KEY, Token(book="acme", secret=SECRET[:-1] + "d"), NOON)
    assert not opens(None, TOKEN, NOON)
    assert not opens(None, Token(book="acme", secret="0" * 52), NOON)


def test_a_key_opens_until_it_expires_or_is_revoked() -> None:
    expiring = replace(KEY, expires_at=NOON + DAY)
    assert opens(expiring, TOKEN, NOON + DAY - 1)
    assert not opens(expiring, TOKEN, NOON + DAY)
    assert not opens(replace(KEY, revoked_at=NOON), TOKEN, NOON)


def test_a_key_may_do_what_its_scopes_say_and_admin_everything() -> None:
    assert [scope for scope in Scope if KEY.may(scope)] == [Scope.ACCOUNTS_READ]
    assert [scope for scope in Scope if replace(KEY, scopes=(Scope.ADMIN,)).may(scope)] == list(Scope)


@pytest.mark.parametrize("name", ["acme", "a", "0", "a-b-9", "a" * 40, "tests", "test_acme", "test_" + "a" * 35])
def test_a_books_name_is_lower_case_and_short(name: str) -> None:
    assert is_book_name(name)


@pytest.mark.parametrize("name", ["", "test", "Acme", "a_b", "a" * 41, "ac me", "acme\n", "é", *NO_SANDBOXES])
def test_other_names_are_none(name: str) -> None:
    assert not is_book_name(name)


def test_a_secret_does_not_show_when_a_token_is_printed() -> None:
    assert SECRET[12:] not in repr(TOKEN)
    assert KEY.secret_hash.hex() not in repr(KEY)
    assert repr(KEY.secret_hash) not in repr(KEY)


def test_a_sandboxs_key_says_so() -> None:
    token = Token(book="test_acme", secret=SECRET)

    assert token.text == f"gw_test_acme_{SECRET}"
    assert parse_token(token.text) == token
    assert is_sandbox(token.book)
    assert not is_sandbox(TOKEN.book)
    assert not is_sandbox("tests")
    assert [sandbox_of(name) for name in ("acme", "test_acme")] == ["test_acme"] * 2
