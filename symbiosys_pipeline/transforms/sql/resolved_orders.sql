-- One row per order of D, per variant where ids collide: totals of its lines, and its session.
WITH totals AS (
    SELECT
        order_id,
        variant,
        -- One line without revenue leaves the order without: a partial sum would look whole.
        CASE WHEN count(revenue) = count(*) THEN TRY_CAST(sum(revenue) AS DECIMAL(18, 4)) END AS revenue,
        TRY_CAST(sum(quantity) AS BIGINT) AS units,
        count(*)::INTEGER AS line_count
    FROM priced_lines
    GROUP BY order_id, variant
),
heads AS (
    SELECT
        order_lines_staged.*,
        coalesce(user_opt_out, false) AS is_opted_out,
        coalesce(list_contains(cancelled_statuses, lower(status)), false) AS is_cancelled,
        coalesce(list_contains(returned_statuses, lower(status)), false) AS is_returned
    FROM order_lines_staged
    CROSS JOIN day_parameters
    WHERE line_number = 1
),
-- At most one view per visitor and instant, as an ASOF join demands; one with the client's id wins.
view_times AS (
    SELECT visitor_id, event_ts, session_id, session_source
    FROM sessioned_views
    WHERE visitor_id IN (SELECT visitor_id FROM heads WHERE session_id IS NULL)
    QUALIFY row_number() OVER (
        PARTITION BY visitor_id, event_ts ORDER BY session_source ASC, session_id DESC
    ) = 1
),
latest_views AS (
    SELECT
        heads.order_id,
        heads.variant,
        heads.event_ts AS order_ts,
        coalesce(view_times.event_ts, carried_facts.last_view_ts) AS view_ts,
        coalesce(view_times.session_id, carried_facts.session_id) AS session_id,
        coalesce(view_times.session_source, carried_facts.session_source) AS session_source
    FROM heads
    ASOF LEFT JOIN view_times
        ON view_times.visitor_id = heads.visitor_id AND view_times.event_ts <= heads.event_ts
    LEFT JOIN carried_facts
        ON carried_facts.visitor_id = heads.visitor_id AND carried_facts.fact = 'last_view'
    WHERE heads.session_id IS NULL
),
found AS (
    SELECT order_id, variant, session_id, session_source
    FROM latest_views
    CROSS JOIN day_parameters
    WHERE epoch_ms(order_ts) - epoch_ms(view_ts) <= timeout_ms
),
placed AS (
    SELECT
        heads.* REPLACE (coalesce(heads.session_id, found.session_id) AS session_id),
        CASE WHEN heads.session_id IS NOT NULL THEN 'client' ELSE found.session_source END AS session_source
    FROM heads
    LEFT JOIN found USING (order_id, variant)
)
SELECT
    placed.*,
    totals.revenue,
    totals.units,
    totals.line_count,
    NOT (placed.is_opted_out OR is_collision OR is_cancelled) AS is_attributable,
    -- The session's part on D knows its landing, also where that lies on D-1.
    CASE WHEN session_parts.visitor_id IS NULL THEN carried_facts.landing_url ELSE session_parts.landing_url END
        AS landing_url,
    CASE
        WHEN session_parts.visitor_id IS NULL THEN carried_facts.landing_referrer
        ELSE session_parts.landing_referrer
    END AS landing_referrer
FROM placed
JOIN totals USING (order_id, variant)
LEFT JOIN session_parts
    ON session_parts.visitor_id = placed.visitor_id
    AND session_parts.session_id = placed.session_id
    AND session_parts.session_source = placed.session_source
LEFT JOIN carried_facts
    ON carried_facts.visitor_id = placed.visitor_id
    AND carried_facts.session_id = placed.session_id
    AND carried_facts.session_source = placed.session_source
    AND carried_facts.fact = 'session'
