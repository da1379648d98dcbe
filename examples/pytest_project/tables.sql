CREATE SCHEMA IF NOT EXISTS stage;

CREATE TABLE IF NOT EXISTS stage.baskets (
    basket_id bigint NOT NULL,
    customer varchar(128),
    items integer,
    gift boolean,
    updated_at timestamp,
    source_file varchar(1024) NOT NULL,
    source_row bigint NOT NULL,
    loaded_at timestamp NOT NULL
)
SORTKEY (loaded_at);

CREATE TABLE IF NOT EXISTS public.baskets (
    basket_id bigint NOT NULL,
    customer varchar(128),
    items integer,
    gift boolean,
    updated_at timestamp,
    source_file varchar(1024) NOT NULL,
    source_row bigint NOT NULL,
    loaded_at timestamp NOT NULL,
    merged_at timestamp NOT NULL,
    PRIMARY KEY (basket_id)
)
DISTKEY (basket_id)
SORTKEY (basket_id);
