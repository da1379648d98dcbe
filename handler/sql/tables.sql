-- Stage and final tables of the four types, in Amazon Redshift's dialect. Safe to run again.
--
-- Stage tables take what the handler loads: the type's columns in the order of pipeline.toml, then where each row came
-- from. Parquet COPY goes by position, so this order is a contract. A final table adds when its row was merged.
-- Keys and versions are NOT NULL: a file without them fails as a whole and reaches its dead letter queue.
-- Redshift does not enforce PRIMARY KEY. It is declared for the planner; the merge keeps it true.
-- A type's two tables are distributed by the same column, so the merge joins without moving rows between slices.

CREATE SCHEMA IF NOT EXISTS stage;

CREATE TABLE IF NOT EXISTS stage.orders (
    order_id bigint NOT NULL ENCODE az64,
    customer_id bigint ENCODE az64,
    status varchar(16) ENCODE bytedict,
    amount numeric(12,2) ENCODE az64,
    currency char(3) ENCODE bytedict,
    customer_name varchar(128) ENCODE zstd,
    city varchar(128) ENCODE zstd,
    gift boolean ENCODE zstd,
    ordered_on date ENCODE az64,
    updated_at timestamp NOT NULL ENCODE az64,
    source_file varchar(1024) NOT NULL ENCODE zstd,
    source_row bigint NOT NULL ENCODE az64,
    loaded_at timestamp NOT NULL ENCODE raw
)
DISTSTYLE KEY
DISTKEY (order_id)
SORTKEY (loaded_at);

CREATE TABLE IF NOT EXISTS public.orders (
    order_id bigint NOT NULL ENCODE raw,
    customer_id bigint ENCODE az64,
    status varchar(16) ENCODE bytedict,
    amount numeric(12,2) ENCODE az64,
    currency char(3) ENCODE bytedict,
    customer_name varchar(128) ENCODE zstd,
    city varchar(128) ENCODE zstd,
    gift boolean ENCODE zstd,
    ordered_on date ENCODE az64,
    updated_at timestamp NOT NULL ENCODE az64,
    source_file varchar(1024) NOT NULL ENCODE zstd,
    source_row bigint NOT NULL ENCODE az64,
    loaded_at timestamp NOT NULL ENCODE az64,
    merged_at timestamp NOT NULL ENCODE az64,
    PRIMARY KEY (order_id)
)
DISTSTYLE KEY
DISTKEY (order_id)
SORTKEY (order_id);

CREATE TABLE IF NOT EXISTS stage.clicks (
    click_id varchar(40) NOT NULL ENCODE zstd,
    session_id bigint ENCODE az64,
    url varchar(512) ENCODE zstd,
    referrer varchar(512) ENCODE zstd,
    user_agent varchar(512) ENCODE zstd,
    country char(2) ENCODE bytedict,
    dwell_ms integer ENCODE az64,
    converted boolean ENCODE zstd,
    clicked_at timestamp NOT NULL ENCODE az64,
    source_file varchar(1024) NOT NULL ENCODE zstd,
    source_row bigint NOT NULL ENCODE az64,
    loaded_at timestamp NOT NULL ENCODE raw
)
DISTSTYLE KEY
DISTKEY (click_id)
SORTKEY (loaded_at);

CREATE TABLE IF NOT EXISTS public.clicks (
    click_id varchar(40) NOT NULL ENCODE raw,
    session_id bigint ENCODE az64,
    url varchar(512) ENCODE zstd,
    referrer varchar(512) ENCODE zstd,
    user_agent varchar(512) ENCODE zstd,
    country char(2) ENCODE bytedict,
    dwell_ms integer ENCODE az64,
    converted boolean ENCODE zstd,
    clicked_at timestamp NOT NULL ENCODE az64,
    source_file varchar(1024) NOT NULL ENCODE zstd,
    source_row bigint NOT NULL ENCODE az64,
    loaded_at timestamp NOT NULL ENCODE az64,
    merged_at timestamp NOT NULL ENCODE az64,
    PRIMARY KEY (click_id)
)
DISTSTYLE KEY
DISTKEY (click_id)
SORTKEY (click_id);

CREATE TABLE IF NOT EXISTS stage.payments (
    payment_id bigint NOT NULL ENCODE az64,
    order_id bigint ENCODE az64,
    method varchar(24) ENCODE bytedict,
    amount numeric(14,4) ENCODE az64,
    fee double precision ENCODE zstd,
    iban varchar(34) ENCODE zstd,
    note varchar(256) ENCODE zstd,
    booked_on date ENCODE az64,
    booked_at timestamp NOT NULL ENCODE az64,
    source_file varchar(1024) NOT NULL ENCODE zstd,
    source_row bigint NOT NULL ENCODE az64,
    loaded_at timestamp NOT NULL ENCODE raw
)
DISTSTYLE KEY
DISTKEY (payment_id)
SORTKEY (loaded_at);

CREATE TABLE IF NOT EXISTS public.payments (
    payment_id bigint NOT NULL ENCODE raw,
    order_id bigint ENCODE az64,
    method varchar(24) ENCODE bytedict,
    amount numeric(14,4) ENCODE az64,
    fee double precision ENCODE zstd,
    iban varchar(34) ENCODE zstd,
    note varchar(256) ENCODE zstd,
    booked_on date ENCODE az64,
    booked_at timestamp NOT NULL ENCODE az64,
    source_file varchar(1024) NOT NULL ENCODE zstd,
    source_row bigint NOT NULL ENCODE az64,
    loaded_at timestamp NOT NULL ENCODE az64,
    merged_at timestamp NOT NULL ENCODE az64,
    PRIMARY KEY (payment_id)
)
DISTSTYLE KEY
DISTKEY (payment_id)
SORTKEY (payment_id);

-- The key is (warehouse, sku). There are few warehouses, so rows are spread by sku.
CREATE TABLE IF NOT EXISTS stage.inventory (
    warehouse varchar(32) NOT NULL ENCODE bytedict,
    sku bigint NOT NULL ENCODE az64,
    description varchar(256) ENCODE zstd,
    on_hand integer ENCODE az64,
    reserved integer ENCODE az64,
    unit_cost numeric(12,4) ENCODE az64,
    counted_at timestamp NOT NULL ENCODE az64,
    source_file varchar(1024) NOT NULL ENCODE zstd,
    source_row bigint NOT NULL ENCODE az64,
    loaded_at timestamp NOT NULL ENCODE raw
)
DISTSTYLE KEY
DISTKEY (sku)
SORTKEY (loaded_at);

CREATE TABLE IF NOT EXISTS public.inventory (
    warehouse varchar(32) NOT NULL ENCODE bytedict,
    sku bigint NOT NULL ENCODE raw,
    description varchar(256) ENCODE zstd,
    on_hand integer ENCODE az64,
    reserved integer ENCODE az64,
    unit_cost numeric(12,4) ENCODE az64,
    counted_at timestamp NOT NULL ENCODE az64,
    source_file varchar(1024) NOT NULL ENCODE zstd,
    source_row bigint NOT NULL ENCODE az64,
    loaded_at timestamp NOT NULL ENCODE az64,
    merged_at timestamp NOT NULL ENCODE az64,
    PRIMARY KEY (warehouse, sku)
)
DISTSTYLE KEY
DISTKEY (sku)
COMPOUND SORTKEY (sku, warehouse);
