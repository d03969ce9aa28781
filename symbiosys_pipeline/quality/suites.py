"""Rules -> Great Expectations suites. Imports Great Expectations when a suite is built, not before."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symbiosys_pipeline.contracts.profile import ClientProfile
from symbiosys_pipeline.quality.gx_loading import load_great_expectations
from symbiosys_pipeline.quality.rule import Batch, Rule

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import Expectation

#: Where an expectation carries its rule's id.
RULE_ID = "rule_id"


def expectation(rule: Rule, profile: ClientProfile) -> "Expectation":
    """The rule as an expectation with the client's threshold, the rule's severity and its id in `meta`."""
    load_great_expectations()
    import great_expectations.expectations as gxe  # noqa: PLC0415  takes 7 seconds

    expected = rule.expected(profile)
    share = rule.least_share(profile.thresholds)
    needed = "" if share == 1 else f" (at least {share:.2%} of {rule.counted})"
    return getattr(gxe, expected.expectation)(
        **expected.arguments,
        mostly=share,
        severity=rule.severity.value,
        description=f"{rule.title}{needed}",
        meta={RULE_ID: rule.id},
    )


def suites(rules: Sequence[Rule], profile: ClientProfile) -> dict[Batch, "ExpectationSuite"]:
    """One suite per batch, each with its rules in catalogue order."""
    load_great_expectations()
    from great_expectations import ExpectationSuite  # noqa: PLC0415  takes 7 seconds

    return {
        batch: ExpectationSuite(
            name=batch.value,
            expectations=[expectation(rule, profile) for rule in rules if rule.batch is batch],
        )
        for batch in Batch
    }
