-- Merges what is staged in stage.inventory into public.inventory. Amazon Redshift's dialect.
-- Run as one transaction, so there is no BEGIN or COMMIT here.
--
-- It takes the loads (a file, loaded at a time) that are staged when it begins, works on those alone and deletes
-- exactly those. A load commits as a whole, so what arrives meanwhile stays for the next run: under SNAPSHOT isolation,
-- where this transaction does not see it, as under READ COMMITTED, where its load is not among those taken.
--
-- Of each key the newest counted_at wins, be it staged or in the final table already. A tie goes to the last file by
-- name, then to its last row: the outcome does not depend on the order of arrival, and a file delivered again changes
-- nothing.

CREATE TEMP TABLE merge_inventory_taken DISTSTYLE ALL AS
SELECT DISTINCT source_file, loaded_at
FROM stage.inventory;

-- The keys that need a decision: staged more than once, or in the final table already. One too many does no harm.
CREATE TEMP TABLE merge_inventory_contested DISTKEY (sku) AS
SELECT warehouse, sku
FROM stage.inventory
GROUP BY warehouse, sku
HAVING COUNT(*) > 1
UNION
SELECT staged.warehouse, staged.sku
FROM stage.inventory AS staged
INNER JOIN public.inventory AS merged
    ON staged.warehouse = merged.warehouse
    AND staged.sku = merged.sku;

-- Their newest versions, where those are newer than what the final table has.
CREATE TEMP TABLE merge_inventory_newest DISTKEY (sku) AS
SELECT
    ranked.warehouse,
    ranked.sku,
    ranked.description,
    ranked.on_hand,
    ranked.reserved,
    ranked.unit_cost,
    ranked.counted_at,
    ranked.source_file,
    ranked.source_row,
    ranked.loaded_at,
    SYSDATE AS merged_at
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.warehouse, staged.sku
            ORDER BY staged.counted_at DESC, staged.source_file DESC, staged.source_row DESC, staged.loaded_at
        ) AS recency
    FROM stage.inventory AS staged
    INNER JOIN merge_inventory_taken AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
    INNER JOIN merge_inventory_contested AS contested
        ON staged.warehouse = contested.warehouse
        AND staged.sku = contested.sku
) AS ranked
LEFT JOIN public.inventory AS merged
    ON ranked.warehouse = merged.warehouse
    AND ranked.sku = merged.sku
WHERE ranked.recency = 1
    AND (
        merged.warehouse IS NULL
        OR ranked.counted_at > merged.counted_at
        OR (ranked.counted_at = merged.counted_at AND ranked.source_file > merged.source_file)
        OR (
            ranked.counted_at = merged.counted_at
            AND ranked.source_file = merged.source_file
            AND ranked.source_row > merged.source_row
        )
    );

-- Most rows: the only ones of their key.
INSERT INTO public.inventory (
    warehouse,
    sku,
    description,
    on_hand,
    reserved,
    unit_cost,
    counted_at,
    source_file,
    source_row,
    loaded_at,
    merged_at
)
SELECT
    staged.warehouse,
    staged.sku,
    staged.description,
    staged.on_hand,
    staged.reserved,
    staged.unit_cost,
    staged.counted_at,
    staged.source_file,
    staged.source_row,
    staged.loaded_at,
    SYSDATE
FROM stage.inventory AS staged
INNER JOIN merge_inventory_taken AS taken
    ON staged.source_file = taken.source_file
    AND staged.loaded_at = taken.loaded_at
LEFT JOIN merge_inventory_contested AS contested
    ON staged.warehouse = contested.warehouse
    AND staged.sku = contested.sku
WHERE contested.warehouse IS NULL;

MERGE INTO public.inventory
USING merge_inventory_newest
ON inventory.warehouse = merge_inventory_newest.warehouse
    AND inventory.sku = merge_inventory_newest.sku
WHEN MATCHED THEN UPDATE SET
    description = merge_inventory_newest.description,
    on_hand = merge_inventory_newest.on_hand,
    reserved = merge_inventory_newest.reserved,
    unit_cost = merge_inventory_newest.unit_cost,
    counted_at = merge_inventory_newest.counted_at,
    source_file = merge_inventory_newest.source_file,
    source_row = merge_inventory_newest.source_row,
    loaded_at = merge_inventory_newest.loaded_at,
    merged_at = merge_inventory_newest.merged_at
WHEN NOT MATCHED THEN INSERT (
    warehouse,
    sku,
    description,
    on_hand,
    reserved,
    unit_cost,
    counted_at,
    source_file,
    source_row,
    loaded_at,
    merged_at
)
VALUES (
    merge_inventory_newest.warehouse,
    merge_inventory_newest.sku,
    merge_inventory_newest.description,
    merge_inventory_newest.on_hand,
    merge_inventory_newest.reserved,
    merge_inventory_newest.unit_cost,
    merge_inventory_newest.counted_at,
    merge_inventory_newest.source_file,
    merge_inventory_newest.source_row,
    merge_inventory_newest.loaded_at,
    merge_inventory_newest.merged_at
);

DELETE FROM stage.inventory
USING merge_inventory_taken
WHERE inventory.source_file = merge_inventory_taken.source_file
    AND inventory.loaded_at = merge_inventory_taken.loaded_at;

DROP TABLE merge_inventory_newest;

DROP TABLE merge_inventory_contested;

DROP TABLE merge_inventory_taken;
