"""What personal data looks like in text, and how it is made unreadable. Expressions only, no frames.

One definition of "looks personal" serves both the refusal of identifiers and the masking of quarantined
text, so that what is refused as personal is never shown and what is kept is compared unmasked.
"""

import polars as pl

from symbiosys_pipeline.contracts.columns import Column, Kind

#: Characters of one value that quarantined text keeps.
VALUE_LENGTH = 200

#: Stands for a value of which nothing may be shown.
HIDDEN = "***"

# Part of an address: anything but white space and what delimits addresses in URLs, lists and mail headers.
# The local part may hold '%' (percent-encoded '+'); the domain needs a dot, so that ids such as
# `8571@AdobeOrg` stay ids.
_ADDRESS_PART = r"""[^\s@?&=/#,;:"<>()\[\]]"""
_EMAIL = rf"(?i){_ADDRESS_PART}+(?:@|%40|%2540){_ADDRESS_PART}+(?:\.|%2E)\p{{L}}[\p{{L}}\d-]+"

_SEPARATOR = r"(?:[\s.()/+\-\u2010-\u2015]|%20|%28|%29|%2D|%2F|%2E)"
_PLUS = r"(?:\+|%2B|\uFF0B)"
# A digit before it, unless it ends a percent-escape, makes the next number part of the last.
_BEFORE = r"(%[0-9A-F]{2}|^|\D)"
_PLUS_PHONE = rf"(?i){_BEFORE}{_PLUS}{_SEPARATOR}{{0,2}}\d(?:{_SEPARATOR}{{0,3}}\d){{6,}}"
# An identifier that is nothing but an international phone number, of 8 to 15 digits.
_WHOLLY_PHONE = rf"(?i)^\s*{_PLUS}{_SEPARATOR}{{0,2}}\d(?:{_SEPARATOR}{{0,3}}\d){{7,14}}\s*$"

# At least eight digits of which some separator stands behind one of the first seven: a plain run of digits
# is an id. Rust's regular expressions cannot look ahead, hence one branch per place of the first separator.
_SEPARATED_PHONE = (
    rf"(?i){_BEFORE}(?:"
    + "|".join(
        rf"\d{{{lead}}}{_SEPARATOR}{{1,3}}\d(?:{_SEPARATOR}{{0,3}}\d){{{7 - lead},}}" for lead in range(1, 8)
    )
    + ")"
)

_CARD_SEPARATOR = r"(?:[ +\-]|%20|%2D)"
_CARD = (
    rf"(?i){_BEFORE}(?:\d{{4}}(?:{_CARD_SEPARATOR}\d{{4}}){{2}}{_CARD_SEPARATOR}\d{{1,7}}"
    rf"|\d{{4}}{_CARD_SEPARATOR}\d{{6}}{_CARD_SEPARATOR}\d{{5}}"
    r"|4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}|6\d{15,18})\b"
)

# Longer than a zone, a currency or a month's short name; what a mask has put in stays.
_WORD = r"(^|[^<\p{L}\p{M}])\p{L}[\p{L}\p{M}'\u2019-]{3,}"

# A date, with or without a time, has a phone number's digits and separators.
_DATE_LIKE = (
    r"^\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})"
    r"(?:[T ]\d{1,2}(?::\d{2}){0,2}(?:[.,]\d{1,9})?\s?(?:Z|UTC|[AaPp][Mm]|[+-]\d{2}:?(?:\d{2})?)?)?\s*$"
)


def looks_personal(identifier: pl.Expr) -> pl.Expr:
    """True where an identifier holds an e-mail address or is an international phone number (CONTRACT 1)."""
    return identifier.str.contains(_EMAIL) | identifier.str.contains(_WHOLLY_PHONE)


def mask_expression(text: pl.Expr) -> pl.Expr:
    """Free text with e-mail addresses, card and phone numbers replaced by `<email>`, `<card>`, `<phone>`.

    A plain run of digits is an id and stays, unless it has a payment card's leading digits and length; a
    text that is wholly a date or a time stays.
    """
    masked = (
        _mask_contacts(text)
        .str.replace_all(_CARD, "${1}<card>")
        .str.replace_all(_SEPARATED_PHONE, "${1}<phone>")
    )
    return pl.when(text.str.contains(_DATE_LIKE)).then(text).otherwise(masked)


def mask_field(raw: pl.Expr, column: Column) -> pl.Expr:
    """One contract field's raw text as quarantine may show it, at most `VALUE_LENGTH` characters.

    Hashed contact data is hidden whole; of an identifier and of a URL's path only e-mail addresses and
    international phone numbers are masked, for their digits are ids.
    """
    if column.kind is Kind.SHA256:
        return pl.when(raw.is_not_null()).then(pl.lit(HIDDEN))
    if column.kind is Kind.IDENTIFIER:
        masked = _mask_contacts(raw)
    elif column.kind is Kind.URL:
        # Split before the query or fragment; what is no URL at all has no such sign and may be anything.
        head = raw.str.extract(r"^((?:https?|[a-z][a-z0-9+.-]*)://[^?#]*)", 1)
        is_url = head.is_not_null()
        tail = raw.str.slice(head.str.len_chars())
        masked = (
            pl.when(is_url).then(_mask_contacts(head) + mask_expression(tail)).otherwise(mask_expression(raw))
        )
    elif column.kind is Kind.TEXT:
        masked = mask_expression(raw)
    else:
        # A number, a time or a code that is refused may be anything, a person's name too: its shape is shown.
        masked = mask_expression(raw).str.replace_all(_WORD, "${1}<word>")
    return masked.str.slice(0, VALUE_LENGTH)


def _mask_contacts(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_EMAIL, "<email>").str.replace_all(_PLUS_PHONE, "${1}<phone>")
