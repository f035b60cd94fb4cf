"""French: with "vous", of no gender, and with a narrow no-break space before a semicolon or a colon."""

from datetime import date

from app.api.words.told import Age, Done, Told, Tone, day_of
from app.domain.foretold import Ahead, Reason
from app.domain.gestures import Proposal
from app.domain.standing import Depth, Place, Standing

NARROW = "\u202f"
MINUS = "\u2212"
MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
    *("août", "septembre", "octobre", "novembre", "décembre"),
)
STANDINGS = {
    Standing.NO_EVIDENCE: "sans indice suffisant",
    Standing.OVERDRAWN: "à découvert",
    Standing.STEADY: "stable",
    Standing.ABOUT_TO_BE_DELIGHTED: "prêt à être enchanté",
    Standing.DELIGHTED: "enchanté",
}
DEPTHS = {Depth.SLIGHT: "légèrement", Depth.MARKED: "nettement", Depth.DEEP: "profondément"}
REASONS = {
    Reason.TOO_LITTLE_FELT: "trop peu est encore ressenti pour en dire plus",
    Reason.BALANCE_REACHES_ZERO: "le solde ressenti remonte à {level} à mesure que les débits s'estompent",
    Reason.BALANCE_FALLS_BELOW_ZERO: "le solde ressenti passe sous {level} à mesure que les crédits s'estompent",
    Reason.OVERDRAFT_SHRINKS: "le solde ressenti repasse au-dessus de {level} à mesure que les débits s'estompent",
    Reason.OVERDRAFT_GROWS: "le solde ressenti descend à {level} à mesure que les crédits s'estompent",
    Reason.BIG_CREDIT_STOPS_GLOWING: "l'effet ressenti des grands crédits passe sous {level} et ne rayonne plus",
    Reason.BALANCE_FALLS_BELOW_GLOW: "le solde ressenti passe sous {level}",
    Reason.BALANCE_REACHES_GLOW: "le solde ressenti remonte à {level} alors qu'un grand crédit est encore ressenti",
    Reason.DEBITS_WEIGH_TOO_MUCH: "les crédits se sont estompés et les débits pèsent trop à côté d'eux",
    Reason.DEBITS_WEIGH_LITTLE: "les débits se sont estompés et pèsent peu à côté des crédits",
    Reason.GOOD_NEWS_AGES: "les bonnes nouvelles ne sont plus fraîches",
    Reason.GOOD_NEWS_IS_USUAL: "les bonnes nouvelles ne dépassent plus l'habitude",
    Reason.GOOD_NEWS_IS_MORE_THAN_USUAL: "les bonnes nouvelles dépassent l'habitude",
}
AGES = {Age.RECENT: "récemment", Age.WHILE: "il y a quelque temps", Age.LONG: "il y a longtemps"}
OPENINGS = {
    Tone.WRONG: "Je vois que quelque chose chez nous vous a été désagréable {when}",
    Tone.GRAVE: "Je vois que vous avez vécu une très mauvaise expérience chez nous {when}",
    Tone.BEYOND_US: "Je sais que quelque chose qui ne dépendait pas de nous vous a été désagréable {when}",
    Tone.CRITICISM: "Vous nous avez dit {when} que nous n'avions pas répondu à vos attentes. Merci de votre franchise",
    Tone.PRAISE: "Vous avez dit du bien de nous {when}. Merci, cela compte beaucoup pour nous.",
    Tone.GOOD: "Je vois que quelque chose s'est bien passé pour vous chez nous {when}, et cela me fait plaisir.",
    Tone.REPAIRED: "Je vois que nous avons pu réparer quelque chose pour vous {when}, et cela me fait plaisir.",
    Tone.SPECIAL: "Je vois que nous avons pu faire quelque chose de spécial pour vous {when}, et cela me fait plaisir.",
}
CLOSINGS = {
    Done.NOTHING: ". Je ne vois rien ici qui ait été fait depuis, et j'aimerais donc regarder cela avec vous.",
    Done.CREDITS: ". Je ne peux pas voir d'ici si c'est réglé pour vous, et j'aimerais savoir ce que vous en pensez.",
    Done.SETTLED: ". Nous nous en sommes occupés depuis, et j'aimerais savoir si c'est réglé pour vous.",
}


def for_agent(told: Told) -> str:
    """What happened, what is left of it, what was done since: for the agent's eyes."""
    comma = "," if told.is_of_promise or "," in told.label.fr else ""
    return f"{told.label.fr}{comma} le {day(told.on, told.today)}{NARROW}; {_left(told)}.{_since(told)}"


def to_say(told: Told) -> str:
    """What an agent may read to the customer: never a number, a threat, a promise or one more apology."""
    opening = OPENINGS[told.tone].format(when=AGES[told.age])
    return opening if told.is_credit else opening + CLOSINGS[told.done]


def foretold(ahead: Ahead, today: date) -> str:
    """When the standing changes if nothing happens, to what and why."""
    reason = REASONS[ahead.reason].format(level=_number(ahead.level or 0.0))
    on = day(day_of(ahead.at), today)
    return f"Si rien ne se passe, l'état devient {_quoted(ahead.place)} le {on}{NARROW}: {reason}."


def proposed(proposal: Proposal) -> str:
    """What the gestures proposed are good for."""
    if proposal.towards is None:
        if proposal.place.standing is Standing.DELIGHTED:
            return f"L'état est {_quoted(proposal.place)}{NARROW}: aucun geste ne s'impose."
        return "Trop peu est ressenti pour dire ce qu'un geste changerait."
    goal = f"amener le compte à l'état {_quoted(proposal.towards)}"
    if not proposal.gestures:
        return f"Aucun geste du tarif, ni même deux ensemble, ne suffit pour {goal}."
    if len(proposal.gestures[0].rules) > 1:
        return f"Aucun geste ne suffit à lui seul pour {goal}{NARROW}; ces deux-là ensemble suffisent."
    better = "" if proposal.towards.standing is Standing.DELIGHTED else ", ou mieux"
    return f"Un seul de ces gestes suffit pour {goal}{better}."


def standing(place: Place) -> str:
    """Where an account stands."""
    words = STANDINGS[place.standing]
    return words if place.depth is None else f"{DEPTHS[place.depth]} {words}"


def day(on: date, today: date) -> str:
    """A date written out; with its year if that is another one."""
    written = f"{'1er' if on.day == 1 else on.day} {MONTHS[on.month - 1]}"
    return written if on.year == today.year else f"{written} {on.year}"


def _left(told: Told) -> str:
    verb = "compte" if told.is_credit else "pèse"
    points = _points(told.points)
    if told.felt >= told.points:
        return f"{verb} encore en entier, soit {points}"
    left = _points(told.felt) if told.felt else "moins d'un point"
    return f"{verb} encore {left} sur {told.points}"


def _points(number: int) -> str:
    return f"{number} point" if number == 1 else f"{number} points"


def _since(told: Told) -> str:
    if told.is_credit:
        return ""
    if told.settled_on is not None:
        return f" Réglé le {day(told.settled_on, told.today)}."
    if told.done is Done.NOTHING:
        return " Rien n'a été fait depuis."
    credits_ = "Un crédit est venu" if told.credits_since == 1 else f"{told.credits_since} crédits sont venus"
    return f" {credits_} depuis, mais rien n'indique que ce soit réglé."


def _quoted(place: Place) -> str:
    return f"«{NARROW}{standing(place)}{NARROW}»"


def _number(level: float) -> str:
    """With a true minus sign and a decimal comma."""
    return f"{level:g}".replace("-", MINUS).replace(".", ",")
