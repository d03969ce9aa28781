"""The order contract (CONTRACT 2.2): an order and its lines, stored as one row per line."""

from dataclasses import replace

from symbiosys_pipeline.contracts.columns import Column, Dataset, DatasetSchema, Kind, Level, Need
from symbiosys_pipeline.contracts.page_views import (
    CHANNEL,
    CRM_ID,
    EVENT_TS,
    HASHED_EMAIL,
    HASHED_USER_COLUMNS,
    HASHED_USER_FIELDS,
    PLATFORM,
    SESSION_DESCRIPTION,
    USER_OPT_OUT,
    VISITOR_ID,
)

_HASHED_BUYER_COLUMNS = tuple(
    Column(
        name=f"hashed_{field}",
        kind=Kind.SHA256,
        need=Need.OPTIONAL,
        description=f"SHA-256 of the buyer's {field.replace('_', ' ')} on this order, lower-case hex.",
    )
    for field in HASHED_USER_FIELDS
)

ORDERS = DatasetSchema(
    dataset=Dataset.ORDERS,
    columns=(
        Column("order_id", Kind.IDENTIFIER, Need.REQUIRED, "The order's id, unique.", aliases=("oid",)),
        replace(EVENT_TS, aliases=("order_ts", "ts")),
        VISITOR_ID,
        Column("session_id", Kind.IDENTIFIER, Need.OPTIONAL, SESSION_DESCRIPTION, aliases=("sid",)),
        CRM_ID,
        Column("page_url", Kind.URL, Need.OPTIONAL, "The confirmation page's URL, byte for byte."),
        USER_OPT_OUT,
        CHANNEL,
        PLATFORM,
        HASHED_EMAIL,
        *_HASHED_BUYER_COLUMNS,
        *HASHED_USER_COLUMNS,
        Column("currency", Kind.CURRENCY, Need.OPTIONAL, "ISO 4217 code; the client's where none is sent."),
        Column("status", Kind.TEXT, Need.OPTIONAL, "The client's order status, as sent."),
        Column(
            "product_id",
            Kind.IDENTIFIER,
            Need.REQUIRED,
            "The product bought.",
            aliases=("prodid",),
            level=Level.LINE,
        ),
        Column(
            "quantity", Kind.QUANTITY, Need.REQUIRED, "Units bought, > 0.", aliases=("qty",), level=Level.LINE
        ),
        Column(
            "regular_unit_price",
            Kind.PRICE,
            Need.REQUIRED,
            "List price of one unit in the order's currency, >= 0.",
            aliases=("regunitpr",),
            level=Level.LINE,
        ),
        Column(
            "discount_unit_price",
            Kind.PRICE,
            Need.OPTIONAL,
            "Net price of one unit, or the amount off, as the profile says; >= 0.",
            aliases=("disunitpr",),
            level=Level.LINE,
        ),
    ),
)
