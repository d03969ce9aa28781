"""A small deployment and the `symbiosys` command as a person runs it: status, output, errors."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from symbiosys_pipeline.cli import main

#: The event days: one published, one rejected since page views without a visitor came.
GOOD, REJECTED = "2026-03-01", "2026-03-02"

PROFILE = """\
type: symbiosys_pipeline.components.RetailClient
attributes:
  client: acme
  title: Acme
  time_zone: UTC
  start_date: 2026-03-01
  currency: EUR
  owners: ["team:retail"]
  page_views:
    sources:
      - location: source
        pattern: visits/*v_{YYYYMMDD}.csv
  orders:
    discount_meaning: net_price
    sources:
      - location: source
        pattern: orders/o_{YYYYMMDD}.csv
"""

VIEWS = "event_ts,visitor_id,session_id,page_url,crm_id,contact"
ORDERS = "order_id,event_ts,visitor_id,product_id,quantity,regular_unit_price,discount_unit_price"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as a program reads it."""
        return json.loads(self.out)

    def message(self) -> str:
        """What a person reads, on one line."""
        assert "Traceback" not in self.out + self.err
        return " ".join(f"{self.out} {self.err}".split())


@dataclass(frozen=True)
class CommandLine:
    """The command with its home and its clients' folder."""

    home: Path
    clients: Path

    @classmethod
    def below(cls, root: Path) -> "CommandLine":
        """A deployment without clients."""
        (root / "clients").mkdir(parents=True)
        return cls(root / "home", root / "clients")

    @property
    def source(self) -> Path:
        """The client's folder."""
        return self.home / "source"

    def __call__(self, *arguments: str) -> Ended:
        """Run the command in this process: Dagster takes seconds to import."""
        options = ["symbiosys", "--home", str(self.home), "--clients", str(self.clients)]
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.object(sys, "argv", [*options, *arguments]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
                status = 0
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else 1
        return Ended(status, out.getvalue(), err.getvalue())

    def write_profile(self, text: str = PROFILE, client: str = "acme") -> Path:
        """One client's file."""
        file = self.clients / client / "defs.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def deliver(self, key: str, header: str, *rows: str) -> Path:
        """One file of the client."""
        file = self.source / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([header, *rows]) + "\n")
        return file


def ms(day: str, clock: str) -> int:
    """Epoch milliseconds of a UTC time."""
    return int(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC).timestamp() * 1000)


def view(day: str, clock: str, visitor: str = "ant", crm_id: str = "", contact: str = "") -> str:
    """A page view's row."""
    return f"{ms(day, clock)},{visitor},s-{visitor},https://shop.example/p,{crm_id},{contact}"


def acme(root: Path) -> CommandLine:
    """The client with its two delivery days and one file too broken to read; nothing is run yet."""
    symbiosys = CommandLine.below(root)
    symbiosys.write_profile()
    good = [view(GOOD, f"10:{minute:02}:00") for minute in range(4)]
    symbiosys.deliver("visits/v_20260301.csv", VIEWS, *good, good[0], "soon,ant,s,https://shop.example/,,")
    sound = [view(REJECTED, f"11:{minute:02}:00", "bee") for minute in range(2)]
    wrong = [view(REJECTED, "12:00:00", "bee", crm_id="jane.doe@mail.example") for _ in range(2)]
    lost = [view(REJECTED, "12:30:00", visitor="") for _ in range(2)]
    symbiosys.deliver("visits/v_20260302.csv", VIEWS, *sound, *wrong, *lost)
    symbiosys.deliver("visits/late-v_20260302.csv", "when,who", "1,2")
    orders = [f"o{number},{ms(GOOD, '10:05:00')},ant,p1,{number},10.00,8.50" for number in (1, 2)]
    symbiosys.deliver("orders/o_20260301.csv", ORDERS, *orders)
    symbiosys.deliver("orders/o_20260302.csv", ORDERS, f"o3,{ms(REJECTED, '11:30:00')},bee,p1,1,10.00,")
    return symbiosys
