-- The session of each page view of D. The client's id is kept; sessionless views of a visitor are split where
-- they are more than `timeout` apart. Narrow on purpose: windows over whole page views took three times as long
-- as these and a join by origin.
WITH spaced AS (
    SELECT
        delivery_id,
        row_number,
        visitor_id,
        event_ts,
        session_id,
        ${view_hash} AS view_hash,
        session_id IS NULL AS is_derived,
        lag(event_ts) OVER (PARTITION BY visitor_id, session_id IS NULL ORDER BY event_ts ASC) AS previous_ts
    FROM views
),
started AS (
    SELECT
        spaced.*,
        CASE
            WHEN previous_ts IS NULL THEN coalesce(carried_facts.session_start_ts, event_ts)
            WHEN epoch_ms(event_ts) - epoch_ms(previous_ts) > day_parameters.timeout_ms THEN event_ts
        END AS start_ts
    FROM spaced
    CROSS JOIN day_parameters
    LEFT JOIN carried_facts
        ON carried_facts.visitor_id = spaced.visitor_id
        AND spaced.is_derived
        AND carried_facts.session_source = 'derived'
        AND carried_facts.fact = 'session'
        AND carried_facts.is_continued
),
resolved AS (
    SELECT
        * EXCLUDE (previous_ts, start_ts, is_derived) REPLACE (
            coalesce(
                session_id,
                derived_session_id(
                    visitor_id,
                    -- Peers of one instant share their start: the frame must be RANGE, not ROWS.
                    max(start_ts) OVER (
                        PARTITION BY visitor_id, is_derived
                        ORDER BY event_ts ASC
                        RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                    )
                )
            ) AS session_id
        ),
        CASE WHEN is_derived THEN 'derived' ELSE 'client' END AS session_source
    FROM started
)
SELECT
    *,
    row_number() OVER (
        PARTITION BY visitor_id, session_id, session_source ORDER BY event_ts ASC, view_hash ASC
    ) AS view_number
FROM resolved
