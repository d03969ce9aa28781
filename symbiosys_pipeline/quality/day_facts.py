"""What is known about a day as a whole, counted from the ledger rather than from its rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DayFacts:
    """A day's rows and history. Rows are page views, or order lines.

    Attributes:
        received: Rows of this event day in every delivery that holds any.
        published: Rows in the staged day.
        duplicates: Rows left out because another row says the same.
        quarantined: Rows refused.
        superseded: Rows of deliveries that a newer generation replaced.
        history_days: Past days with a published version.
        history_median: Median of their published rows over the past same weekdays, or over all past days
            where there are too few of those; None where there is no past.
        hours_late: Hours after the due time at which the day was delivered, 0 or negative when on time;
            None while that is unknown.
    """

    received: int
    published: int
    duplicates: int
    quarantined: int
    superseded: int
    history_days: int = 0
    history_median: float | None = None
    hours_late: float | None = None

    @property
    def accounted(self) -> int:
        """Rows whose whereabouts are known (CONTRACT 8: equals `received` where the books balance)."""
        return self.published + self.duplicates + self.quarantined + self.superseded

    @property
    def volume_distance(self) -> float | None:
        """Relative distance of the published rows from the median of the past; None without a past."""
        if not self.history_median:
            return None
        return abs(self.published - self.history_median) / self.history_median
