"""The sentences, in both languages."""

from collections.abc import Iterator
from datetime import date
from itertools import product

import pytest

from app.api.language import VOICES, chosen_language
from app.api.words import en, fr
from app.api.words.told import Age, Done, Told, Tone, told_of
from app.domain.explanation import Weight
from app.domain.foretold import Ahead, Reason
from app.domain.gestures import Gesture, Proposal
from app.domain.instant import DAY, Instant, instant_of, moment_of
from app.domain.repair import Since
from app.domain.standing import Depth, Place, Standing
from app.domain.tariff import KindRule
from app.domain.tariff_document import default_tariff
from tests.conftest import NOON
from tests.domain.paper import Paper, draft

NARROW = "\u202f"
KINDS = default_tariff().kinds
TODAY = date(2026, 5, 28)
STEADY = Place(standing=Standing.STEADY)
DEEP = Place(standing=Standing.OVERDRAWN, depth=Depth.DEEP)


def weight(
    kind: str, points: int, felt: float, *, value_at: Instant, done: Since | None = None, rule: KindRule | None = None
) -> Weight:
    entry = Paper().book(draft(1, value_at=value_at, kind=kind, points=points), at=NOON)
    return Weight(entry=entry, felt=felt, share=0.5, rule=rule or KINDS.get(kind), since=done or Since())


def instant(year: int, month: int, day: int) -> Instant:
    return instant_of(moment_of(0).replace(year=year, month=month, day=day, hour=10))


MAY_3, MAY_1_2025, APRIL_2 = instant(2026, 5, 3), instant(2025, 5, 1), instant(2026, 4, 2)
SETTLING = Since(settled_by=Paper().book(draft(2, value_at=instant(2026, 5, 12), points=20), at=NOON), credits=1)

AGENT_SENTENCES = [
    (
        weight("delivery.late", -48, -21.2, value_at=MAY_3),
        "Got the delivery late on 3 May; still weighs 21 of its 48 points. Nothing has been done since.",
        f"A reçu sa livraison en retard le 3 mai{NARROW}; pèse encore 21 points sur 48. Rien n'a été fait depuis.",
    ),
    (
        weight("delivery.late", -48, -21.2, value_at=MAY_3, done=SETTLING),
        "Got the delivery late on 3 May; still weighs 21 of its 48 points. Settled on 12 May.",
        f"A reçu sa livraison en retard le 3 mai{NARROW}; pèse encore 21 points sur 48. Réglé le 12 mai.",
    ),
    (
        weight("payment.declined_legitimately", -6, -0.3, value_at=MAY_1_2025, done=Since(credits=2)),
        "Had a payment declined, with good reason, on 1 May 2025; still weighs less than 1 of its 6 points. "
        "2 credits have come since, but nothing says that it is settled.",
        f"A vu un paiement refusé, à juste titre, le 1er mai 2025{NARROW}; pèse encore moins d'un point sur 6. "
        "2 crédits sont venus depuis, mais rien n'indique que ce soit réglé.",
    ),
    (
        weight("wait.excessive", -6, -1.4, value_at=APRIL_2, done=Since(credits=1)),
        "Had to wait too long on 2 April; still weighs 1 of its 6 points. "
        "One credit has come since, but nothing says that it is settled.",
        f"A attendu trop longtemps le 2 avril{NARROW}; pèse encore 1 point sur 6. "
        "Un crédit est venu depuis, mais rien n'indique que ce soit réglé.",
    ),
    (
        weight("moment.unexpected_gift", 45, 44.9, value_at=MAY_3),
        "Received an unexpected gift on 3 May; still counts for all of its 45 points.",
        f"A reçu un cadeau inattendu le 3 mai{NARROW}; compte encore en entier, soit 45 points.",
    ),
    (
        weight("of.old", 2, 1.0, value_at=MAY_3),
        "of.old on 3 May; still counts for 1 of its 2 points.",
        f"of.old le 3 mai{NARROW}; compte encore 1 point sur 2.",
    ),
]


