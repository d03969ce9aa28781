-- The published order lines of D: the line's own prices and origin, the order's time, visitor and flags.
WITH lines AS (
    SELECT
        priced_lines.* REPLACE (
            resolved_orders.event_ts AS event_ts,
            resolved_orders.visitor_id AS visitor_id
        ),
        resolved_orders.is_cancelled,
        resolved_orders.is_returned,
        resolved_orders.is_attributable
    FROM priced_lines
    JOIN resolved_orders USING (order_id, variant)
)
SELECT ${columns}
FROM lines
ORDER BY event_ts ASC, order_id ASC, variant ASC, line_number ASC
