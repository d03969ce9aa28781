-- One row per session with views on D: what of it lies on D, and where it began.
WITH parts AS (
    SELECT
        sessioned_views.visitor_id,
        sessioned_views.session_id,
        sessioned_views.session_source,
        min(sessioned_views.event_ts) AS first_view_ts,
        max(sessioned_views.event_ts) AS last_view_ts,
        count(*) AS views,
        -- Not arg_min: it would skip a first view without a referrer.
        max(page_url) FILTER (WHERE view_number = 1) AS first_url,
        max(referrer) FILTER (WHERE view_number = 1) AS first_referrer,
        max(platform) FILTER (WHERE view_number = 1) AS platform,
        arg_max(crm_id, view_number) FILTER (WHERE crm_id IS NOT NULL) AS crm_id,
        bool_or(coalesce(user_opt_out, false)) AS is_opted_out
    FROM views
    JOIN sessioned_views USING (delivery_id, row_number)
    GROUP BY sessioned_views.visitor_id, sessioned_views.session_id, sessioned_views.session_source
)
SELECT
    parts.*,
    coalesce(carried_facts.session_start_ts, parts.first_view_ts) AS session_start_ts,
    coalesce(NOT carried_facts.is_cut, false) AS continues_previous_day,
    CASE
        WHEN parts.session_source = 'client' THEN NULL
        WHEN carried_facts.is_cut THEN 'midnight'
        ELSE 'inactivity'
    END AS split_reason,
    CASE WHEN continues_previous_day THEN carried_facts.landing_url ELSE parts.first_url END AS landing_url,
    CASE WHEN continues_previous_day THEN carried_facts.landing_referrer ELSE parts.first_referrer END
        AS landing_referrer
FROM parts
LEFT JOIN carried_facts
    ON carried_facts.visitor_id = parts.visitor_id
    AND carried_facts.session_id = parts.session_id
    AND carried_facts.session_source = parts.session_source
    AND carried_facts.fact = 'session'
