-- Merge of the staged orders into public.orders. Amazon Redshift's dialect; run as one transaction, without BEGIN or COMMIT.
--
-- It takes the loads (a file, loaded at a time) that are staged when it begins, works on those alone and deletes exactly
-- those. A load commits whole, so rows that arrive meanwhile stay for the next run, under SNAPSHOT isolation (where this
-- transaction does not see them) as under READ COMMITTED (where their load is not among those taken).
-- Of each key the newest updated_at wins. A tie goes to the last file by name, then its last row, so the outcome does not
-- depend on which merge saw which file first. A file delivered again changes nothing.

CREATE TEMP TABLE merge_orders_loads DISTSTYLE ALL AS
SELECT DISTINCT source_file, loaded_at
FROM stage.orders;

-- One row of each key: its newest version among what was taken.
CREATE TEMP TABLE merge_orders_newest DISTKEY (order_id) AS
SELECT
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
    SYSDATE AS merged_at
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.order_id
            ORDER BY staged.updated_at DESC, staged.source_file DESC, staged.source_row DESC, staged.loaded_at
        ) AS recency
    FROM stage.orders AS staged
    INNER JOIN merge_orders_loads AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
) AS ranked
WHERE recency = 1;

-- What the final table has as new or newer stays as it is: MERGE takes no condition of its own.
DELETE FROM merge_orders_newest
USING public.orders
WHERE merge_orders_newest.order_id = orders.order_id
    AND (
        merge_orders_newest.updated_at < orders.updated_at
        OR (
            merge_orders_newest.updated_at = orders.updated_at
            AND (
                merge_orders_newest.source_file < orders.source_file
                OR (
                    merge_orders_newest.source_file = orders.source_file
                    AND merge_orders_newest.source_row <= orders.source_row
                )
            )
        )
    );

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
USING merge_orders_loads
WHERE orders.source_file = merge_orders_loads.source_file
    AND orders.loaded_at = merge_orders_loads.loaded_at;

DROP TABLE merge_orders_newest;

DROP TABLE merge_orders_loads;
