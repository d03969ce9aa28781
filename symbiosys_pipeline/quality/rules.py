"""The catalogue: every quality rule of a dataset, in the order people read them."""

from functools import cache

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.contracts.datasets import SCHEMAS
from symbiosys_pipeline.quality.day_rules import day_rules
from symbiosys_pipeline.quality.order_rules import amount_rules, order_header_rule, order_key_rules
from symbiosys_pipeline.quality.row_rules import (
    completeness_rules,
    event_id_rule,
    format_rules,
    row_origin_rule,
)
from symbiosys_pipeline.quality.rule import Rule


@cache
def rules_for(dataset: Dataset) -> tuple[Rule, ...]:
    """The rules of one dataset: the same for every client, only their thresholds differ.

    Cheap, and free of Great Expectations: the names of asset checks come from here.
    """
    schema = SCHEMAS[dataset]
    keys = (
        (event_id_rule(),)
        if dataset is Dataset.PAGE_VIEWS
        else (*order_key_rules(), order_header_rule(), *amount_rules())
    )
    return (
        *completeness_rules(schema),
        row_origin_rule(dataset),
        *keys,
        *format_rules(schema),
        *day_rules(dataset),
    )
