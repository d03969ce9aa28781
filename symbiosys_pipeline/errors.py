"""The errors this project raises. Each message says what, where, what was expected and what to do."""

from collections.abc import Sequence


class SymbiosysError(Exception):
    """Base of every error a user of the pipeline is meant to read."""


class ConfigurationError(SymbiosysError):
    """A client profile or a setting is wrong. Carries every mistake found, not only the first."""

    def __init__(self, where: str, mistakes: Sequence[str]) -> None:
        self.where = where
        self.mistakes = tuple(mistakes)
        listed = "\n".join(f"  - {mistake}" for mistake in self.mistakes)
        super().__init__(f"{where}: {len(self.mistakes)} mistake(s)\n{listed}")


class DeliveryError(SymbiosysError):
    """A whole delivery cannot be used: it is refused, kept in landing, and supersedes nothing.

    Attributes:
        code: Short stable word for the reason (`missing_column`, `truncated_compression`, ...).
        message: What is wrong, what was expected, what to do. Never holds a field's value.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class SourceError(SymbiosysError):
    """The outside did not answer as needed: no access, gone, changed while it was read."""


class LakeError(SymbiosysError):
    """A file of the lake is missing or is not what the ledger says it is."""


class StaleInputError(SymbiosysError):
    """What this rebuild read is no longer current; nothing was published and the day is still wanted."""


class RuleExecutionError(SymbiosysError):
    """A quality rule could not run. This is neither a pass nor a failure of the data."""
