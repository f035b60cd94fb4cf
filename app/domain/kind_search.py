"""Finding a kind: by words, for who looks for one, and by likeness, for who misspelt one."""

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

from app.domain.tariff import KindRule, Tariff

CLOSE_MAX = 3
# Longer names are no misspelling of a kind, and likeness costs time by length.
CLOSE_LENGTH_MAX = 100
QUERY_LENGTH_MAX = 200
QUERY_WORDS_MAX = 10

_LIKENESS_MIN = 0.6
_SHORTLIST = 6
_SHORT_WORD = 2
_WORD = re.compile(r"[^\W_]+")
_EXACT, _BEGINNING, _INSIDE = 4, 2, 1


def find_kinds(tariff: Tariff, q: str) -> list[KindRule]:
    """The kinds that match all words of `q` in name or labels, best first; without such, those that match some.

    Case and accents do not matter; a word of one or two letters must match whole. An empty `q` gives all, by name.
    """
    words = _words(q[:QUERY_LENGTH_MAX])[:QUERY_WORDS_MAX]
    rules = [tariff.kinds[name] for name in sorted(tariff.kinds)]
    if not words:
        return [] if q.strip() else rules
    scored = [(_scores(rule, words), rule) for rule in rules]
    complete = [(scores, rule) for scores, rule in scored if all(scores)]
    chosen = complete or [(scores, rule) for scores, rule in scored if any(scores)]
    return [rule for _, rule in sorted(chosen, key=lambda found: -sum(found[0]))]


def close_kinds(tariff: Tariff, kind: str) -> tuple[str, ...]:
    """Up to three kinds that someone who wrote `kind` may have meant, closest first."""
    if len(kind) > CLOSE_LENGTH_MAX:
        return ()
    wanted = _pairs(kind)
    # Comparing letter by letter costs 50 us a name: a batch of misspelt kinds must not stop the house.
    shortlist = sorted(tariff.kinds, key=lambda name: (-_overlap(wanted, _pairs(name)), name))[:_SHORTLIST]
    rated = sorted(((_likeness(kind, name), name) for name in shortlist), key=lambda pair: (-pair[0], pair[1]))
    return tuple(name for likeness, name in rated if likeness >= _LIKENESS_MIN)[:CLOSE_MAX]


def _scores(rule: KindRule, words: list[str]) -> list[int]:
    in_name = _words(rule.name)
    in_labels = _words(f"{rule.label.en} {rule.label.fr}")
    # A word of the name weighs twice: it is what the kind is, where a label only tells of it.
    return [max(2 * _best(word, in_name), _best(word, in_labels)) for word in words]


def _best(word: str, among: list[str]) -> int:
    return max((_match(word, other) for other in among), default=0)


def _match(word: str, other: str) -> int:
    if word == other:
        return _EXACT
    if len(word) <= _SHORT_WORD:
        return 0
    if other.startswith(word):
        return _BEGINNING
    return _INSIDE if word in other else 0


def _words(text: str) -> list[str]:
    return _WORD.findall(_folded(text))


def _folded(text: str) -> str:
    """Without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _likeness(kind: str, name: str) -> float:
    """0 to 1; words in another order (late.delivery) are as like as words misspelt."""
    straight = SequenceMatcher(None, kind.casefold(), name).ratio()
    sorted_words = SequenceMatcher(None, " ".join(sorted(_words(kind))), " ".join(sorted(_words(name)))).ratio()
    return max(straight, sorted_words)


@lru_cache(maxsize=4096)
def _pairs(text: str) -> frozenset[str]:
    folded = _folded(text)
    return frozenset(folded[place : place + 2] for place in range(len(folded) - 1))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one) + len(other) or 1)
