"""The demo as it is used: waves of deliveries to write below a folder, and the truth known about them."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from symbiosys_pipeline.demo.delivery_files import DeliveryFile
from symbiosys_pipeline.demo.lunaverre import lunaverre_waves
from symbiosys_pipeline.demo.lunaverre_rows import LUNAVERRE
from symbiosys_pipeline.demo.tallpine import tallpine_waves
from symbiosys_pipeline.demo.tallpine_rows import TALLPINE
from symbiosys_pipeline.demo.truth import Truth, count_client

#: The first event and delivery day; both client profiles start here.
FIRST_DAY = date(2026, 11, 10)

_FIRST_DAYS = (
    "Both clients deliver their first days, with a few bad rows, duplicates and collided orders among them."
)
_NEXT_DAY = (
    "The next day arrives with rows that are one to three days late; two of its files are half-written."
)
_REPAIRS = (
    "The half-written files have grown; one day is delivered again unchanged, another corrected, and one "
    "file again without the rows of an earlier day."
)
_LAST_DAY = (
    "The last day arrives with rows too late to accept, and a corrected file is restored to what it was."
)
_STORY = (
    ("first_days", _FIRST_DAYS),
    ("next_day", _NEXT_DAY),
    ("repairs", _REPAIRS),
    ("last_day", _LAST_DAY),
)


@dataclass(frozen=True)
class Wave:
    """Everything the demo clients deliver at one time.

    Attributes:
        name: Short name.
        explanation: One sentence for people.
        files: The files, as values.
    """

    name: str
    explanation: str
    files: tuple[DeliveryFile, ...] = field(repr=False)

    def write(self, root: Path) -> None:
        """Write every file to `<root>/<client>/<key>`, replacing what an earlier wave wrote there.

        Each file appears whole under its name, as an upload to a bucket would; a half-written one is half
        of its bytes on purpose.
        """
        for file in self.files:
            target = root / file.client / file.key
            target.parent.mkdir(parents=True, exist_ok=True)
            arriving = target.with_name(f".{target.name}.arriving")
            arriving.write_bytes(file.content())
            arriving.replace(target)


def demo_waves(seed: int = 7, days: int = 5) -> tuple[Wave, ...]:
    """The demo's four waves, to be written in this order.

    Args:
        seed: Decides every draw; the same seed gives the same bytes.
        days: Event days from `FIRST_DAY` on, 5 to 13.
    """
    return _planned(seed, days)


def demo_truth(seed: int = 7, days: int = 5, *, after: int = len(_STORY)) -> Truth:
    """What must come out once the first `after` waves have been delivered and processed; all by default.

    The newest readable generation of a file counts: a gzip stream that ends early is refused whole and
    supersedes nothing. A day nothing was delivered for yet is all zeros.
    """
    live: dict[tuple[str, str], DeliveryFile] = {}
    for wave in _planned(seed, days)[:after]:
        live |= {(file.client, file.key): file for file in wave.files if file.readable}
    return Truth(
        {
            shop.client: count_client(
                shop, [file for file in live.values() if file.client == shop.client], _event_days(days)
            )
            for shop in (LUNAVERRE, TALLPINE)
        }
    )


@lru_cache(maxsize=4)
def _planned(seed: int, days: int) -> tuple[Wave, ...]:
    event_days = _event_days(days)
    clients = (lunaverre_waves(seed, event_days), tallpine_waves(seed, event_days))
    return tuple(
        Wave(name, explanation, tuple(file for waves in clients for file in waves[number]))
        for number, (name, explanation) in enumerate(_STORY)
    )


def _event_days(count: int) -> tuple[date, ...]:
    if not 5 <= count <= 13:
        raise ValueError(f"days: {count}; expected 5 to 13")
    return tuple(FIRST_DAY + timedelta(days=number) for number in range(count))