@pytest.mark.parametrize(("what", "english", "french"), AGENT_SENTENCES)
def test_the_agent_reads(what: Weight, english: str, french: str) -> None:
    told = told_of(what, NOON)

    assert (en.for_agent(told), fr.for_agent(told)) == (english, french)


SAID = [
    (
        weight("delivery.late", -48, -21.0, value_at=MAY_3),
        "I can see that you had a really bad experience with us recently. "
        "I find nothing here that was done about it yet, so I would like to look at it with you.",
        "Je vois que vous avez vécu une très mauvaise expérience chez nous récemment. "
        "Je ne vois rien ici qui ait été fait depuis, et j'aimerais donc regarder cela avec vous.",
    ),
    (
        weight("security.identity_check", -3, -3.0, value_at=APRIL_2, done=Since(credits=1)),
        "I know that something beyond our control was unpleasant for you a while ago. "
        "I cannot tell from here whether it is settled for you, so I would like to hear how you see it.",
        "Je sais que quelque chose qui ne dépendait pas de nous vous a été désagréable il y a quelque temps. "
        "Je ne peux pas voir d'ici si c'est réglé pour vous, et j'aimerais savoir ce que vous en pensez.",
    ),
    (
        weight("complaint.filed", -30, -9.0, value_at=MAY_1_2025, done=SETTLING),
        "You told us a long while ago that you were not satisfied; thank you for being frank. "
        "It has been taken care of since; I would like to hear whether it is settled for you.",
        "Vous nous avez dit il y a longtemps que nous n'avions pas répondu à vos attentes. Merci de votre franchise. "
        "Nous nous en sommes occupés depuis, et j'aimerais savoir si c'est réglé pour vous.",
    ),
    (
        weight("moment.unexpected_gift", 45, 45.0, value_at=MAY_3),
        "I can see that we could do something special for you recently, and I am very glad of it.",
        "Je vois que nous avons pu faire quelque chose de spécial pour vous récemment, et cela me fait plaisir.",
    ),
]


@pytest.mark.parametrize(("what", "english", "french"), SAID)
def test_the_customer_hears(what: Weight, english: str, french: str) -> None:
    told = told_of(what, NOON)

    assert (en.to_say(told), fr.to_say(told)) == (english, french)


def everything_told() -> Iterator[Told]:
    """All kinds of the default tariff as credits and debits of any age and repair, and all that could ever be."""
    dones = (Since(), Since(credits=3), SETTLING)
    for rule, points, days, done in product(KINDS.values(), (-48, -6, 3, 45), (0, 60, 400), dones):
        yield told_of(weight(rule.name, points, points, value_at=NOON - days * DAY, done=done, rule=rule), NOON)


FORBIDDEN = ("sorry", "apolog", "excuse", "désolé", "must", "devez", "point", "unless", "sinon")


def test_what_is_said_to_the_customer_holds_no_number_no_apology_and_no_threat() -> None:
    said = {voice.to_say(told) for told in everything_told() for voice in VOICES.values()}

    assert len(said) == 2 * 3 * (3 + 4 * 3)
    for sentence in said:
        assert not any(character.isdigit() for character in sentence), sentence
        assert not any(word in sentence.lower() for word in FORBIDDEN), sentence
        assert sentence.endswith(".")
        assert "{" not in sentence


def test_french_says_vous_and_keeps_its_spaces() -> None:
    for told in everything_told():
        assert "vous" in fr.to_say(told).lower()
        for sentence in (fr.to_say(told), fr.for_agent(told)):
            assert " ;" not in sentence
            assert " :" not in sentence
            assert not any(f" {word} {vowel}" in sentence.lower() for word in ("que", "de") for vowel in ("il ", "un "))


def test_every_word_that_may_be_asked_for_is_there() -> None:
    for words in (en, fr):
        assert (set(words.STANDINGS), set(words.DEPTHS), set(words.REASONS)) == (set(Standing), set(Depth), set(Reason))
        assert (set(words.AGES), set(words.OPENINGS), set(words.CLOSINGS)) == (set(Age), set(Tone), set(Done))
        assert len(set(words.MONTHS)) == 12


