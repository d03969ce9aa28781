-- One event day's distinct orders as lines (CONTRACT 6): same id, visitor and lines = duplicate, kept once, in
-- its newest occurrence; same id and anything else = collision, every variant kept.
WITH delivered AS NOT MATERIALIZED (
    SELECT slices.*, deliveries.delivery_day, deliveries.source_key, ${occurrence_row} AS occurrence_row
    FROM slices
    JOIN deliveries USING (delivery_id)
),
-- The visitor is part of the key: lines of one order by two visitors are two variants.
occurrences AS (
    SELECT
        order_id,
        visitor_id,
        delivery_id,
        occurrence_row,
        any_value(delivery_day) AS delivery_day,
        any_value(source_key) AS source_key,
        max(row_number) AS last_row,
        list(
            {'p': product_id, 'q': quantity, 'r': regular_unit_price, 'd': discount_unit_price}
            ORDER BY ${line_order}
        ) AS lines
    FROM delivered
    GROUP BY order_id, visitor_id, delivery_id, occurrence_row
),
kept AS (
    SELECT *
    FROM occurrences
    QUALIFY row_number() OVER (
        PARTITION BY order_id, visitor_id, lines
        ORDER BY delivery_day DESC, source_key DESC, last_row DESC
    ) = 1
),
variants AS (
    SELECT
        order_id,
        visitor_id,
        delivery_id,
        occurrence_row,
        (row_number() OVER (PARTITION BY order_id ORDER BY visitor_id ASC, lines ASC))::INTEGER AS variant,
        count(*) OVER (PARTITION BY order_id) > 1 AS is_collision
    FROM kept
),
renumbered AS (
    SELECT
        delivered.* REPLACE (
            (row_number() OVER (
                PARTITION BY delivered.order_id, variants.variant
                ORDER BY delivered.row_number ASC, delivered.line_number ASC
            ))::INTEGER AS line_number
        ),
        variants.variant,
        variants.is_collision
    FROM delivered
    JOIN variants USING (order_id, visitor_id, delivery_id, occurrence_row)
)
SELECT ${columns}
FROM renumbered
ORDER BY event_ts ASC, order_id ASC, variant ASC, line_number ASC
