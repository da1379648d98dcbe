-- Where the gateway records what outlives a transaction; the system views read from here.
create schema if not exists redshift_internal;
grant usage on schema redshift_internal to public;
create table if not exists redshift_internal.query (
    query_id bigint, session_id integer, transaction_id bigint, username text, database_name text, query_type text,
    query_text text, start_time timestamp, end_time timestamp, returned_rows bigint, returned_bytes bigint,
    error_message text, queued_s double precision, table_name text);
alter table redshift_internal.query add column if not exists queued_s double precision;
alter table redshift_internal.query add column if not exists table_name text;
create table if not exists redshift_internal.load (
    query_id bigint, session_id integer, transaction_id bigint, username text, database_name text, table_name text,
    data_source text, file_format text, status text, loaded_rows bigint, source_bytes bigint, start_time timestamp,
    end_time timestamp);
create table if not exists redshift_internal.load_file (
    query_id bigint, file_name text, loaded_rows bigint, source_bytes bigint,
    recorded_at timestamp default (clock_timestamp() at time zone 'UTC'));
alter table redshift_internal.load_file add column if not exists username text;
create table if not exists redshift_internal.load_error (
    query_id bigint, session_id integer, transaction_id bigint, table_name text, file_name text, line_number bigint,
    position integer, column_name text, column_type text, column_length text, raw_line text, raw_value text,
    error_code integer, error_message text, start_time timestamp default (clock_timestamp() at time zone 'UTC'));
alter table redshift_internal.load_error add column if not exists username text;
create table if not exists redshift_internal.connection (
    event text, recorded_at timestamp, remote_host text, remote_port text, session_id integer, database_name text, username text,
    auth_method text, duration_us bigint, ssl_version text, ssl_cipher text, application_name text, os_version text,
    driver_version text, plugin_name text, protocol_version integer);
-- Whose session a backend's is that another user than the gateway's logged in to: PostgreSQL's own views name who opened it.
create unlogged table if not exists redshift_internal.session (pid integer primary key, began_at timestamptz, username text);
create table if not exists redshift_internal.version (version text);

-- What tables declare and PostgreSQL does not have (`harness.redshift.declared`); one row for every table made here.
create table if not exists redshift_internal.relation (
    relid oid primary key, made_by xid8, made_at timestamp, style text default 'AUTO', interleaved boolean default false,
    sort_auto boolean default true);
create table if not exists redshift_internal.relation_column (
    relid oid, attnum smallint, encoding text, distkey boolean default false, sortkey integer default 0,
    nullable boolean default false,  -- an identity column, which is NOT NULL in PostgreSQL only
    primary key (relid, attnum));
create sequence if not exists redshift_internal.key_oid minvalue 4000000000 maxvalue 4294967295 start 4000000000;
create table if not exists redshift_internal.relation_key (
    oid oid primary key default nextval('redshift_internal.key_oid')::oid, relid oid, name name, contype "char",
    conkey smallint[], confrelid oid, confkey smallint[]);

-- A late-binding view: its query in PostgreSQL's words, what its creator wrote. The view itself is a PostgreSQL view, bound
-- to its tables or not (`late_views.sql`).
create table if not exists redshift_internal.late_view (relid oid primary key, columns text, query text, source text);
-- A materialized view, which Redshift shows as a view: what its creator wrote, and whether it refreshes itself.
create table if not exists redshift_internal.materialized_view (relid oid primary key, source text, autorefresh boolean);
-- The types of a routine's parameters as they were declared (`harness.redshift.routines`).
create table if not exists redshift_internal.routine (oid oid primary key, types text[]);
create or replace view redshift_internal.late_view_name as
    select v.relid, n.nspname as schema_name, c.relname as view_name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) as qualified,
           v.columns, v.query, v.source
      from redshift_internal.late_view v join pg_class c on c.oid = v.relid join pg_namespace n on n.oid = c.relnamespace;
grant select on all tables in schema redshift_internal to public;
-- What a statement declares is recorded in the session of whoever runs it.
grant insert, update, delete on redshift_internal.relation, redshift_internal.relation_column, redshift_internal.relation_key,
    redshift_internal.late_view, redshift_internal.materialized_view, redshift_internal.routine to public;
grant usage on sequence redshift_internal.key_oid to public;
-- "Default permissions for database user groups": every user may create objects in the schema public
grant usage, create on schema public to public;
