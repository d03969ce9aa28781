-- The published orders of D.
SELECT ${columns}
FROM resolved_orders
ORDER BY event_ts ASC, order_id ASC, variant ASC
