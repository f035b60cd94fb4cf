"""What a route is handed: the ledger, the caller's key, the book it opens."""

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request

from app.domain.api_key import ApiKey, Scope, is_sandbox
from app.domain.errors import Forbidden, NotASandbox
from app.operations.intake import Intake
from app.operations.ledger import Ledger
from app.operations.lookups import Lookups


class Service(Protocol):
    """The process's services, ready or not."""

    async def ledger(self) -> Ledger:
        """The ledger, prepared; raises the Refusal that says why it cannot be."""
        ...

    async def intake(self) -> Intake:
        """The intake of what is posted, over that ledger."""
        ...

    async def lookups(self) -> Lookups:
        """The look-ups in that ledger."""
        ...


async def intake_of(request: Request) -> Intake:
    """The intake of the process that answers the request."""
    return await _service_of(request).intake()


async def lookups_of(request: Request) -> Lookups:
    """The look-ups of the process that answers the request."""
    return await _service_of(request).lookups()


async def _ledger(request: Request) -> Ledger:
    return await _service_of(request).ledger()


def _service_of(request: Request) -> Service:
    """Past `request.state`, which is an object more for each request."""
    service: Service = request.scope["state"]["service"]
    return service


@dataclass(frozen=True, slots=True)
class Requires:
    """A dependency that gives the caller's key, if it carries any one of these scopes, and opens a sandbox if asked."""

    any_of: tuple[Scope, ...]
    of_sandbox: bool = False

    async def __call__(self, request: Request) -> ApiKey:
        """The key, once more for the route."""
        return self.check(request)

    def check(self, request: Request) -> ApiKey:
        """The key; Forbidden if it lacks the scope, NotASandbox if it should be a sandbox's and is not."""
        key: ApiKey = request.scope["state"]["api_key"]
        if not key.may(*self.any_of):
            raise Forbidden(f"This needs the scope {' or '.join(self.any_of)}.", extra={"scope": self.any_of[0].value})
        if self.of_sandbox and not is_sandbox(key.book):
            raise NotASandbox
        return key


LedgerDep = Annotated[Ledger, Depends(_ledger)]
LookupsDep = Annotated[Lookups, Depends(lookups_of)]
READS = Requires((Scope.ACCOUNTS_READ,))
WRITES = Requires((Scope.INTERACTIONS_WRITE,))
Writer = Annotated[ApiKey, Depends(WRITES)]
Reader = Annotated[ApiKey, Depends(READS)]
RuleManager = Annotated[ApiKey, Depends(Requires((Scope.RULES_MANAGE,)))]
WebhookManager = Annotated[ApiKey, Depends(Requires((Scope.WEBHOOKS_MANAGE,)))]
# Who keeps the tariff has to read it first, and who posts has to know its kinds.
TariffReader = Annotated[ApiKey, Depends(Requires((Scope.ACCOUNTS_READ, Scope.RULES_MANAGE, Scope.INTERACTIONS_WRITE)))]
Admin = Annotated[ApiKey, Depends(Requires((Scope.ADMIN,)))]
SandboxWriter = Annotated[ApiKey, Depends(Requires((Scope.INTERACTIONS_WRITE,), of_sandbox=True))]
SandboxAdmin = Annotated[ApiKey, Depends(Requires((Scope.ADMIN,), of_sandbox=True))]
