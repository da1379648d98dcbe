-- Merges what is staged in stage.clicks into public.clicks. Amazon Redshift's dialect.
-- Run as one transaction, so there is no BEGIN or COMMIT here.
--
-- It takes the loads (a file, loaded at a time) that are staged when it begins, works on those alone and deletes
-- exactly those. A load commits as a whole, so what arrives meanwhile stays for the next run: under SNAPSHOT isolation,
-- where this transaction does not see it, as under READ COMMITTED, where its load is not among those taken.
--
-- Of each key the newest clicked_at wins, be it staged or in the final table already. A tie goes to the last file by
-- name, then to its last row: the outcome does not depend on the order of arrival, and a file delivered again changes
-- nothing.

CREATE TEMP TABLE merge_clicks_taken DISTSTYLE ALL AS
SELECT DISTINCT source_file, loaded_at
FROM stage.clicks;

-- The keys that need a decision: staged more than once, or in the final table already. One too many does no harm.
CREATE TEMP TABLE merge_clicks_contested DISTKEY (click_id) AS
SELECT click_id
FROM stage.clicks
GROUP BY click_id
HAVING COUNT(*) > 1
UNION
SELECT staged.click_id
FROM stage.clicks AS staged
INNER JOIN public.clicks AS merged
    ON staged.click_id = merged.click_id;

-- Their newest versions, where those are newer than what the final table has.
CREATE TEMP TABLE merge_clicks_newest DISTKEY (click_id) AS
SELECT
    ranked.click_id,
    ranked.session_id,
    ranked.url,
    ranked.referrer,
    ranked.user_agent,
    ranked.country,
    ranked.dwell_ms,
    ranked.converted,
    ranked.clicked_at,
    ranked.source_file,
    ranked.source_row,
    ranked.loaded_at,
    SYSDATE AS merged_at
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.click_id
            ORDER BY staged.clicked_at DESC, staged.source_file DESC, staged.source_row DESC, staged.loaded_at
        ) AS recency
    FROM stage.clicks AS staged
    INNER JOIN merge_clicks_taken AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
    INNER JOIN merge_clicks_contested AS contested
        ON staged.click_id = contested.click_id
) AS ranked
LEFT JOIN public.clicks AS merged
    ON ranked.click_id = merged.click_id
WHERE ranked.recency = 1
    AND (
        merged.click_id IS NULL
        OR ranked.clicked_at > merged.clicked_at
        OR (ranked.clicked_at = merged.clicked_at AND ranked.source_file > merged.source_file)
        OR (
            ranked.clicked_at = merged.clicked_at
            AND ranked.source_file = merged.source_file
            AND ranked.source_row > merged.source_row
        )
    );

-- Most rows: the only ones of their key.
INSERT INTO public.clicks (
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
SELECT
    staged.click_id,
    staged.session_id,
    staged.url,
    staged.referrer,
    staged.user_agent,
    staged.country,
    staged.dwell_ms,
    staged.converted,
    staged.clicked_at,
    staged.source_file,
    staged.source_row,
    staged.loaded_at,
    SYSDATE
FROM stage.clicks AS staged
INNER JOIN merge_clicks_taken AS taken
    ON staged.source_file = taken.source_file
    AND staged.loaded_at = taken.loaded_at
LEFT JOIN merge_clicks_contested AS contested
    ON staged.click_id = contested.click_id
WHERE contested.click_id IS NULL;

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
USING merge_clicks_taken
WHERE clicks.source_file = merge_clicks_taken.source_file
    AND clicks.loaded_at = merge_clicks_taken.loaded_at;

DROP TABLE merge_clicks_newest;

DROP TABLE merge_clicks_contested;

DROP TABLE merge_clicks_taken;
