"""Rules about orders and their lines: one meaning per id, one header per order, sums that make sense."""

from datetime import date

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.profile import ClientProfile, DiscountMeaning, Thresholds
from symbiosys_pipeline.quality.day_facts import DayFacts
from symbiosys_pipeline.quality.row_rules import (
    flag_failing,
    flagged,
    matching,
    not_matching,
    repeated,
    unique_together,
)
from symbiosys_pipeline.quality.rule import Batch, Expected, Rule, every_one, valid_share
from symbiosys_pipeline.quality.verdict import Severity
from symbiosys_pipeline.transforms.sql import quoted

_HEADER = ("visitor_id", "event_ts", "currency", "status")
_CURRENCY = "^[A-Z]{3}$"
_MOST_UNITS = 10_000
_PRICE_BOUND = 1_000_000

#: The lines of one order, first line first. Lines of a collision are no one order's.
_ORDER_LINES = (
    'OVER (PARTITION BY "order_id", "is_collision" '
    'ORDER BY "line_number" ASC, "delivery_id" ASC, "row_number" ASC)'
)

#: `order_id` where it stands for one order; null on the lines of a collision, which repeat line numbers.
SETTLED_ORDER_ID = "settled_order_id"
SETTLED_ORDER_ID_SQL = 'CASE WHEN NOT "is_collision" THEN "order_id" END'


def _settled_share(thresholds: Thresholds) -> float:
    return 1 - thresholds.collision_share


def order_key_rules() -> tuple[Rule, ...]:
    """An order id stands for one order (CONTRACT 2.2, 6)."""
    key = (SETTLED_ORDER_ID, "line_number")
    collisions = "order_id_collisions"
    return (
        Rule(
            id="unique_order_line",
            dataset=Dataset.ORDERS,
            title="No two lines of an order share a line number",
            reason="A line counted twice inflates revenue.",
            source="CONTRACT 2.2, 6",
            severity=Severity.CRITICAL,
            batch=Batch.ROWS,
            counted="lines of settled orders",
            remedy="This is the pipeline's own numbering: rebuild the day, and report it if it stays.",
            expected=lambda _: unique_together(*key),
            failing=f"{quoted(SETTLED_ORDER_ID)} IS NOT NULL AND " + repeated(Batch.ROWS, *key),
        ),
        Rule(
            id=collisions,
            dataset=Dataset.ORDERS,
            title="An order id stands for one order",
            reason="Same id, other lines or other visitor: none of them can be summed, all are kept aside.",
            source="CONTRACT 6",
            severity=Severity.CRITICAL,
            batch=Batch.ROWS,
            counted="orders",
            remedy="Send one id per order; a change of an order is a corrected file, not a second order.",
            expected=lambda _: flagged(collisions),
            least_share=_settled_share,
            # One judgement per order, on its first line.
            flag=lambda _: f'CASE WHEN row_number() {_ORDER_LINES} = 1 THEN NOT "is_collision" END',
            failing=flag_failing(collisions),
        ),
    )


def order_header_rule() -> Rule:
    """Every line of an order repeats the same order (CONTRACT 2.2)."""
    rule_id = "consistent_order_header"
    same = " AND ".join(
        f"{quoted(name)} IS NOT DISTINCT FROM first_value({quoted(name)}) {_ORDER_LINES}" for name in _HEADER
    )
    return Rule(
        id=rule_id,
        dataset=Dataset.ORDERS,
        title=f"All lines of an order agree in {', '.join(_HEADER)}",
        reason="Lines that disagree about the order belong to different orders, or were joined wrongly.",
        source="CONTRACT 2.2",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted="lines of settled orders",
        remedy="Repeat the order's own columns unchanged on each of its lines.",
        expected=lambda _: flagged(rule_id),
        least_share=valid_share,
        flag=lambda _: f'CASE WHEN NOT "is_collision" THEN {same} END',
        failing=flag_failing(rule_id),
    )


def amount_rules() -> tuple[Rule, ...]:
    """Prices, quantities, currency and line sums (CONTRACT 2.2)."""
    return (
        _currency(),
        _price("regular_unit_price"),
        _price("discount_unit_price"),
        _discount(),
        _quantity_positive(),
        _quantity_plausible(),
        _line_revenue(),
        _discount_meaning(),
    )


def _currency() -> Rule:
    return Rule(
        id="format_currency",
        dataset=Dataset.ORDERS,
        title="currency is three capital letters (ISO 4217)",
        reason="Amounts in an unknown currency cannot be summed.",
        source="CONTRACT 2.2, ISO 4217",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted="lines with a currency",
        remedy="Send the ISO 4217 code, or nothing where every order is in the profile's currency.",
        expected=lambda _: matching("currency", _CURRENCY),
        least_share=valid_share,
        failing=not_matching("currency", _CURRENCY),
    )