def test_what_lies_ahead_is_told() -> None:
    ahead = Ahead(at=instant(2026, 8, 1), place=STEADY, reason=Reason.BALANCE_REACHES_ZERO, level=0.0)
    down = Ahead(at=instant(2027, 8, 2), place=DEEP, reason=Reason.OVERDRAFT_GROWS, level=-50.5)

    assert [en.foretold(each, TODAY) for each in (ahead, down)] == [
        "If nothing happens, the standing becomes steady on 1 August: the felt balance rises to 0 as the debits fade.",
        "If nothing happens, the standing becomes deeply overdrawn on 2 August 2027: "
        "the felt balance falls to -50.5 as the credits fade.",
    ]
    assert [fr.foretold(each, TODAY) for each in (ahead, down)] == [
        f"Si rien ne se passe, l'état devient «{NARROW}stable{NARROW}» le 1er août{NARROW}: "
        "le solde ressenti remonte à 0 à mesure que les débits s'estompent.",
        f"Si rien ne se passe, l'état devient «{NARROW}profondément à découvert{NARROW}» le 2 août 2027{NARROW}: "
        "le solde ressenti descend à \u221250,5 à mesure que les crédits s'estompent.",
    ]


def test_what_gestures_do_is_told() -> None:
    one = Gesture(rules=(KINDS["refund.fast"],), points=(8,), place=STEADY, felt=1.0)
    two = Gesture(rules=(KINDS["refund.fast"], KINDS["apology.first"]), points=(8, 3), place=STEADY, felt=1.0)
    delighted = Place(standing=Standing.DELIGHTED)
    unknown = Place(standing=Standing.NO_EVIDENCE)
    proposals = [
        Proposal(place=DEEP, towards=STEADY, gestures=(one,)),
        Proposal(place=DEEP, towards=STEADY, gestures=(two,)),
        Proposal(place=DEEP, towards=STEADY),
        Proposal(place=STEADY, towards=delighted, gestures=(one,)),
        Proposal(place=delighted, towards=None),
        Proposal(place=unknown, towards=None),
    ]

    stable = f"«{NARROW}stable{NARROW}»"
    assert [en.proposed(each) for each in proposals] == [
        "Any one of these makes the account steady, or better.",
        "No single gesture makes the account steady; these two together do.",
        "No gesture of the tariff, nor any two together, makes the account steady.",
        "Any one of these makes the account delighted.",
        "The customer is delighted: no gesture is called for.",
        "Too little is felt to say what a gesture would do.",
    ]
    assert [fr.proposed(each) for each in proposals] == [
        f"Un seul de ces gestes suffit pour amener le compte à l'état {stable}, ou mieux.",
        f"Aucun geste ne suffit à lui seul pour amener le compte à l'état {stable}{NARROW}; "
        "ces deux-là ensemble suffisent.",
        f"Aucun geste du tarif, ni même deux ensemble, ne suffit pour amener le compte à l'état {stable}.",
        f"Un seul de ces gestes suffit pour amener le compte à l'état «{NARROW}enchanté{NARROW}».",
        f"L'état est «{NARROW}enchanté{NARROW}»{NARROW}: aucun geste ne s'impose.",
        "Trop peu est ressenti pour dire ce qu'un geste changerait.",
    ]


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("fr", "fr"),
        ("FR", "fr"),
        ("fr-CA, en;q=0.8", "fr"),
        ("en-GB, fr;q=0.9", "en"),
        ("de, fr;q=0.3", "fr"),
        ("de", "en"),
        ("en;q=0.5, fr;q=0.6", "fr"),
        ("fr;q=0.5, *", "en"),
        ("fr, en", "fr"),
        ("en, fr", "en"),
        ("fr;q=0", "en"),
        ("en;q=0, *;q=0.1", "fr"),
        ("en;q=0", "en"),
        ("fr;q=high, en;q=0.1", "en"),
        ("fr;q=nan", "en"),
        ("fr;q=5, en;q=0.2", "en"),
        ("fr ; q=0.7 , en ; q=0.6", "fr"),
        ("fri, french", "en"),
        (",,;;q=1,-", "en"),
    ],
)
def test_the_language_is_the_one_liked_best(accept: str, language: str) -> None:
    assert chosen_language(accept) == language
