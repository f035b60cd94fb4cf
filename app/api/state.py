"""What a route is handed: the ledger, the caller's key, the book it opens."""

from collections.abc import Callable
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from app.api.adopting import Adopting
from app.domain.api_key import ApiKey, Scope
from app.domain.errors import Forbidden
from app.operations.ledger import Ledger


class Service(Protocol):
    """The process's services, ready or not."""

    async def ledger(self) -> Ledger:
        """The ledger, prepared; raises the Refusal that says why it cannot be."""
        ...


async def _ledger(request: Request) -> Ledger:
    service = cast("Service", request.app.state.service)
    return await service.ledger()


def _requires(scope: Scope) -> Callable[[Request], ApiKey]:
    def authorized(request: Request) -> ApiKey:
        key = cast("ApiKey", request.state.api_key)
        if not key.may(scope):
            raise Forbidden(f"This needs the scope {scope.value}.", extra={"scope": scope.value})
        return key

    return authorized


def _adopting(request: Request) -> Adopting:
    return cast("Adopting", request.app.state.adopting)


AdoptingDep = Annotated[Adopting, Depends(_adopting)]
LedgerDep = Annotated[Ledger, Depends(_ledger)]
Writer = Annotated[ApiKey, Depends(_requires(Scope.INTERACTIONS_WRITE))]
Reader = Annotated[ApiKey, Depends(_requires(Scope.ACCOUNTS_READ))]
RuleManager = Annotated[ApiKey, Depends(_requires(Scope.RULES_MANAGE))]
