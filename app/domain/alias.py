"""A customer's names: a plain one, or an id in the namespace of some system, which is the plain name `namespace:id`."""

EXTRA = "\0"
"""Before a name where it is sealed, if it is not the first of its account. No name has it."""


def alias_name(namespace: str, own_id: str) -> str:
    """The name by which an id of a namespace is known everywhere; a namespace has no colon."""
    return f"{namespace}:{own_id}"
