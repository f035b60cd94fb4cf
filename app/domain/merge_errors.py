"""What is refused of customers' names, and of merging."""

from app.domain.refusal import Refusal


class SameCustomer(Refusal):
    """Both names lead to the same account already."""

    code = "same_customer"


class CustomersDiffer(Refusal):
    """These names are known, and lead to different customers: POST /v1/customers/{customer}/merge makes them one."""

    code = "customers_differ"


class NotMerged(Refusal):
    """This customer is not merged into another."""

    code = "not_merged"


class MergedFurther(Refusal):
    """Whom this customer was merged into was merged, too: undo that first."""

    code = "merged_further"


class TakenMeanwhile(Refusal):
    """An entry that came with an earlier merge was reversed since: this merge cannot be undone."""

    code = "taken_meanwhile"
