"""English."""

from datetime import date

from app.api.words.told import Age, Done, Told, Tone, day_of
from app.domain.foretold import Ahead, Reason
from app.domain.gestures import Proposal
from app.domain.standing import Depth, Place, Standing

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
STANDINGS = {
    Standing.NO_EVIDENCE: "“no evidence”",
    Standing.OVERDRAWN: "overdrawn",
    Standing.STEADY: "steady",
    Standing.ABOUT_TO_BE_DELIGHTED: "ready to be delighted",
    Standing.DELIGHTED: "delighted",
}
DEPTHS = {Depth.SLIGHT: "slightly", Depth.MARKED: "markedly", Depth.DEEP: "deeply"}
REASONS = {
    Reason.TOO_LITTLE_FELT: "too little is still felt to say more",
    Reason.BALANCE_REACHES_ZERO: "the felt balance rises to {level} as the debits fade",
    Reason.BALANCE_FALLS_BELOW_ZERO: "the felt balance falls below {level} as the credits fade",
    Reason.OVERDRAFT_SHRINKS: "the felt balance rises above {level} as the debits fade",
    Reason.OVERDRAFT_GROWS: "the felt balance falls to {level} as the credits fade",
    Reason.BIG_CREDIT_STOPS_GLOWING: "what is felt of big credits falls below {level}, and they no longer glow",
    Reason.BALANCE_FALLS_BELOW_GLOW: "the felt balance falls below {level}",
    Reason.BALANCE_REACHES_GLOW: "the felt balance rises to {level} while a big credit is still felt",
    Reason.DEBITS_WEIGH_TOO_MUCH: "the credits have faded and the debits weigh too much beside them",
    Reason.DEBITS_WEIGH_LITTLE: "the debits have faded and weigh little beside the credits",
    Reason.GOOD_NEWS_AGES: "the good news is no longer fresh",
    Reason.GOOD_NEWS_IS_USUAL: "the good news is no more than usual",
    Reason.GOOD_NEWS_IS_MORE_THAN_USUAL: "the good news is more than usual",
}
AGES = {Age.RECENT: "recently", Age.WHILE: "a while ago", Age.LONG: "a long while ago"}
OPENINGS = {
    Tone.WRONG: "I can see that something with us was unpleasant for you {when}",
    Tone.GRAVE: "I can see that you had a really bad experience with us {when}",
    Tone.BEYOND_US: "I know that something beyond our control was unpleasant for you {when}",
    Tone.CRITICISM: "You told us {when} that you were not satisfied; thank you for being frank",
    Tone.PRAISE: "You spoke well of us {when}. Thank you, that means a lot to us.",
    Tone.GOOD: "I can see that something went well for you with us {when}, and I am glad of it.",
    Tone.REPAIRED: "I can see that we could put something right for you {when}, and I am glad of it.",
    Tone.SPECIAL: "I can see that we could do something special for you {when}, and I am very glad of it.",
}
CLOSINGS = {
    Done.NOTHING: ". I find nothing here that was done about it yet, so I would like to look at it with you.",
    Done.CREDITS: ". I cannot tell from here whether it is settled for you, so I would like to hear how you see it.",
    Done.SETTLED: ". It has been taken care of since; I would like to hear whether it is settled for you.",
}


def for_agent(told: Told) -> str:
    """What happened, what is left of it, what was done since: for the agent's eyes."""
    comma = "," if told.is_of_promise or "," in told.label.en else ""
    return f"{told.label.en}{comma} on {day(told.on, told.today)}; {_left(told)}.{_since(told)}"


def to_say(told: Told) -> str:
    """What an agent may read to the customer: never a number, a threat, a promise or one more apology."""
    opening = OPENINGS[told.tone].format(when=AGES[told.age])
    return opening if told.is_credit else opening + CLOSINGS[told.done]


def foretold(ahead: Ahead, today: date) -> str:
    """When the standing changes if nothing happens, to what and why."""
    reason = REASONS[ahead.reason].format(level=_number(ahead.level or 0.0))
    return (
        f"If nothing happens, the standing becomes {standing(ahead.place)} on {day(day_of(ahead.at), today)}: {reason}."
    )


def proposed(proposal: Proposal) -> str:
    """What the gestures proposed are good for."""
    if proposal.towards is None:
        if proposal.place.standing is Standing.DELIGHTED:
            return "The customer is delighted: no gesture is called for."
        return "Too little is felt to say what a gesture would do."
    goal = standing(proposal.towards)
    if not proposal.gestures:
        return f"No gesture of the tariff, nor any two together, makes the account {goal}."
    if len(proposal.gestures[0].rules) > 1:
        return f"No single gesture makes the account {goal}; these two together do."
    better = "" if proposal.towards.standing is Standing.DELIGHTED else ", or better"
    return f"Any one of these makes the account {goal}{better}."


def standing(place: Place) -> str:
    """Where an account stands."""
    words = STANDINGS[place.standing]
    return words if place.depth is None else f"{DEPTHS[place.depth]} {words}"


def day(on: date, today: date) -> str:
    """A date written out; with its year if that is another one."""
    written = f"{on.day} {MONTHS[on.month - 1]}"
    return written if on.year == today.year else f"{written} {on.year}"


def _left(told: Told) -> str:
    verb = "counts for" if told.is_credit else "weighs"
    points = "1 point" if told.points == 1 else f"{told.points} points"
    if told.felt >= told.points:
        return f"still {verb} all of its {points}"
    return f"still {verb} {told.felt or 'less than 1'} of its {points}"


def _since(told: Told) -> str:
    if told.is_credit:
        return ""
    if told.settled_on is not None:
        return f" Settled on {day(told.settled_on, told.today)}."
    if told.done is Done.NOTHING:
        return " Nothing has been done since."
    credits_ = "One credit has" if told.credits_since == 1 else f"{told.credits_since} credits have"
    return f" {credits_} come since, but nothing says that it is settled."


def _number(level: float) -> str:
    return f"{level:g}"
