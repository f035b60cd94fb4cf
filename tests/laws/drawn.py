"""What the state machine draws: interactions of all sorts, lags and spans of time."""

from hypothesis import strategies as st

from tests.laws.model_rules import DAY, HOUR, MINUTE, SECOND, tariff

CUSTOMERS = ("ada", "bob", "eve")
KINDS = tuple(kind for kind in tariff(0) if not kind.startswith("promise."))
PUBLIC = "https://1.1.1.1/hook"  # nothing is sent there: no deliverer runs

customers = st.sampled_from(CUSTOMERS)
kinds = st.sampled_from((*KINDS, *KINDS, "promise.kept", "unheard.of", "promise.made"))
lags = st.none() | st.sampled_from([0, HOUR, 47 * HOUR, 49 * HOUR, 5 * DAY, 60 * DAY, 400 * DAY])
beyond = st.sampled_from([-4 * MINUTE, -6 * MINUTE, 200 * 366 * DAY])
spans = st.sampled_from([SECOND, HOUR, 25 * HOUR, 3 * DAY, 5 * DAY, 14 * DAY, 60 * DAY, 400 * DAY])
which = st.integers(0, 1000)
facts = st.fixed_dictionaries(
    {},
    optional={
        "attributes": st.fixed_dictionaries({"days": st.sampled_from([1, 5])}, optional={"who": st.just("me")}),
        "note": st.sampled_from(["", "naïve"]),
        "channel": st.just("phone"),
        "cause": st.sampled_from(["storm", "strike"]),
        "cost": st.sampled_from([1, 2.5]),
        "points": st.sampled_from([-50, 0, 30, 99]),
    },
)
interactions = st.fixed_dictionaries(
    {"customer": customers, "kind": kinds, "lag": lags | lags | lags | beyond, "facts": facts | st.just({})}
)
makings = st.fixed_dictionaries(
    {
        "customer": customers,
        "kind": st.sampled_from(
            ["delivery.late", "delivery.late", "promise.broken", "wait.long", "gift.big", "order.cancelled"]
        ),
        "due": spans,
        "grace": st.sampled_from([0, 0, DAY]),
        "steps": st.none() | st.just([[0, -10], [2 * DAY, -45]]),
    }
)
