"""Data Docs: pages that load nothing from anywhere and say what the verdict says."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from symbiosys_pipeline.contracts.columns import Dataset
from symbiosys_pipeline.quality.data_docs import IndexEntry, render_index, render_validation
from symbiosys_pipeline.quality.runner import judge
from symbiosys_pipeline_tests.quality.staged_days import DAY, balanced, client, judged

JUDGED_AT = datetime(2026, 11, 2, 3, 4, tzinfo=UTC)


class _Reader(HTMLParser):
    """Collects what a browser would load, follow or run, and the text a person reads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [
            value or ""
            for name, value in attrs
            if name in {"src", "href", "data", "action", "poster", "srcset"}
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("docs")
    failed = judged(folder, Dataset.ORDERS, [{}, {"visitor_id": "a b", "order_id": None}])
    gone = judge(
        client(),
        Dataset.ORDERS,
        DAY,
        staging=[str(Path(folder) / "gone.parquet")],
        quarantine=[],
        facts=balanced(1),
    )
    entries = [
        IndexEntry(failed.verdict, "acme/orders/2026-11-01.html", JUDGED_AT),
        IndexEntry(gone.verdict, 'it"s.html', JUDGED_AT),
    ]
    return {
        "failed": render_validation(failed, judged_at=JUDGED_AT, index_href="../index.html"),
        "errored": render_validation(gone, judged_at=JUDGED_AT),
        "index": render_index(entries),
        "empty index": render_index([]),
    }


@pytest.mark.parametrize("name", ["failed", "errored", "index", "empty index"])
def test_pages_load_nothing(pages: dict[str, str], name: str) -> None:
    page = _Reader(pages[name])
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "video", "audio", "base"}
    assert not [
        address for address in page.addresses if re.match(r"(?i)\s*(https?:|//|data:|javascript:)", address)
    ]
    assert not re.search(r"(?i)url\(|@import", pages[name])


def test_a_page_shows_verdict_rows_and_remedy(pages: dict[str, str]) -> None:
    page = _Reader(pages["failed"])
    assert page.addresses == ["../index.html"]
    assert "rejected" in page.text
    assert "visitor_id looks like an id" in page.text
    assert "1 of 2 rows with a visitor_id: 50 %, at least 99 % needed" in page.text
    assert "0123456789abcdef:2" in page.text
    assert "Send the id itself in visitor_id" in page.text
    assert "Table-Level Expectations" in page.text
    assert "2026-11-02 03:04 UTC" in page.text


def test_an_errored_page_says_so(pages: dict[str, str]) -> None:
    assert "could not run: No files found" in _Reader(pages["errored"]).text


def test_the_index_links_every_page(pages: dict[str, str]) -> None:
    page = _Reader(pages["index"])
    assert page.addresses == ["acme/orders/2026-11-01.html", 'it"s.html']
    assert "completeness_order_id" in page.text


def test_a_page_is_a_function_of_the_judgement(tmp_path: Path) -> None:
    judgement = judged(tmp_path, Dataset.PAGE_VIEWS, [{}])
    pages = {render_validation(judgement, judged_at=JUDGED_AT) for _ in range(2)}
    assert len(pages) == 1
