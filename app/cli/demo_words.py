"""What the demo's lives are made of: kinds with the channel they came by, attributes, notes, first names."""

from collections.abc import Mapping
from typing import Any

NEUTRAL = ("contact.neutral", "contact.received", "loyalty.points_earned")
PLEASURES = (
    ("self_service.success", "web"),
    ("response.within_sla", "email"),
    ("contact.resolved_first", "phone"),
    ("recognition.history_used", "phone"),
    ("loyalty.points_earned", "web"),
    ("proactive.status_update", "email"),
    ("bot.resolved", "chat"),
    ("loyalty.anniversary_recognised", "letter"),
)
GOOD_STARTS = (
    ("contact.resolved_first", "chat"),
    ("delivery.on_time", "parcel"),
    ("happiness.unstated_need_met", "phone"),
    ("review.public_positive", "web"),
    ("customer.praised_employee", "email"),
    ("refund.fast", "web"),
    ("promise.kept", "phone"),
    ("onboarding.milestone_reached", "web"),
)
HITCHES = (
    ("response.late", "email"),
    ("wait.excessive", "phone"),
    ("contact.robotic_reply", "email"),
    ("bot.dead_end", "chat"),
    ("refund.slow", "web"),
    ("price.increased", "letter"),
    ("loyalty.points_expired", "web"),
    ("contact.channel_switch_forced", "chat"),
)
CRISES = (
    ("product.failed", "stopped working after two days"),
    ("item.lost_or_damaged", "arrived in pieces, and it was a present"),
    ("order.cancelled_by_company", "had waited for it since spring"),
)
MISTAKES: tuple[tuple[str, Mapping[str, Any] | None, str], ...] = (
    ("delivery.late", {"days_late": 6}, "the carrier had mixed up two parcels"),
    ("billing.overcharged", {"found_by": "customer"}, "the bill was right: another contract's price was compared"),
    ("item.lost_or_damaged", None, "reported for the wrong order"),
    ("moment.unexpected_gift", None, "the gift came back undelivered"),
)

FIRST_NAMES = """
ada adam aiko alice amara amir ana anders anouk arjun ben bianca camille carlos chloe clara dalia daniel david
elena eli emma erik esther eva farah felix fiona freya gabriel grace hana hannah hugo ibrahim ines ingrid iris
ivan jack jana jonas julia kai karim kate kenji lara leo lina louis lucia luka maja malik marco maria marta max
maya mei mila mina nadia nils noah nora olga oliver omar oscar paul petra priya rafael rosa ruth sam samira sara
sofia sven tara theo tom uma vera victor wanda yara yusuf zoe
"""
