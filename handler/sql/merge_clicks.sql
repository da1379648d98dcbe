-- Merge of the staged clicks into public.clicks. Amazon Redshift's dialect; run as one transaction, without BEGIN or COMMIT.
--
-- It takes the loads (a file, loaded at a time) that are staged when it begins, works on those alone and deletes exactly
-- those. A load commits whole, so rows that arrive meanwhile stay for the next run, under SNAPSHOT isolation (where this
-- transaction does not see them) as under READ COMMITTED (where their load is not among those taken).
-- Of each key the newest clicked_at wins. A tie goes to the last file by name, then its last row, so the outcome does not
-- depend on which merge saw which file first. A file delivered again changes nothing.

CREATE TEMP TABLE merge_clicks_loads DISTSTYLE ALL AS
SELECT DISTINCT source_file, loaded_at
FROM stage.clicks;

-- One row of each key: its newest version among what was taken.
CREATE TEMP TABLE merge_clicks_newest DISTKEY (click_id) AS
SELECT
    click_id,
    session_id,
    url,
    referrer,
    user_agent,
    country,
    dwell_ms,
    converted,
    clicked_at,
    source_file,
    source_row,
    loaded_at,
    SYSDATE AS merged_at
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.click_id
            ORDER BY staged.clicked_at DESC, staged.source_file DESC, staged.source_row DESC, staged.loaded_at
        ) AS recency
    FROM stage.clicks AS staged
    INNER JOIN merge_clicks_loads AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
) AS ranked
WHERE recency = 1;

-- What the final table has as new or newer stays as it is: MERGE takes no condition of its own.
DELETE FROM merge_clicks_newest
USING public.clicks
WHERE merge_clicks_newest.click_id = clicks.click_id
    AND (
        merge_clicks_newest.clicked_at < clicks.clicked_at
        OR (
            merge_clicks_newest.clicked_at = clicks.clicked_at
            AND (
                merge_clicks_newest.source_file < clicks.source_file
                OR (
                    merge_clicks_newest.source_file = clicks.source_file
                    AND merge_clicks_newest.source_row <= clicks.source_row
                )
            )
        )
    );

MERGE INTO public.clicks
USING merge_clicks_newest
ON clicks.click_id = merge_clicks_newest.click_id
WHEN MATCHED THEN UPDATE SET
    session_id = merge_clicks_newest.session_id,
    url = merge_clicks_newest.url,
    referrer = merge_clicks_newest.referrer,
    user_agent = merge_clicks_newest.user_agent,
    country = merge_clicks_newest.country,
    dwell_ms = merge_clicks_newest.dwell_ms,
    converted = merge_clicks_newest.converted,
    clicked_at = merge_clicks_newest.clicked_at,
    source_file = merge_clicks_newest.source_file,
    source_row = merge_clicks_newest.source_row,
    loaded_at = merge_clicks_newest.loaded_at,
    merged_at = merge_clicks_newest.merged_at
WHEN NOT MATCHED THEN INSERT (
    click_id,
    session_id,
    url,
    referrer,
    user_agent,
    country,
    dwell_ms,
    converted,
    clicked_at,
    source_file,
    source_row,
    loaded_at,
    merged_at
)
VALUES (
    merge_clicks_newest.click_id,
    merge_clicks_newest.session_id,
    merge_clicks_newest.url,
    merge_clicks_newest.referrer,
    merge_clicks_newest.user_agent,
    merge_clicks_newest.country,
    merge_clicks_newest.dwell_ms,
    merge_clicks_newest.converted,
    merge_clicks_newest.clicked_at,
    merge_clicks_newest.source_file,
    merge_clicks_newest.source_row,
    merge_clicks_newest.loaded_at,
    merge_clicks_newest.merged_at
);

DELETE FROM stage.clicks
USING merge_clicks_loads
WHERE clicks.source_file = merge_clicks_loads.source_file
    AND clicks.loaded_at = merge_clicks_loads.loaded_at;

DROP TABLE merge_clicks_newest;

DROP TABLE merge_clicks_loads;
