-- One event day's distinct page views (CONTRACT 2.1, 6): by the client's event id, else by content.
WITH delivered AS NOT MATERIALIZED (
    SELECT slices.*, deliveries.delivery_day, deliveries.source_key
    FROM slices
    JOIN deliveries USING (delivery_id)
),
-- An event that was sent again with a later clock is the earlier one; of equal times the newest delivery wins.
with_event_id AS (
    SELECT *
    FROM delivered
    WHERE event_id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY event_id
        ORDER BY event_ts ASC, delivery_day DESC, source_key ASC, row_number ASC
    ) = 1
),
-- Copies are equal here: the oldest is kept, so that a later copy does not move a view to another delivery.
without_event_id AS (
    SELECT *
    FROM delivered
    WHERE event_id IS NULL
    QUALIFY row_number() OVER (
        PARTITION BY ${content}
        ORDER BY delivery_day ASC, source_key ASC, row_number ASC
    ) = 1
)
SELECT ${columns}
FROM (SELECT * FROM with_event_id UNION ALL BY NAME SELECT * FROM without_event_id)
-- Total without the row's origin: an event id is left once, and so is each content that has none.
ORDER BY ${view_order}
