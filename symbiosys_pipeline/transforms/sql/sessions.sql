-- The published sessions of D: their part on D, with the orders of D that name or follow their views.
WITH ordered AS (
    SELECT
        visitor_id,
        session_id,
        session_source,
        count(*) AS orders,
        TRY_CAST(sum(units) AS BIGINT) AS units,
        CASE WHEN min(currency) = max(currency) THEN min(currency) END AS currency,
        CASE
            WHEN count(revenue) = count(*) AND min(currency) = max(currency)
                THEN TRY_CAST(sum(revenue) AS DECIMAL(18, 4))
        END AS revenue
    FROM resolved_orders
    WHERE session_id IS NOT NULL AND NOT is_collision
    GROUP BY visitor_id, session_id, session_source
),
completed AS (
    SELECT
        session_parts.*,
        day_parameters.event_day,
        coalesce(ordered.orders, 0) AS orders,
        CASE WHEN ordered.orders IS NULL THEN 0 ELSE ordered.units END AS units,
        CASE
            WHEN ordered.orders IS NOT NULL THEN ordered.revenue
            WHEN day_parameters.discount_meaning <> 'undeclared' THEN 0::DECIMAL(18, 4)
        END AS revenue,
        ordered.currency,
        NOT session_parts.is_opted_out AS is_attributable
    FROM session_parts
    CROSS JOIN day_parameters
    LEFT JOIN ordered USING (visitor_id, session_id, session_source)
)
SELECT ${columns}
FROM completed
ORDER BY session_start_ts ASC, visitor_id ASC, session_id ASC, session_source ASC
