-- Merge of the staged inventory into public.inventory. Amazon Redshift's dialect; run as one transaction, without BEGIN or COMMIT.
--
-- It takes the loads (a file, loaded at a time) that are staged when it begins, works on those alone and deletes exactly
-- those. A load commits whole, so rows that arrive meanwhile stay for the next run, under SNAPSHOT isolation (where this
-- transaction does not see them) as under READ COMMITTED (where their load is not among those taken).
-- Of each key the newest counted_at wins. A tie goes to the last file by name, then its last row, so the outcome does not
-- depend on which merge saw which file first. A file delivered again changes nothing.

CREATE TEMP TABLE merge_inventory_loads DISTSTYLE ALL AS
SELECT DISTINCT source_file, loaded_at
FROM stage.inventory;

-- One row of each key: its newest version among what was taken.
CREATE TEMP TABLE merge_inventory_newest DISTKEY (sku) AS
SELECT
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
    SYSDATE AS merged_at
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.warehouse, staged.sku
            ORDER BY staged.counted_at DESC, staged.source_file DESC, staged.source_row DESC, staged.loaded_at
        ) AS recency
    FROM stage.inventory AS staged
    INNER JOIN merge_inventory_loads AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
) AS ranked
WHERE recency = 1;

-- What the final table has as new or newer stays as it is: MERGE takes no condition of its own.
DELETE FROM merge_inventory_newest
USING public.inventory
WHERE merge_inventory_newest.warehouse = inventory.warehouse
    AND merge_inventory_newest.sku = inventory.sku
    AND (
        merge_inventory_newest.counted_at < inventory.counted_at
        OR (
            merge_inventory_newest.counted_at = inventory.counted_at
            AND (
                merge_inventory_newest.source_file < inventory.source_file
                OR (
                    merge_inventory_newest.source_file = inventory.source_file
                    AND merge_inventory_newest.source_row <= inventory.source_row
                )
            )
        )
    );

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
USING merge_inventory_loads
WHERE inventory.source_file = merge_inventory_loads.source_file
    AND inventory.loaded_at = merge_inventory_loads.loaded_at;

DROP TABLE merge_inventory_newest;

DROP TABLE merge_inventory_loads;
