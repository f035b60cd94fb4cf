"""Why a customer stands where they stand, in words, and the parts that an account is shown with."""

from collections.abc import Collection
from enum import StrEnum

from fastapi import APIRouter, Response

from app.api.body import StrictRoute
from app.api.language import LANGUAGE_HEADERS, VOICES, AcceptLanguage, chosen_language, language_headers
from app.api.openapi import ANSWERS, refusals
from app.api.state import LedgerDep, Reader
from app.api.wire_explanation import ExplanationOut, GesturesOut
from app.api.wire_fields import CustomerPath
from app.domain.account import Account
from app.operations.explain_customer import explain_account, grounds_of, propose_gestures
from app.operations.read_customer import Reading, find_customer

router = APIRouter(prefix="/v1/customers", route_class=StrictRoute, tags=["customers"], responses=ANSWERS)


class Part(StrEnum):
    """What an account can be shown with besides itself."""

    RECENT = "recent"
    EXPLANATION = "explanation"
    GESTURES = "gestures"
    PROMISES = "promises"


IN_WORDS = {Part.EXPLANATION, Part.GESTURES}


@router.get(
    "/{customer}/explanation",
    responses={200: {"description": "The explanation.", "headers": LANGUAGE_HEADERS}, **refusals(404)},
)
async def get_explanation(
    customer: CustomerPath, ledger: LedgerDep, key: Reader, response: Response, accept_language: AcceptLanguage = ""
) -> ExplanationOut:
    """What is felt now, by memory and by entry, the heaviest first, in words; and when the standing changes next."""
    language = chosen_language(accept_language)
    async with ledger.database.read(key.book) as tx:
        view, found = await find_customer(ledger, tx, key.book, customer)
        account = found.account
        explanation = await explain_account(view, await grounds_of(view, account))
    response.headers.update(language_headers(language))
    return ExplanationOut.of(explanation, account, customer, VOICES[language])


async def parts_in_words(
    view: Reading, account: Account, customer: str, parts: Collection[Part], language: str
) -> dict[str, ExplanationOut | GesturesOut]:
    """Those parts of an account that are told in a language, by the name of their field."""
    if not IN_WORDS & set(parts):
        return {}
    grounds = await grounds_of(view, account)
    voice = VOICES[language]
    told: dict[str, ExplanationOut | GesturesOut] = {}
    if Part.EXPLANATION in parts:
        told["explanation"] = ExplanationOut.of(await explain_account(view, grounds), account, customer, voice)
    if Part.GESTURES in parts:
        told["gestures"] = GesturesOut.of(propose_gestures(view, grounds), voice)
    return told
