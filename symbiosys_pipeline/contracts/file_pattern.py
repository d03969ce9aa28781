"""File-name patterns: which objects belong to a source, and which delivery day a name tells."""

import re
from dataclasses import dataclass
from datetime import date

# [0-9], not \d: the latter also matches digits of other scripts. `*` takes as little as it can, so that the
# leftmost digits that fit are the date. {HH} is matched and not read: a delivery belongs to a day.
_TOKENS = {
    "{YYYYMMDD}": r"(?P<YYYY>[0-9]{4})(?P<MM>[0-9]{2})(?P<DD>[0-9]{2})",
    "{YYYY}": r"(?P<YYYY>[0-9]{4})",
    "{MM}": r"(?P<MM>[0-9]{2})",
    "{DD}": r"(?P<DD>[0-9]{2})",
    "{HH}": r"[0-9]{2}",
    "*": r"[^/]*?",
}
# Not strftime, whose %Y has three digits in the year 999.
_DATE_FORMATS = {
    "{YYYYMMDD}": "{0.year:04}{0.month:02}{0.day:02}",
    "{YYYY}": "{0.year:04}",
    "{MM}": "{0.month:02}",
    "{DD}": "{0.day:02}",
}
_SPLIT = re.compile(r"(\{[^{}]*\}|\*)")
_ALL_PLACEHOLDERS = "{YYYYMMDD} {YYYY} {MM} {DD} {HH}"


@dataclass(frozen=True)
class FilePattern:
    """A parsed pattern.

    Attributes:
        text: The pattern as written.
        regex: Matches a whole object name below the source's location.
        dated: Whether a matching name tells its delivery day.
        prefix: The folders before the first placeholder, with a trailing slash, or empty. Every matching
            name starts with it.
    """

    text: str
    regex: re.Pattern[str]
    dated: bool
    prefix: str

    @classmethod
    def parse(cls, text: str) -> "FilePattern":
        """Parse a pattern.

        `*` matches any characters within one folder, none included. `{YYYYMMDD}`, or `{YYYY}`, `{MM}` and
        `{DD}` in any order and place, tell the delivery day; `{HH}` matches an hour. All else is literal.

        Raises:
            ValueError: The text is no pattern; the message says what was expected.
        """
        _check_path(text)
        built: list[str] = []
        seen: set[str] = set()
        for part in _SPLIT.split(text):
            token = _TOKENS.get(part)
            if token is None:
                if "{" in part or "}" in part:
                    raise ValueError(
                        f"unknown placeholder {part!r}; expected one of {_ALL_PLACEHOLDERS} or *"
                    )
                built.append(re.escape(part))
                continue
            names = set(re.findall(r"\?P<(\w+)>", token))
            if names & seen:
                raise ValueError(f"{part} repeats a part of the date; expected each part once")
            seen |= names
            built.append(token)
        if seen and seen != {"YYYY", "MM", "DD"}:
            raise ValueError("expected year, month and day together, or none of them")
        return cls(text, re.compile("".join(built)), bool(seen), _folders(_SPLIT.split(text)[0]))

    def matches(self, name: str) -> bool:
        """Whether the object belongs to the source."""
        return self.regex.fullmatch(name) is not None

    def delivery_day(self, name: str) -> date | None:
        """The day a matching name tells; None where the pattern has no date or it is no calendar day."""
        match = self.regex.fullmatch(name)
        if match is None or not self.dated:
            return None
        try:
            return date(int(match["YYYY"]), int(match["MM"]), int(match["DD"]))
        except ValueError:
            return None

    def prefix_on(self, day: date) -> str:
        """The folders that hold the files of one delivery day: as `prefix`, with the date's folders known."""
        known = ""
        for part in _SPLIT.split(self.text):
            if part in _TOKENS and part not in _DATE_FORMATS:
                break
            known += _DATE_FORMATS[part].format(day) if part in _DATE_FORMATS else part
        return _folders(known)


def _folders(known: str) -> str:
    folders, slash, _ = known.rpartition("/")
    return folders + slash


def _check_path(text: str) -> None:
    if not text or text.startswith("/"):
        raise ValueError("expected an object name below the location, not starting with /")
    if any(part in {"", ".", ".."} for part in text.split("/")):
        raise ValueError("expected folders and a file name between single slashes, without . and ..")
    if "\\" in text:
        raise ValueError("expected / between folders")
    if "**" in text:
        raise ValueError("expected a single *, which matches within one folder")
