-- D's order lines with their net price and revenue (CONTRACT 2.2). Money stays decimal throughout.
WITH netted AS (
    SELECT
        order_lines_staged.*,
        CASE day_parameters.discount_meaning
            WHEN 'net_price' THEN coalesce(discount_unit_price, regular_unit_price)
            WHEN 'amount_off' THEN regular_unit_price - coalesce(discount_unit_price, 0)
        END AS net_unit_price,
        min(currency) OVER (PARTITION BY order_id, variant)
            IS NOT DISTINCT FROM max(currency) OVER (PARTITION BY order_id, variant) AS has_one_currency
    FROM order_lines_staged
    CROSS JOIN day_parameters
)
SELECT
    * EXCLUDE (net_unit_price, has_one_currency),
    -- A price or quantity too large for the column is data, not a reason to lose the day: it becomes null.
    TRY_CAST(net_unit_price AS DECIMAL(18, 4)) AS net_unit_price,
    CASE
        WHEN NOT is_collision AND has_one_currency THEN TRY_CAST(quantity * net_unit_price AS DECIMAL(18, 4))
    END AS revenue
FROM netted