def _price(name: str) -> Rule:
    return Rule(
        id=f"plausible_{name}",
        dataset=Dataset.ORDERS,
        title=f"{name} is at least 0 and below {_PRICE_BOUND:,}",
        reason="A price outside is a wrong unit, a wrong decimal separator or a shifted column.",
        source="CONTRACT 2.2",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted=f"lines with a {name}",
        remedy="Check the decimal separator and the column; prices are per unit, in whole currency units.",
        expected=lambda _: Expected(
            "ExpectColumnValuesToBeBetween",
            {"column": name, "min_value": 0, "max_value": _PRICE_BOUND, "strict_max": True},
        ),
        least_share=valid_share,
        failing=f"{quoted(name)} < 0 OR {quoted(name)} >= {_PRICE_BOUND}",
    )


def _discount() -> Rule:
    return Rule(
        id="discount_within_regular",
        dataset=Dataset.ORDERS,
        title="discount_unit_price is not above regular_unit_price",
        reason="Neither a net price nor an amount off can exceed the list price.",
        source="CONTRACT 2.2",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted="lines with a discount_unit_price",
        remedy="Check that the two price columns are not swapped and that both are per unit.",
        expected=lambda _: Expected(
            "ExpectColumnPairValuesAToBeGreaterThanB",
            {
                "column_A": "regular_unit_price",
                "column_B": "discount_unit_price",
                "or_equal": True,
                "ignore_row_if": "either_value_is_missing",
            },
        ),
        least_share=valid_share,
        failing='"discount_unit_price" > "regular_unit_price"',
    )


def _quantity_positive() -> Rule:
    return Rule(
        id="positive_quantity",
        dataset=Dataset.ORDERS,
        title="quantity is at least 1",
        reason="Returns are a status, not a negative quantity.",
        source="CONTRACT 2.2",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted="lines",
        remedy="Send units bought; send returns as the order's status.",
        expected=lambda _: Expected("ExpectColumnValuesToBeBetween", {"column": "quantity", "min_value": 1}),
        failing='"quantity" < 1',
    )


def _quantity_plausible() -> Rule:
    return Rule(
        id="plausible_quantity",
        dataset=Dataset.ORDERS,
        title=f"quantity is at most {_MOST_UNITS:,}",
        reason="A larger number is more often a shifted column or a test order than a purchase.",
        source="CONTRACT 2.2",
        severity=Severity.WARNING,
        batch=Batch.ROWS,
        counted="lines",
        remedy="Look at the named rows; correct the file if the quantity is another column's value.",
        expected=lambda _: Expected(
            "ExpectColumnValuesToBeBetween", {"column": "quantity", "max_value": _MOST_UNITS}
        ),
        failing=f'"quantity" > {_MOST_UNITS}',
    )


def _undeclared(profile: ClientProfile, _day: date, _facts: DayFacts) -> str | None:
    is_undeclared = profile.orders.discount_meaning is DiscountMeaning.UNDECLARED
    return "the profile does not say what discount_unit_price means" if is_undeclared else None


def _line_revenue() -> Rule:
    rule_id = "line_revenue_not_negative"

    def flag(profile: ClientProfile) -> str:
        net_price = {
            DiscountMeaning.NET_PRICE: 'coalesce("discount_unit_price", "regular_unit_price")',
            DiscountMeaning.AMOUNT_OFF: '"regular_unit_price" - coalesce("discount_unit_price", 0)',
            DiscountMeaning.UNDECLARED: "NULL::DECIMAL(18, 4)",
        }[profile.orders.discount_meaning]
        return f'"quantity" * ({net_price}) >= 0'

    return Rule(
        id=rule_id,
        dataset=Dataset.ORDERS,
        title="Line revenue, quantity x net unit price, is not negative",
        reason="A negative line says that the discount is not what the profile declares.",
        source="CONTRACT 2.2",
        severity=Severity.CRITICAL,
        batch=Batch.ROWS,
        counted="lines",
        remedy="Check orders.discount_meaning in the profile: net_price or amount_off.",
        expected=lambda _: flagged(rule_id),
        least_share=every_one,
        flag=flag,
        failing=flag_failing(rule_id),
        not_judged=_undeclared,
    )


def _discount_meaning() -> Rule:
    rule_id = "discount_meaning_declared"
    return Rule(
        id=rule_id,
        dataset=Dataset.ORDERS,
        title="The profile says what discount_unit_price means",
        reason="Until it does, no revenue is computed for this client.",
        source="CONTRACT 2.2",
        severity=Severity.WARNING,
        batch=Batch.FACTS,
        counted="profiles",
        remedy="Ask the client, then set orders.discount_meaning to net_price or amount_off.",
        expected=lambda _: flagged(rule_id),
        describe=lambda profile, _: f"orders.discount_meaning is {profile.orders.discount_meaning}",
    )
