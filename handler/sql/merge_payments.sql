-- Merge of the staged payments into public.payments. Amazon Redshift's dialect; run as one transaction, without BEGIN or COMMIT.
--
-- It takes the loads (a file, loaded at a time) that are staged when it begins, works on those alone and deletes exactly
-- those. A load commits whole, so rows that arrive meanwhile stay for the next run, under SNAPSHOT isolation (where this
-- transaction does not see them) as under READ COMMITTED (where their load is not among those taken).
-- Of each key the newest booked_at wins. A tie goes to the last file by name, then its last row, so the outcome does not
-- depend on which merge saw which file first. A file delivered again changes nothing.

CREATE TEMP TABLE merge_payments_loads DISTSTYLE ALL AS
SELECT DISTINCT source_file, loaded_at
FROM stage.payments;

-- One row of each key: its newest version among what was taken.
CREATE TEMP TABLE merge_payments_newest DISTKEY (payment_id) AS
SELECT
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
    SYSDATE AS merged_at
FROM (
    SELECT
        staged.*,
        ROW_NUMBER() OVER (
            PARTITION BY staged.payment_id
            ORDER BY staged.booked_at DESC, staged.source_file DESC, staged.source_row DESC, staged.loaded_at
        ) AS recency
    FROM stage.payments AS staged
    INNER JOIN merge_payments_loads AS taken
        ON staged.source_file = taken.source_file
        AND staged.loaded_at = taken.loaded_at
) AS ranked
WHERE recency = 1;

-- What the final table has as new or newer stays as it is: MERGE takes no condition of its own.
DELETE FROM merge_payments_newest
USING public.payments
WHERE merge_payments_newest.payment_id = payments.payment_id
    AND (
        merge_payments_newest.booked_at < payments.booked_at
        OR (
            merge_payments_newest.booked_at = payments.booked_at
            AND (
                merge_payments_newest.source_file < payments.source_file
                OR (
                    merge_payments_newest.source_file = payments.source_file
                    AND merge_payments_newest.source_row <= payments.source_row
                )
            )
        )
    );

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
USING merge_payments_loads
WHERE payments.source_file = merge_payments_loads.source_file
    AND payments.loaded_at = merge_payments_loads.loaded_at;

DROP TABLE merge_payments_newest;

DROP TABLE merge_payments_loads;
