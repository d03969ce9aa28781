-- Page views that are copies of another, counted by grouping and so apart from how staging picks the kept one.
WITH copies AS (
    SELECT count(*) AS copies
    FROM slices
    WHERE event_id IS NOT NULL
    GROUP BY event_id
    UNION ALL
    SELECT count(*) AS copies
    FROM slices
    WHERE event_id IS NULL
    GROUP BY ${content}
)
SELECT coalesce(sum(copies - 1), 0)::BIGINT AS duplicates
FROM copies
