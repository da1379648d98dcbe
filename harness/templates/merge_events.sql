-- Merges what is staged in stage.events into public.events. Amazon Redshift's dialect.
-- Run as one transaction, so there is no BEGIN or COMMIT here. Files are staged while it runs, and a file can be staged
-- twice: take note of what is there first, work on that alone, and delete exactly that.

CREATE TEMP TABLE merge_events_taken AS
SELECT DISTINCT source_file, loaded_at
FROM stage.events;

-- The newest version of each key. Ties need a rule, or the outcome changes from run to run.
CREATE TEMP TABLE merge_events_newest AS
SELECT
    event_id,
    kind,
    amount,
    customer,
    happened_on,
    updated_at,
    source_file,
    source_row,
    loaded_at,
    SYSDATE AS merged_at
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.event_id
            ORDER BY staged.updated_at DESC, staged.source_file DESC, staged.source_row DESC, staged.loaded_at
        ) AS recency
    FROM stage.events AS staged
    INNER JOIN merge_events_taken AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
) AS ranked
WHERE recency = 1;

-- What the final table has as new or newer stays as it is: MERGE takes no condition of its own.
DELETE FROM merge_events_newest
USING public.events
WHERE merge_events_newest.event_id = events.event_id
    AND merge_events_newest.updated_at <= events.updated_at;

MERGE INTO public.events
USING merge_events_newest
ON events.event_id = merge_events_newest.event_id
WHEN MATCHED THEN UPDATE SET
    kind = merge_events_newest.kind,
    amount = merge_events_newest.amount,
    customer = merge_events_newest.customer,
    happened_on = merge_events_newest.happened_on,
    updated_at = merge_events_newest.updated_at,
    source_file = merge_events_newest.source_file,
    source_row = merge_events_newest.source_row,
    loaded_at = merge_events_newest.loaded_at,
    merged_at = merge_events_newest.merged_at
WHEN NOT MATCHED THEN INSERT (
    event_id,
    kind,
    amount,
    customer,
    happened_on,
    updated_at,
    source_file,
    source_row,
    loaded_at,
    merged_at
)
VALUES (
    merge_events_newest.event_id,
    merge_events_newest.kind,
    merge_events_newest.amount,
    merge_events_newest.customer,
    merge_events_newest.happened_on,
    merge_events_newest.updated_at,
    merge_events_newest.source_file,
    merge_events_newest.source_row,
    merge_events_newest.loaded_at,
    merge_events_newest.merged_at
);

DELETE FROM stage.events
USING merge_events_taken
WHERE events.source_file = merge_events_taken.source_file
    AND events.loaded_at = merge_events_taken.loaded_at;

DROP TABLE merge_events_newest;

DROP TABLE merge_events_taken;
