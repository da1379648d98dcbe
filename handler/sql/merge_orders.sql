-- Merges what is staged in stage.orders into public.orders. Amazon Redshift's dialect.
-- Run as one transaction, so there is no BEGIN or COMMIT here.
--
-- It takes the loads (a file, loaded at a time) that are staged when it begins, works on those alone and deletes
-- exactly those. A load commits as a whole, so what arrives meanwhile stays for the next run: under SNAPSHOT isolation,
-- where this transaction does not see it, as under READ COMMITTED, where its load is not among those taken.
--
-- Of each key the newest updated_at wins, be it staged or in the final table already. A tie goes to the last file by
-- name, then to its last row: the outcome does not depend on the order of arrival, and a file delivered again changes
-- nothing.

CREATE TEMP TABLE merge_orders_taken DISTSTYLE ALL AS
SELECT DISTINCT source_file, loaded_at
FROM stage.orders;

-- The keys that need a decision: staged more than once, or in the final table already. One too many does no harm.
CREATE TEMP TABLE merge_orders_contested DISTKEY (order_id) AS
SELECT order_id
FROM stage.orders
GROUP BY order_id
HAVING COUNT(*) > 1
UNION
SELECT staged.order_id
FROM stage.orders AS staged
INNER JOIN public.orders AS merged
    ON staged.order_id = merged.order_id;

-- Their newest versions, where those are newer than what the final table has.
CREATE TEMP TABLE merge_orders_newest DISTKEY (order_id) AS
SELECT
    ranked.order_id,
    ranked.customer_id,
    ranked.status,
    ranked.amount,
    ranked.currency,
    ranked.customer_name,
    ranked.city,
    ranked.gift,
    ranked.ordered_on,
    ranked.updated_at,
    ranked.source_file,
    ranked.source_row,
    ranked.loaded_at,
    SYSDATE AS merged_at
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.order_id
            ORDER BY staged.updated_at DESC, staged.source_file DESC, staged.source_row DESC, staged.loaded_at
        ) AS recency
    FROM stage.orders AS staged
    INNER JOIN merge_orders_taken AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
    INNER JOIN merge_orders_contested AS contested
        ON staged.order_id = contested.order_id
) AS ranked
LEFT JOIN public.orders AS merged
    ON ranked.order_id = merged.order_id
WHERE ranked.recency = 1
    AND (
        merged.order_id IS NULL
        OR ranked.updated_at > merged.updated_at
        OR (ranked.updated_at = merged.updated_at AND ranked.source_file > merged.source_file)
        OR (
            ranked.updated_at = merged.updated_at
            AND ranked.source_file = merged.source_file
            AND ranked.source_row > merged.source_row
        )
    );

-- Most rows: the only ones of their key.
INSERT INTO public.orders (
    order_id,
    customer_id,
    status,
    amount,
    currency,
    customer_name,
    city,
    gift,
    ordered_on,
    updated_at,
    source_file,
    source_row,
    loaded_at,
    merged_at
)
SELECT
    staged.order_id,
    staged.customer_id,
    staged.status,
    staged.amount,
    staged.currency,
    staged.customer_name,
    staged.city,
    staged.gift,
    staged.ordered_on,
    staged.updated_at,
    staged.source_file,
    staged.source_row,
    staged.loaded_at,
    SYSDATE
FROM stage.orders AS staged
INNER JOIN merge_orders_taken AS taken
    ON staged.source_file = taken.source_file
    AND staged.loaded_at = taken.loaded_at
LEFT JOIN merge_orders_contested AS contested
    ON staged.order_id = contested.order_id
WHERE contested.order_id IS NULL;

MERGE INTO public.orders
USING merge_orders_newest
ON orders.order_id = merge_orders_newest.order_id
WHEN MATCHED THEN UPDATE SET
    customer_id = merge_orders_newest.customer_id,
    status = merge_orders_newest.status,
    amount = merge_orders_newest.amount,
    currency = merge_orders_newest.currency,
    customer_name = merge_orders_newest.customer_name,
    city = merge_orders_newest.city,
    gift = merge_orders_newest.gift,
    ordered_on = merge_orders_newest.ordered_on,
    updated_at = merge_orders_newest.updated_at,
    source_file = merge_orders_newest.source_file,
    source_row = merge_orders_newest.source_row,
    loaded_at = merge_orders_newest.loaded_at,
    merged_at = merge_orders_newest.merged_at
WHEN NOT MATCHED THEN INSERT (
    order_id,
    customer_id,
    status,
    amount,
    currency,
    customer_name,
    city,
    gift,
    ordered_on,
    updated_at,
    source_file,
    source_row,
    loaded_at,
    merged_at
)
VALUES (
    merge_orders_newest.order_id,
    merge_orders_newest.customer_id,
    merge_orders_newest.status,
    merge_orders_newest.amount,
    merge_orders_newest.currency,
    merge_orders_newest.customer_name,
    merge_orders_newest.city,
    merge_orders_newest.gift,
    merge_orders_newest.ordered_on,
    merge_orders_newest.updated_at,
    merge_orders_newest.source_file,
    merge_orders_newest.source_row,
    merge_orders_newest.loaded_at,
    merge_orders_newest.merged_at
);

DELETE FROM stage.orders
USING merge_orders_taken
WHERE orders.source_file = merge_orders_taken.source_file
    AND orders.loaded_at = merge_orders_taken.loaded_at;

DROP TABLE merge_orders_newest;

DROP TABLE merge_orders_contested;

DROP TABLE merge_orders_taken;
