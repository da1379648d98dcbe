-- Merges what is staged in stage.payments into public.payments. Amazon Redshift's dialect.
-- Run as one transaction, so there is no BEGIN or COMMIT here.
--
-- It takes the loads (a file, loaded at a time) that are staged when it begins, works on those alone and deletes
-- exactly those. A load commits as a whole, so what arrives meanwhile stays for the next run: under SNAPSHOT isolation,
-- where this transaction does not see it, as under READ COMMITTED, where its load is not among those taken.
--
-- Of each key the newest booked_at wins, be it staged or in the final table already. A tie goes to the last file by
-- name, then to its last row: the outcome does not depend on the order of arrival, and a file delivered again changes
-- nothing.

CREATE TEMP TABLE merge_payments_taken DISTSTYLE ALL AS
SELECT DISTINCT source_file, loaded_at
FROM stage.payments;

-- The keys that need a decision: staged more than once, or in the final table already. One too many does no harm.
CREATE TEMP TABLE merge_payments_contested DISTKEY (payment_id) AS
SELECT payment_id
FROM stage.payments
GROUP BY payment_id
HAVING COUNT(*) > 1
UNION
SELECT staged.payment_id
FROM stage.payments AS staged
INNER JOIN public.payments AS merged
    ON staged.payment_id = merged.payment_id;

-- Their newest versions, where those are newer than what the final table has.
CREATE TEMP TABLE merge_payments_newest DISTKEY (payment_id) AS
SELECT
    ranked.payment_id,
    ranked.order_id,
    ranked.method,
    ranked.amount,
    ranked.fee,
    ranked.iban,
    ranked.note,
    ranked.booked_on,
    ranked.booked_at,
    ranked.source_file,
    ranked.source_row,
    ranked.loaded_at,
    SYSDATE AS merged_at
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.payment_id
            ORDER BY staged.booked_at DESC, staged.source_file DESC, staged.source_row DESC, staged.loaded_at
        ) AS recency
    FROM stage.payments AS staged
    INNER JOIN merge_payments_taken AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
    INNER JOIN merge_payments_contested AS contested
        ON staged.payment_id = contested.payment_id
) AS ranked
LEFT JOIN public.payments AS merged
    ON ranked.payment_id = merged.payment_id
WHERE ranked.recency = 1
    AND (
        merged.payment_id IS NULL
        OR ranked.booked_at > merged.booked_at
        OR (ranked.booked_at = merged.booked_at AND ranked.source_file > merged.source_file)
        OR (
            ranked.booked_at = merged.booked_at
            AND ranked.source_file = merged.source_file
            AND ranked.source_row > merged.source_row
        )
    );

-- Most rows: the only ones of their key.
INSERT INTO public.payments (
    payment_id,
    order_id,
    method,
    amount,
    fee,
    iban,
    note,
    booked_on,
    booked_at,
    source_file,
    source_row,
    loaded_at,
    merged_at
)
SELECT
    staged.payment_id,
    staged.order_id,
    staged.method,
    staged.amount,
    staged.fee,
    staged.iban,
    staged.note,
    staged.booked_on,
    staged.booked_at,
    staged.source_file,
    staged.source_row,
    staged.loaded_at,
    SYSDATE
FROM stage.payments AS staged
INNER JOIN merge_payments_taken AS taken
    ON staged.source_file = taken.source_file
    AND staged.loaded_at = taken.loaded_at
LEFT JOIN merge_payments_contested AS contested
    ON staged.payment_id = contested.payment_id
WHERE contested.payment_id IS NULL;

MERGE INTO public.payments
USING merge_payments_newest
ON payments.payment_id = merge_payments_newest.payment_id
WHEN MATCHED THEN UPDATE SET
    order_id = merge_payments_newest.order_id,
    method = merge_payments_newest.method,
    amount = merge_payments_newest.amount,
    fee = merge_payments_newest.fee,
    iban = merge_payments_newest.iban,
    note = merge_payments_newest.note,
    booked_on = merge_payments_newest.booked_on,
    booked_at = merge_payments_newest.booked_at,
    source_file = merge_payments_newest.source_file,
    source_row = merge_payments_newest.source_row,
    loaded_at = merge_payments_newest.loaded_at,
    merged_at = merge_payments_newest.merged_at
WHEN NOT MATCHED THEN INSERT (
    payment_id,
    order_id,
    method,
    amount,
    fee,
    iban,
    note,
    booked_on,
    booked_at,
    source_file,
    source_row,
    loaded_at,
    merged_at
)
VALUES (
    merge_payments_newest.payment_id,
    merge_payments_newest.order_id,
    merge_payments_newest.method,
    merge_payments_newest.amount,
    merge_payments_newest.fee,
    merge_payments_newest.iban,
    merge_payments_newest.note,
    merge_payments_newest.booked_on,
    merge_payments_newest.booked_at,
    merge_payments_newest.source_file,
    merge_payments_newest.source_row,
    merge_payments_newest.loaded_at,
    merge_payments_newest.merged_at
);

DELETE FROM stage.payments
USING merge_payments_taken
WHERE payments.source_file = merge_payments_taken.source_file
    AND payments.loaded_at = merge_payments_taken.loaded_at;

DROP TABLE merge_payments_newest;

DROP TABLE merge_payments_contested;

DROP TABLE merge_payments_taken;
