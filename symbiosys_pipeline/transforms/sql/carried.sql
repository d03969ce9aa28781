-- What day D takes from D-1, and nothing else: D's outputs read D and this relation only.
WITH
-- Visitors whose first sessionless view on D may go on with a session of D-1. Views of D-1 lie before midnight,
-- so only the first `timeout` of D can; nearly all visitors drop out here.
arrivals AS (
    SELECT visitor_id, min(event_ts) AS first_ts
    FROM views
    WHERE session_id IS NULL
    GROUP BY visitor_id
    HAVING epoch_ms(min(event_ts)) <= (SELECT day_start_ms + timeout_ms FROM day_parameters)
),
first_views AS (
    SELECT visitor_id, min(event_ts) AS first_ts
    FROM views
    GROUP BY visitor_id
),
-- Visitors with a sessionless order before any view of theirs on D.
early_orders AS (
    SELECT order_lines_staged.visitor_id, min(order_lines_staged.event_ts) AS first_ts
    FROM order_lines_staged
    LEFT JOIN first_views USING (visitor_id)
    WHERE order_lines_staged.line_number = 1
        AND order_lines_staged.session_id IS NULL
        AND (first_views.first_ts IS NULL OR first_views.first_ts > order_lines_staged.event_ts)
    GROUP BY order_lines_staged.visitor_id
    HAVING epoch_ms(min(order_lines_staged.event_ts))
        <= (SELECT day_start_ms + timeout_ms FROM day_parameters)
),
-- The last chain of sessionless views of those visitors on D-1.
spaced AS (
    SELECT
        visitor_id,
        event_ts,
        epoch_ms(event_ts) - epoch_ms(lag(event_ts) OVER (PARTITION BY visitor_id ORDER BY event_ts ASC))
            > day_parameters.timeout_ms AS is_after_gap
    FROM previous_views
    CROSS JOIN day_parameters
    WHERE session_id IS NULL
        AND visitor_id IN (SELECT visitor_id FROM arrivals UNION ALL SELECT visitor_id FROM early_orders)
),
chains AS (
    SELECT
        visitor_id,
        coalesce(max(event_ts) FILTER (WHERE is_after_gap), min(event_ts)) AS start_ts,
        max(event_ts) AS last_ts,
        -- No gap on the whole of D-1, and its first view near enough to midnight to go on from D-2, which is
        -- not read. Views of D-2 lie before that midnight, so a view `timeout` after it cannot.
        NOT coalesce(bool_or(is_after_gap), false)
            AND epoch_ms(min(event_ts)) < any_value(previous_day_start_ms + timeout_ms) AS is_unbounded
    FROM spaced
    CROSS JOIN day_parameters
    GROUP BY visitor_id
),
continued AS (
    SELECT chains.*, arrivals.first_ts
    FROM chains
    JOIN arrivals USING (visitor_id)
    CROSS JOIN day_parameters
    WHERE epoch_ms(arrivals.first_ts) - epoch_ms(chains.last_ts) <= timeout_ms
),
-- The view an early order falls back to. Among views of the same instant one with the client's id wins.
last_views AS (
    SELECT visitor_id, event_ts, session_id
    FROM previous_views
    WHERE visitor_id IN (SELECT visitor_id FROM early_orders)
    QUALIFY row_number() OVER (
        PARTITION BY visitor_id ORDER BY event_ts DESC, session_id DESC NULLS LAST
    ) = 1
),
-- An unbounded chain is cut at midnight: its own id is not known here, so no order can be given it.
ordered_after AS (
    SELECT
        last_views.visitor_id,
        last_views.event_ts AS last_view_ts,
        last_views.session_id AS client_session_id,
        chains.start_ts
    FROM last_views
    JOIN early_orders USING (visitor_id)
    LEFT JOIN chains USING (visitor_id)
    CROSS JOIN day_parameters
    WHERE epoch_ms(early_orders.first_ts) - epoch_ms(last_views.event_ts) <= timeout_ms
        AND (last_views.session_id IS NOT NULL OR NOT chains.is_unbounded)
),
client_sessions AS (
    SELECT visitor_id, session_id, event_ts AS start_ts, page_url, referrer
    FROM previous_views
    WHERE session_id IS NOT NULL AND (visitor_id, session_id) IN (
        SELECT (visitor_id, session_id) FROM views WHERE session_id IS NOT NULL
        UNION ALL
        SELECT (visitor_id, session_id)
        FROM order_lines_staged
        WHERE line_number = 1 AND session_id IS NOT NULL
        UNION ALL
        SELECT (visitor_id, client_session_id) FROM ordered_after WHERE client_session_id IS NOT NULL
    )
    QUALIFY row_number() OVER (PARTITION BY visitor_id, session_id ORDER BY ${view_order}) = 1
),
derived_starts AS (
    SELECT visitor_id, start_ts, bool_or(is_continued) AS is_continued
    FROM (
        SELECT visitor_id, start_ts, true AS is_continued FROM continued WHERE NOT is_unbounded
        UNION ALL
        SELECT visitor_id, start_ts, false AS is_continued FROM ordered_after WHERE client_session_id IS NULL
    )
    GROUP BY visitor_id, start_ts
),
derived_sessions AS (
    SELECT visitor_id, start_ts, is_continued, page_url, referrer
    FROM derived_starts
    JOIN previous_views USING (visitor_id)
    WHERE previous_views.event_ts = derived_starts.start_ts AND previous_views.session_id IS NULL
    QUALIFY row_number() OVER (PARTITION BY visitor_id ORDER BY ${view_order}) = 1
)
-- A session of D-1 that goes on: by its views on D, by an order on D, or both.
SELECT
    'session' AS fact,
    visitor_id,
    session_id,
    'client' AS session_source,
    start_ts AS session_start_ts,
    page_url AS landing_url,
    referrer AS landing_referrer,
    true AS is_continued,
    false AS is_cut,
    NULL::TIMESTAMPTZ AS last_view_ts
FROM client_sessions
UNION ALL
SELECT
    'session',
    visitor_id,
    derived_session_id(visitor_id, start_ts),
    'derived',
    start_ts,
    page_url,
    referrer,
    is_continued,
    false,
    NULL
FROM derived_sessions
UNION ALL
-- A chain cut at midnight: the session starts anew with D's first view, and only that is known of D-1.
SELECT 'session', visitor_id, derived_session_id(visitor_id, first_ts), 'derived', first_ts, NULL, NULL, true, true, NULL
FROM continued
WHERE is_unbounded
UNION ALL
SELECT
    'last_view',
    visitor_id,
    coalesce(client_session_id, derived_session_id(visitor_id, start_ts)),
    CASE WHEN client_session_id IS NULL THEN 'derived' ELSE 'client' END,
    NULL,
    NULL,
    NULL,
    false,
    false,
    last_view_ts
FROM ordered_after
