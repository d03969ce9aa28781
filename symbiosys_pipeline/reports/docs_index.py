"""The index of the Data Docs: the latest validation of every client's day, as one offline page."""

from datetime import UTC

from symbiosys_pipeline.deployment import Deployment
from symbiosys_pipeline.quality.verdict import Verdict
from symbiosys_pipeline.storage.layout import DOCS_INDEX, docs_page
from symbiosys_pipeline.storage.ledger_tables import StoredVerdict


def rebuild_docs_index(deployment: Deployment) -> str:
    """Rewrite the index from the ledger's verdicts; returns its address."""
    # Local import: the page's look comes with the renderer, and most commands need neither.
    from symbiosys_pipeline.quality.data_docs import IndexEntry, render_index  # noqa: PLC0415

    latest: dict[str, StoredVerdict] = {}
    for client in deployment.ledger.deliveries.clients():
        for stored in deployment.ledger.publications.verdicts(client):
            latest[docs_page(stored.dataset, client, stored.event_day)] = stored
    entries = [
        IndexEntry(
            verdict=Verdict.from_json(stored.verdict),
            href=page.removeprefix("data_docs/"),
            judged_at=stored.decided_at.replace(tzinfo=UTC),
        )
        for page, stored in latest.items()
    ]
    deployment.lake.publish_bytes(render_index(entries).encode(), DOCS_INDEX)
    return deployment.lake.uri(DOCS_INDEX)
