"""Every refusal in one file. The first line of a docstring is the problem's title, `code` its stable name."""

from collections.abc import Mapping
from typing import ClassVar

from app.domain.refusal import Fault as Fault
from app.domain.refusal import Refusal as Refusal


class InvalidRequest(Refusal):
    """The request does not have the shape that is asked for."""

    code = "invalid_request"


class InvalidInteraction(Refusal):
    """The interaction is refused."""

    code = "invalid_interaction"


class AllRefused(Refusal):
    """None of the batch's interactions was posted; `results` says why of each."""

    code = "all_refused"


class UnknownKind(Refusal):
    """The tariff in force does not know this kind."""

    code = "unknown_kind"


class SystemKind(Refusal):
    """This kind is posted by the system alone."""

    code = "system_kind"


class InvalidAttributes(Refusal):
    """The attributes are not what the tariff needs to value this kind."""

    code = "invalid_attributes"


class RequirementNotMet(Refusal):
    """The interaction does not meet the kind's requirement."""

    code = "requirement_not_met"


class PointsOutOfBounds(Refusal):
    """The points lie outside the kind's bounds."""

    code = "points_out_of_bounds"


class PointsNotExplicit(Refusal):
    """The tariff alone says what this kind is worth."""

    code = "points_not_explicit"


class ValuationFailed(Refusal):
    """The tariff's expression gives no whole number of points for this interaction."""

    code = "valuation_failed"


class InvalidTariff(Refusal):
    """The tariff cannot be adopted; the one in force stays."""

    code = "invalid_tariff"


class InvalidPolicy(Refusal):
    """The policy cannot be adopted; the one in force stays."""

    code = "invalid_policy"


class InteractionConflict(Refusal):
    """An interaction with this source and id is already on the ledger, with other content."""

    code = "interaction_conflict"


class InteractionErased(Refusal):
    """This is on the ledger, and its customer was forgotten since: it is not posted again."""

    code = "interaction_erased"


class AlreadyReversed(Refusal):
    """The entry is already reversed."""

    code = "already_reversed"


class NotReversible(Refusal):
    """This entry cannot be reversed."""

    code = "not_reversible"


class UnknownCustomer(Refusal):
    """No interaction of this customer is on the ledger."""

    code = "unknown_customer"
    members: ClassVar[Mapping[str, object]] = {"standing": "no_evidence"}


class UnknownEntry(Refusal):
    """The ledger has no such entry."""

    code = "unknown_entry"


class UnknownTariffVersion(Refusal):
    """The book has no such version of the tariff."""

    code = "unknown_tariff_version"


class UnknownPolicyVersion(Refusal):
    """The book has no such version of the policy."""

    code = "unknown_policy_version"


class NoAdoption(Refusal):
    """No policy is being adopted."""

    code = "no_adoption"


class NotFound(Refusal):
    """There is nothing at this address."""

    code = "not_found"


class TariffChanged(Refusal):
    """The tariff in force is not the one that If-Match names."""

    code = "tariff_changed"


class PolicyChanged(Refusal):
    """The policy in force is not the one that If-Match names."""

    code = "policy_changed"


class AdoptionUnderWay(Refusal):
    """Another policy is just being adopted: wait until it is in force, or cancel it."""

    code = "adoption_under_way"


class IfMatchRequired(Refusal):
    """Adopting a tariff or a policy needs an If-Match header with the ETag of the one in force."""

    code = "if_match_required"


class Unauthorized(Refusal):
    """A valid API key is needed."""

    code = "unauthorized"


class Forbidden(Refusal):
    """The API key lacks the scope for this."""

    code = "forbidden"


class NotASandbox(Refusal):
    """Only a sandbox can be emptied, and have its clock moved: this is the key of a live book."""

    code = "not_a_sandbox"


class ClockBehind(Refusal):
    """This server's clock is more than 60 seconds behind the ledger's last entry."""

    code = "clock_behind"


class Replaying(Refusal):
    """The book is replaying history and takes no live postings until that is finished."""

    code = "replaying"


class NotReplayable(Refusal):
    """History can be replayed only into a book without live entries."""

    code = "not_replayable"


class MasterKeyMismatch(Refusal):
    """The master key does not open this database's keys."""

    code = "master_key_mismatch"


class DatabaseUnavailable(Refusal):
    """The database does not answer."""

    code = "database_unavailable"


class StorageFull(DatabaseUnavailable):
    """The database has no room left to write to; what is there can be read."""

    code = "storage_full"


class InternalError(Refusal):
    """The server failed; nothing of the request was kept unless it was acknowledged before."""

    code = "internal_error"
