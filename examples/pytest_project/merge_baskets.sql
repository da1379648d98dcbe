-- Baskets are never changed, so the merge only adds those that are not there yet. One transaction, Redshift's dialect.

CREATE TEMP TABLE taken AS
SELECT DISTINCT source_file, loaded_at
FROM stage.baskets;

INSERT INTO public.baskets
SELECT basket_id, customer, items, gift, updated_at, source_file, source_row, loaded_at, SYSDATE
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (PARTITION BY basket_id ORDER BY staged.source_file, source_row, staged.loaded_at) AS place
    FROM stage.baskets AS staged
    INNER JOIN taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
) AS ranked
WHERE place = 1
    AND NOT EXISTS (SELECT 1 FROM public.baskets AS final WHERE final.basket_id = ranked.basket_id);

DELETE FROM stage.baskets
USING taken
WHERE baskets.source_file = taken.source_file
    AND baskets.loaded_at = taken.loaded_at;

DROP TABLE taken;
