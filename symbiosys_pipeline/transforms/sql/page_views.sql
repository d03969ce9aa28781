-- The published page views of D.
WITH flagged AS (
    SELECT
        views.* EXCLUDE (user_opt_out) REPLACE (sessioned_views.session_id AS session_id),
        sessioned_views.session_source,
        sessioned_views.view_hash,
        coalesce(user_opt_out, false) AS is_opted_out,
        view_number = 1 AND coalesce(carried_facts.is_cut, true) AS is_landing,
        NOT coalesce(user_opt_out, false) AS is_attributable
    FROM views
    JOIN sessioned_views USING (delivery_id, row_number)
    -- A session carried over from D-1 has landed there, unless it was cut at midnight.
    LEFT JOIN carried_facts
        ON carried_facts.visitor_id = sessioned_views.visitor_id
        AND carried_facts.session_id = sessioned_views.session_id
        AND carried_facts.session_source = sessioned_views.session_source
        AND carried_facts.fact = 'session'
)
SELECT ${columns}
FROM flagged
ORDER BY event_ts ASC, visitor_id ASC, view_hash ASC
