-- Lines of repeated occurrences, counted from group sizes and so apart from how staging picks the kept one.
WITH occurrences AS (
    SELECT
        order_id,
        visitor_id,
        count(*) AS line_count,
        list(
            {'p': product_id, 'q': quantity, 'r': regular_unit_price, 'd': discount_unit_price}
            ORDER BY ${line_order}
        ) AS lines
    FROM slices
    GROUP BY order_id, visitor_id, delivery_id, ${occurrence_row}
),
repeats AS (
    SELECT (count(*) - 1) * any_value(line_count) AS dropped_lines
    FROM occurrences
    GROUP BY order_id, visitor_id, lines
)
SELECT coalesce(sum(dropped_lines), 0)::BIGINT AS duplicates
FROM repeats
