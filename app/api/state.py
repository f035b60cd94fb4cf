"""What a route is handed: the ledger, the caller's key, the book it opens."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Requires:
    """A dependency that gives the caller's key, if it carries any one of these scopes."""

    any_of: tuple[Scope, ...]

    async def __call__(self, request: Request) -> ApiKey:
        """The key, once more for the route."""
        return self.check(request)

    def check(self, request: Request) -> ApiKey:
        """The key; Forbidden if it lacks the scope."""
        key = cast("ApiKey", request.state.api_key)
        if not any(key.may(scope) for scope in self.any_of):
            raise Forbidden(f"This needs the scope {' or '.join(self.any_of)}.", extra={"scope": self.any_of[0].value})
        return key


def _adopting(request: Request) -> Adopting:
    return cast("Adopting", request.app.state.adopting)


AdoptingDep = Annotated[Adopting, Depends(_adopting)]
LedgerDep = Annotated[Ledger, Depends(_ledger)]
READS = Requires((Scope.ACCOUNTS_READ,))
Writer = Annotated[ApiKey, Depends(Requires((Scope.INTERACTIONS_WRITE,)))]
Reader = Annotated[ApiKey, Depends(READS)]
RuleManager = Annotated[ApiKey, Depends(Requires((Scope.RULES_MANAGE,)))]
WebhookManager = Annotated[ApiKey, Depends(Requires((Scope.WEBHOOKS_MANAGE,)))]
# Who keeps the tariff has to read it first, and who posts has to know its kinds.
TariffReader = Annotated[ApiKey, Depends(Requires((Scope.ACCOUNTS_READ, Scope.RULES_MANAGE, Scope.INTERACTIONS_WRITE)))]
