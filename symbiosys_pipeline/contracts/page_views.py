"""The page view contract (CONTRACT 2.1): one row per page view, visit or click."""

from symbiosys_pipeline.contracts.columns import Column, Dataset, DatasetSchema, Kind, Need

HASHED_USER_FIELDS = (
    "phone",
    "phone_e164",
    "first_name",
    "last_name",
    "date_of_birth",
    "zip_code",
    "city",
    "state",
)

HASHED_USER_COLUMNS = tuple(
    Column(
        name=f"hashed_{field}_user",
        kind=Kind.SHA256,
        need=Need.OPTIONAL,
        description=f"SHA-256 of the account holder's {field.replace('_', ' ')}, lower-case hex.",
    )
    for field in HASHED_USER_FIELDS
)

EVENT_TS = Column(
    name="event_ts",
    kind=Kind.TIMESTAMP,
    need=Need.REQUIRED,
    description="When it happened, UTC, milliseconds.",
    aliases=("page_view_ts", "ts"),
)
VISITOR_ID = Column(
    name="visitor_id",
    kind=Kind.IDENTIFIER,
    need=Need.REQUIRED,
    description="The client's persistent cookie or device id.",
    aliases=("vid",),
)
CRM_ID = Column(
    name="crm_id",
    kind=Kind.IDENTIFIER,
    need=Need.OPTIONAL,
    description="The client's customer id once the visitor is known; never a clear e-mail.",
    aliases=("crmid",),
)
SESSION_DESCRIPTION = "The client's session id; derived by inactivity where none is sent."
HASHED_EMAIL = Column(
    name="hashed_email",
    kind=Kind.SHA256,
    need=Need.OPTIONAL,
    description="SHA-256 of the e-mail address, lower-case hex.",
)
USER_OPT_OUT = Column(
    name="user_opt_out",
    kind=Kind.BOOLEAN,
    need=Need.OPTIONAL,
    description="True where the user opted out: kept, never attributed.",
    default=False,
)
CHANNEL = Column(
    name="channel",
    kind=Kind.TEXT,
    need=Need.OPTIONAL,
    description="The ad platform that brought the event; not the channel group.",
    default="google",
)
PLATFORM = Column(
    name="platform",
    kind=Kind.CHOICE,
    need=Need.OPTIONAL,
    description="Where the event happened: web, ios or android.",
    choices=("web", "ios", "android"),
    default="web",
)

PAGE_VIEWS = DatasetSchema(
    dataset=Dataset.PAGE_VIEWS,
    columns=(
        EVENT_TS,
        VISITOR_ID,
        Column("session_id", Kind.IDENTIFIER, Need.EXPECTED, SESSION_DESCRIPTION, aliases=("sid",)),
        CRM_ID,
        Column("page_url", Kind.URL, Need.REQUIRED, "The full URL with its query, byte for byte."),
        Column("referrer", Kind.URL, Need.OPTIONAL, "The full referring URL, byte for byte."),
        Column(
            "product_id",
            Kind.IDENTIFIER,
            Need.OPTIONAL,
            "The product shown; joins the product feed.",
            aliases=("prodid",),
        ),
        Column("category_id", Kind.IDENTIFIER, Need.OPTIONAL, "The category shown."),
        HASHED_EMAIL,
        *HASHED_USER_COLUMNS,
        USER_OPT_OUT,
        CHANNEL,
        PLATFORM,
        Column("user_agent", Kind.TEXT, Need.OPTIONAL, "The browser's user agent, for bot detection."),
        Column("event_id", Kind.IDENTIFIER, Need.OPTIONAL, "The client's own event id; de-duplication key."),
    ),
)
