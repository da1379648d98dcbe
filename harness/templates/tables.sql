-- Stage and final tables, in Amazon Redshift's dialect. It is run at every start, so everything says IF NOT EXISTS.
--
-- Both hold the columns of pipeline.toml in the same order, then where a row came from. COPY from Parquet goes by
-- position, so the order is a contract. The final table adds when a row was merged.

CREATE SCHEMA IF NOT EXISTS stage;

CREATE TABLE IF NOT EXISTS stage.events (
    event_id bigint NOT NULL,
    kind varchar(16),
    amount numeric(12,2),
    customer varchar(128),
    happened_on date,
    updated_at timestamp NOT NULL,
    source_file varchar(1024) NOT NULL,
    source_row bigint NOT NULL,
    loaded_at timestamp NOT NULL
)
DISTKEY (event_id)
SORTKEY (loaded_at);

-- Redshift does not enforce PRIMARY KEY; it is declared for the planner, and the merge keeps it true.
CREATE TABLE IF NOT EXISTS public.events (
    event_id bigint NOT NULL,
    kind varchar(16),
    amount numeric(12,2),
    customer varchar(128),
    happened_on date,
    updated_at timestamp NOT NULL,
    source_file varchar(1024) NOT NULL,
    source_row bigint NOT NULL,
    loaded_at timestamp NOT NULL,
    merged_at timestamp NOT NULL,
    PRIMARY KEY (event_id)
)
DISTKEY (event_id)
SORTKEY (event_id);
