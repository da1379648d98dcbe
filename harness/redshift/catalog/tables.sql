-- Where the gateway records what outlives a transaction; the system views read from here.
create schema if not exists redshift_internal;
grant usage on schema redshift_internal to public;
create table if not exists redshift_internal.query (
    query_id bigint, session_id integer, transaction_id bigint, username text, database_name text, query_type text,
    query_text text, start_time timestamp, end_time timestamp, returned_rows bigint, returned_bytes bigint,
    error_message text, queued_s double precision);
alter table redshift_internal.query add column if not exists queued_s double precision;
create table if not exists redshift_internal.load (
    query_id bigint, session_id integer, transaction_id bigint, username text, database_name text, table_name text,
    data_source text, file_format text, status text, loaded_rows bigint, source_bytes bigint, start_time timestamp,
    end_time timestamp);
create table if not exists redshift_internal.load_file (
    query_id bigint, file_name text, loaded_rows bigint, source_bytes bigint,
    recorded_at timestamp default (clock_timestamp() at time zone 'UTC'));
create table if not exists redshift_internal.load_error (
    query_id bigint, session_id integer, transaction_id bigint, table_name text, file_name text, line_number bigint,
    position integer, column_name text, column_type text, column_length text, raw_line text, raw_value text,
    error_code integer, error_message text, start_time timestamp default (clock_timestamp() at time zone 'UTC'));
create table if not exists redshift_internal.version (version text);
grant select on all tables in schema redshift_internal to public;
