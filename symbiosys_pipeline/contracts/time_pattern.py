"""Whether a strptime pattern tells an instant to the minute, in directives that every engine reads alike."""

import re

_DIRECTIVE = re.compile(r"%(?:[-_0]?([A-Za-z])|(\.f|\.?[369]f|:z|#z|%)|(.?))", re.DOTALL)

# Left out on purpose: %Z (names of zones are ambiguous), %s (that is epoch_s), and what depends on a locale's
# or week's rules (%c %x %X %r %U %W %G %V).
_PARTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Y", "y"), ("year",)),
    **dict.fromkeys(("m", "b", "B", "h"), ("month",)),
    **dict.fromkeys(("d", "e"), ("day",)),
    "j": ("month", "day"),
    **dict.fromkeys(("F", "D"), ("year", "month", "day")),
    **dict.fromkeys(("H", "k"), ("hour",)),
    **dict.fromkeys(("I", "l"), ("hour of the half day",)),
    **dict.fromkeys(("p", "P"), ("half of the day",)),
    "M": ("minute",),
    "R": ("hour", "minute"),
    "S": ("second",),
    "T": ("hour", "minute", "second"),
    **dict.fromkeys(("f", ".f", ".3f", ".6f", ".9f", "3f", "6f", "9f"), ("fraction",)),
    **dict.fromkeys(("z", ":z", "#z"), ("offset",)),
    **dict.fromkeys(("a", "A"), ("weekday",)),
    "%": (),
}


def check_time_pattern(pattern: str) -> None:
    """Check a strptime pattern (CONTRACT 2.1: times are never guessed).

    Raises:
        ValueError: It has no directive, an unknown or a repeated one, or tells less than year, month, day,
            hour and minute.
    """
    if "%" not in pattern:
        raise ValueError(
            "expected epoch_ms, epoch_s, epoch_us, iso8601 or a strptime pattern such as %Y-%m-%d %H:%M:%S"
        )
    told: list[str] = []
    for found in _DIRECTIVE.finditer(pattern):
        name = found[1] or found[2] or ""
        # A fraction without its point would count nanoseconds in one engine and microseconds in another.
        if name not in _PARTS or (name == "f" and pattern[: found.start()][-1:] != "."):
            raise ValueError(f"unknown directive {found[0]!r}; expected such as %Y %m %d %H %M %S .%f %z")
        told += _PARTS[name]
    repeated = sorted({part for part in told if told.count(part) > 1})
    if repeated:
        raise ValueError(f"expected each part of the time once; told twice: {', '.join(repeated)}")
    hour = {"hour of the half day", "half of the day"}
    if hour & set(told):
        if not hour <= set(told) or "hour" in told:
            raise ValueError("expected %H alone or %I together with %p")
        told.append("hour")
    if "%R" in pattern and "second" in told:  # refused by the engine, which looks for %H
        raise ValueError("expected %T, or %H:%M:%S, where seconds are told")
    missing = [part for part in ("year", "month", "day", "hour", "minute") if part not in told]
    if missing:
        raise ValueError(f"expected a whole time; the pattern lacks {', '.join(missing)}")
