-- System views. Source: Database Developer Guide, "System tables and views reference". They hold what the stand-in
-- knows; what only a cluster has (slices, disk blocks, compression) is a constant.
do $$
declare
    view text;
begin
    foreach view in array array['stl_load_errors', 'stl_loaderror_detail', 'sys_load_error_detail', 'sys_load_history',
        'stl_load_commits', 'stl_file_scan', 'sys_load_detail', 'stl_query', 'stl_querytext', 'svl_qlog',
        'svl_statementtext', 'sys_query_history', 'sys_query_detail', 'sys_query_text', 'svv_columns', 'svv_tables', 'svv_redshift_columns',
        'svv_redshift_tables', 'svv_redshift_schemas', 'svv_redshift_databases', 'svv_all_columns', 'svv_all_tables',
        'svv_all_schemas', 'svv_table_info', 'svv_transactions', 'svv_external_schemas', 'svv_external_tables',
        'svv_external_columns', 'pg_table_def', 'stv_locks', 'stv_sessions', 'stv_recents', 'stv_inflight',
        'stv_tbl_perm', 'stv_slices', 'pg_user_info', 'svl_user_info', 'svv_user_info', 'stv_wlm_query_state',
        'pg_external_schema', 'svv_diskusage', 'stl_error', 'stl_wlm_query', 'stl_ddltext', 'stl_utilitytext',
        'stl_undone', 'svv_relation_privileges', 'svv_mv_info', 'stv_mv_info', 'stl_connection_log',
        'sys_connection_log'] loop
        execute format('drop view if exists pg_catalog.%I cascade', view);
    end loop;
end $$;

-- "Visibility of data in system tables and views": a superuser sees all rows, others their own, unless they have unrestricted
-- access to the log (CREATE USER) or a role that may read system tables ("Amazon Redshift system-defined roles").
create or replace function redshift_internal.syslog_access(identity oid) returns text language sql stable as $$
    select case when exists (select from pg_catalog.pg_db_role_setting s where s.setrole = identity and s.setdatabase = 0
                              and 'redshift.syslog_access=unrestricted' = any (s.setconfig)) then 'UNRESTRICTED' else 'RESTRICTED' end $$;
create or replace function redshift_internal.sees_all() returns boolean language sql stable as $$
    select r.rolsuper or redshift_internal.syslog_access(r.oid) = 'UNRESTRICTED' or pg_has_role(r.oid, 'sys:monitor', 'member')
        or pg_has_role(r.oid, 'sys:operator', 'member') or pg_has_role(r.oid, 'sys:superuser', 'member')
      from pg_catalog.pg_roles r where r.rolname = session_user $$;
-- The sessions of clients with their users; PostgreSQL shows nothing of them to who is no superuser.
create or replace function redshift_internal.activity() returns table (pid integer, username text, datname name, application_name text,
    backend_start timestamptz, xact_start timestamptz, query_start timestamptz, state text, query text, backend_xid xid)
    language sql stable security definer as $$
    select a.pid, coalesce(s.username, a.usename), a.datname, a.application_name, a.backend_start, a.xact_start, a.query_start, a.state,
           a.query, a.backend_xid
      from pg_catalog.pg_stat_activity a left join redshift_internal.session s on s.pid = a.pid and s.began_at = a.backend_start
     where a.datname is not null and (redshift_internal.sees_all() or coalesce(s.username, a.usename) = session_user) $$;
do $$
declare
    source text;
begin
    foreach source in array array['query', 'load', 'load_file', 'load_error'] loop
        execute format('drop view if exists redshift_internal.%I cascade', 'own_' || source);
        execute format('create view redshift_internal.%I as select s.*, coalesce(r.oid::bigint, 100)::integer as user_id
            from redshift_internal.%I s left join pg_catalog.pg_roles r on r.rolname = s.username
            where (select redshift_internal.sees_all()) or s.username = session_user', 'own_' || source, source);
    end loop;
end $$;

create view pg_catalog.stl_load_errors as
    select e.user_id as userid, 0 as slice, to_regclass(e.table_name)::oid::integer as tbl, e.start_time as starttime,
           e.session_id as session, e.query_id as query, e.file_name::char(256) as filename, e.line_number,
           e.column_name::char(127) as colname, e.column_type::char(10) as type, e.column_length::char(10) as col_length,
           e.position, e.raw_line::char(1024) as raw_line, e.raw_value::char(1024) as raw_field_value,
           e.error_code as err_code, e.error_message::char(100) as err_reason, 0 as is_partial, 0 as start_offset,
           1 as copy_job_id
      from redshift_internal.own_load_error e;
create view pg_catalog.stl_loaderror_detail as
    select userid, slice, session, query, filename, line_number, 1 as field, colname, raw_field_value as value, 0 as is_null,
           type, col_length from pg_catalog.stl_load_errors;
create view pg_catalog.sys_load_error_detail as
    select e.user_id, e.query_id, e.transaction_id, e.session_id, e.database_name, e.table_id,
           e.start_time, e.file_name::char(256) as file_name, e.line_number, e.column_name::char(127) as column_name,
           e.column_type::char(10) as column_type, e.column_length::char(10) as column_length, e.position,
           e.error_code, e.error_message::char(512) as error_message
      from (select *, current_database()::text as database_name, to_regclass(table_name)::oid::integer as table_id
              from redshift_internal.own_load_error) e;
create view pg_catalog.sys_load_history as
    select l.user_id, l.query_id, l.query_id as query_id_first, l.transaction_id, l.session_id, l.database_name,
           l.status, redshift_internal.with_long_names(l.table_name) as table_name, l.start_time, l.end_time,
           (extract(epoch from l.end_time - l.start_time) * 1000000)::bigint as duration, l.data_source, l.file_format,
           l.loaded_rows, l.source_bytes as loaded_bytes, l.source_bytes as source_file_bytes,
           (select count(*) from redshift_internal.load_file f where f.query_id = l.query_id)::integer as source_file_count,
           (select count(*) from redshift_internal.load_file f where f.query_id = l.query_id)::integer as file_count_scanned,
           0 as file_bytes_scanned,
           (select count(*) from redshift_internal.load_error e where e.query_id = l.query_id) as error_count,
           1 as copy_job_id
      from redshift_internal.own_load l;
create view pg_catalog.stl_load_commits as
    select f.user_id as userid, f.query_id as query, 0 as slice, f.file_name::char(256) as name, f.file_name::char(256) as filename,
           0 as byte_offset, f.loaded_rows as lines_scanned, 0 as errors, f.recorded_at as curtime, 1 as status,
           l.file_format::char(16) as file_format, l.status = 'completed' as is_complete
      from redshift_internal.own_load_file f join redshift_internal.own_load l using (query_id)
     where l.status = 'completed';
create view pg_catalog.stl_file_scan as
    select userid, query, slice, name, lines_scanned as lines, 0::bigint as bytes, 0::bigint as loadtime, curtime
      from pg_catalog.stl_load_commits;
create view pg_catalog.sys_load_detail as
    select user_id, query_id, file_name, source_bytes as bytes_scanned, loaded_rows as lines_scanned,
           recorded_at as record_time from redshift_internal.own_load_file;

create view pg_catalog.sys_query_history as
    select q.user_id, q.query_id, null::varchar as query_label, q.transaction_id, q.session_id, q.database_name,
           q.query_type::varchar(32) as query_type, case when q.error_message is null then 'success' else 'failed' end as status,
           false as result_cache_hit, q.start_time, q.end_time,
           (extract(epoch from q.end_time - q.start_time) * 1000000)::bigint as elapsed_time,
           (q.queued_s * 1000000)::bigint as queue_time,
           ((extract(epoch from q.end_time - q.start_time) - q.queued_s) * 1000000)::bigint as execution_time,
           q.error_message::varchar(512) as error_message, q.returned_rows, q.returned_bytes,
           q.query_text::varchar(4000) as query_text, '8.0.2'::varchar as redshift_version, null::varchar as usage_limit,
           'primary'::varchar as compute_type, 0::bigint as compile_time, 0::bigint as planning_time, 0::bigint as lock_wait_time,
           redshift_internal.shown(q.username::name) as username, 'default'::varchar(320) as service_class_name
      from redshift_internal.own_query q;
-- Of the steps of a query only that in which rows are put into a table, which tells when a table last changed; a table that
-- the query named without its schema is not known.
create view pg_catalog.sys_query_detail as
    select q.user_id, q.query_id, 0 as child_query_sequence, 0 as stream_id, 0 as segment_id, 0 as step_id, 'insert'::text as step_name,
           q.table_id::bigint::integer as table_id, q.table_name::char(128) as table_name, 'f'::char(1) as is_rrscan, q.start_time, q.end_time,
           (extract(epoch from q.end_time - q.start_time) * 1000000)::bigint as duration, null::text as alert
      from (select *, case when database_name = current_database() then to_regclass(table_name) end::oid as table_id
              from redshift_internal.own_query where error_message is null and table_name like '%"."%') q
      join redshift_internal.relation r on r.relid = q.table_id and r.made_at <= q.end_time;
create view pg_catalog.sys_query_text as
    select user_id, query_id, transaction_id, session_id, start_time, 0 as sequence, query_text as text
      from redshift_internal.own_query;
create view pg_catalog.stl_query as
    select q.user_id as userid, q.query_id as query, 'default'::char(320) as label, q.transaction_id as xid, q.session_id as pid,
           q.database_name::char(32) as database, q.query_text::char(4000) as querytxt, q.start_time as starttime,
           q.end_time as endtime, (q.error_message is not null)::integer as aborted, 0 as insert_pristine, 0 as concurrency_scaling_status
      from redshift_internal.own_query q;
create view pg_catalog.stl_querytext as
    select userid, xid, pid, query, 0 as sequence, querytxt::char(200) as text from pg_catalog.stl_query;
create view pg_catalog.svl_qlog as
    select userid, query, xid, pid, starttime, endtime,
           (extract(epoch from endtime - starttime) * 1000000)::bigint as elapsed, aborted, label,
           querytxt::char(60) as substring, null::bigint as source_query, 0 as concurrency_scaling_status,
           false as from_sp_call from pg_catalog.stl_query;
create view pg_catalog.svl_statementtext as
    select userid, xid, pid, label, starttime, endtime, 0 as sequence, 'QUERY'::varchar(10) as type, querytxt::char(200) as text
      from pg_catalog.stl_query;
create view pg_catalog.stl_error as
    select user_id as userid, 'postgres'::char(12) as process, session_id::bigint as pid, 0 as errcode, ''::char(90) as file,
           0 as linenum, error_message::char(100) as context, error_message::char(512) as error, end_time as recordtime
      from redshift_internal.own_query where error_message is not null;
create view pg_catalog.stl_wlm_query as
    select userid, xid, 0 as task, query, 6 as service_class, 1 as slot_count, starttime as service_class_start_time,
           starttime as queue_start_time, starttime + queue_time * interval '1 microsecond' as queue_end_time,
           queue_time as total_queue_time, starttime + queue_time * interval '1 microsecond' as exec_start_time,
           endtime as exec_end_time, h.execution_time as total_exec_time,
           case h.status when 'success' then 'Completed' else 'Evicted' end::char(16) as final_state, 'Normal'::char(20) as query_priority
      from pg_catalog.stl_query q join (select query_id as query, queue_time, execution_time, trim(status) as status
                                          from pg_catalog.sys_query_history) h using (query);
create view pg_catalog.stl_undone as  -- nothing is ever undone after its end here
    select 0 as userid, 0::bigint as xact_id, 0::bigint as xact_id_undone, null::timestamp as undo_start_ts,
           null::timestamp as undo_end_ts, 0::bigint as table_id where false;
create view pg_catalog.stl_ddltext as
    select userid, xid, pid, label, starttime, endtime, 0 as sequence, querytxt::char(200) as text from pg_catalog.stl_query
     where querytxt ~* '^\s*(create|alter|drop|truncate)';
create view pg_catalog.stl_utilitytext as
    select userid, xid, pid, label, starttime, endtime, 0 as sequence, querytxt::char(200) as text from pg_catalog.stl_query
     where querytxt ~* '^\s*(begin|commit|rollback|set|show|vacuum|analyze|copy|unload)';

create view pg_catalog.svv_columns as
    select c.table_catalog, redshift_internal.shown(c.table_schema) as table_schema,
           redshift_internal.shown(c.table_name) as table_name, redshift_internal.shown(c.column_name) as column_name,
           c.ordinal_position, c.column_default, c.is_nullable,
           redshift_catalog.data_type(c.data_type, c.interval_type)::varchar as data_type, c.character_maximum_length, c.numeric_precision, c.numeric_precision_radix, c.numeric_scale,
           c.datetime_precision, c.interval_type, c.interval_precision, c.character_set_catalog, c.character_set_schema,
           c.character_set_name, c.collation_catalog, c.collation_schema, c.collation_name, c.domain_name, null::varchar as remarks
      from redshift_internal.columns c where c.table_schema not in ('redshift_internal', 'redshift_catalog');
create view pg_catalog.svv_relation_privileges as
    select n.nspname::text as namespace_name, c.relname::text as relation_name, p.privilege_type::text as privilege_type,
           p.grantee::bigint::integer as identity_id,
           case when p.grantee = 0 then 'public' else redshift_internal.shown(g.rolname) end as identity_name,
           redshift_internal.identity_type(p.grantee) as identity_type,
           p.is_grantable as admin_option
      from redshift_catalog.pg_class c join redshift_catalog.pg_namespace n on n.oid = c.relnamespace
      cross join lateral redshift_internal.table_privileges(coalesce(c.relacl, acldefault('r', c.relowner))) p left join pg_roles g on g.oid = p.grantee
     where c.relkind in ('r', 'v') and n.nspname !~ '^pg_(toast|temp)';
create view pg_catalog.svv_tables as
    select table_catalog, table_schema, table_name, table_type, null::varchar as remarks from redshift_catalog.tables;
create or replace view redshift_internal.shown_column as  -- what the following and SHOW COLUMNS have of a column
    select c.oid as relid, i.table_catalog::varchar(128) as database_name,
           redshift_internal.shown(i.table_schema)::varchar(128) as schema_name,
           redshift_internal.shown(i.table_name)::varchar(128) as table_name,
           redshift_internal.shown(i.column_name)::varchar(128) as column_name,
           i.ordinal_position::integer, redshift_catalog.data_type(i.data_type, i.interval_type)::varchar(128) as data_type,
           i.column_default::varchar(4000), i.is_nullable::varchar(3), i.character_maximum_length::integer,
           i.numeric_precision::integer, i.numeric_scale::integer,
           redshift_catalog.format_encoding(a.attencodingtype)::varchar(128) as encoding, a.attisdistkey as distkey,
           a.attsortkeyord as sortkey
      from redshift_internal.columns i join pg_namespace n on n.nspname = i.table_schema
      join pg_class c on c.relnamespace = n.oid and c.relname = i.table_name
      left join redshift_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = i.ordinal_position
     where i.table_schema not in ('redshift_internal', 'redshift_catalog');
create view pg_catalog.svv_redshift_columns as
    select database_name, schema_name, table_name, column_name, ordinal_position, data_type, column_default, is_nullable,
           encoding, distkey, sortkey, null::varchar(128) as column_acl, null::varchar(256) as remarks
      from redshift_internal.shown_column;
create view pg_catalog.svv_all_columns as
    select database_name, schema_name, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
           character_maximum_length, numeric_precision, numeric_scale, null::varchar(256) as remarks
      from redshift_internal.shown_column;
create view pg_catalog.svv_redshift_tables as
    select table_catalog::varchar(128) as database_name, table_schema::varchar(128) as schema_name,
           table_name::varchar(128) as table_name, case table_type when 'BASE TABLE' then 'TABLE' else table_type end::varchar(128) as table_type,
           null::varchar(128) as table_acl, null::varchar(128) as remarks, current_user::varchar(128) as table_owner
      from redshift_catalog.tables;
create view pg_catalog.svv_all_tables as
    select database_name, schema_name, table_name, table_acl, table_type, remarks from pg_catalog.svv_redshift_tables;
create view pg_catalog.svv_redshift_schemas as
    select current_database()::varchar(128) as database_name, redshift_internal.shown(nspname)::varchar(128) as schema_name,
           (nspowner::bigint)::integer as schema_owner, 'local'::varchar(128) as schema_type, null::varchar(128) as schema_acl,
           null::varchar(128) as schema_option
      from pg_namespace where nspname !~ '^pg_(toast|temp)' and nspname not in ('redshift_internal', 'redshift_catalog');
create view pg_catalog.svv_all_schemas as
    select database_name, schema_name, schema_owner, schema_type, schema_acl, null::varchar(128) as source_database, schema_option
      from pg_catalog.svv_redshift_schemas;
create view pg_catalog.svv_redshift_databases as
    select datname::varchar(128) as database_name, (datdba::bigint)::integer as database_owner, 'local'::varchar(32) as database_type,
           null::varchar(128) as database_acl, null::varchar(128) as database_options, 'Snapshot Isolation'::varchar(128) as database_isolation_level
      from pg_database where not datistemplate and (datname <> 'postgres' or datname = current_database());  -- it is PostgreSQL's own
create view pg_catalog.pg_table_def as
    select redshift_internal.shown(n.nspname) as schemaname, redshift_internal.shown(c.relname) as tablename, a.attname as "column",
           redshift_catalog.format_type(a.atttypid, a.atttypmod) as type,
           redshift_catalog.format_encoding(a.attencodingtype)::char(32) as encoding, a.attisdistkey as distkey,
           a.attsortkeyord as sortkey, a.attnotnull as "notnull"
      from pg_class c join pg_namespace n on n.oid = c.relnamespace join redshift_catalog.pg_attribute a on a.attrelid = c.oid
     where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and n.nspname = any (current_schemas(true));
create view pg_catalog.svv_table_info as
    select current_database()::text as database, redshift_internal.shown(n.nspname) as schema, c.oid::bigint::integer as table_id,
           redshift_internal.shown(c.relname) as "table",
           case when exists (select from redshift_internal.relation_column d where d.relid = c.oid and d.encoding <> 'raw') then 'Y'
                else 'Y, AUTO(ENCODE)' end::text as encoded,
           case coalesce(r.style, 'AUTO') when 'AUTO' then 'AUTO(ALL)'
                when 'KEY' then 'KEY(' || (select redshift_internal.shown(a.attname)
                                             from pg_attribute a join redshift_internal.relation_column d on d.relid = a.attrelid and d.attnum = a.attnum
                                            where a.attrelid = c.oid and d.distkey) || ')'
                else r.style end::text as diststyle,
           case when r.interleaved then 'INTERLEAVED' when k.first is not null then k.first
                when coalesce(r.sort_auto, true) then 'AUTO(SORTKEY)' end::text as sortkey1,
           coalesce((select max(a.atttypmod - 4) from pg_attribute a where a.attrelid = c.oid and a.atttypid = 'varchar'::regtype), 0) as max_varchar,
           case when k.first is not null then 'none' end::char(32) as sortkey1_enc, coalesce(k.columns, 0)::integer as sortkey_num,
           (pg_table_size(c.oid) / 1048576)::bigint as size, 0::numeric(10,4) as pct_used,
           0::bigint as empty, 0::numeric(5,2) as unsorted, 0::numeric(5,2) as stats_off,
           greatest(c.reltuples, s.n_live_tup, 0)::numeric(38,0) as tbl_rows, 1::numeric(19,2) as skew_sortkey1,
           1::numeric(19,2) as skew_rows, greatest(c.reltuples, s.n_live_tup, 0)::numeric(38,0) as estimated_visible_rows,
           null::text as risk_event, 0::numeric(12,2) as vacuum_sort_benefit, r.made_at as create_time
      from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_stat_all_tables s on s.relid = c.oid
      left join redshift_internal.relation r on r.relid = c.oid
      left join lateral (select count(*) as columns,
                                min(redshift_internal.shown(a.attname)) filter (where abs(d.sortkey) = 1) as first
                           from redshift_internal.relation_column d join pg_attribute a on a.attrelid = d.relid and a.attnum = d.attnum
                          where d.relid = c.oid and d.sortkey <> 0) k on true
     where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'redshift_internal', 'pg_toast');
create view pg_catalog.svv_mv_info as  -- whether one is stale is not known
    select current_database()::char(128) as database_name, redshift_internal.shown(n.nspname)::char(128) as schema_name,
           redshift_internal.shown(pg_catalog.pg_get_userbyid(c.relowner))::char(128) as user_name,
           redshift_internal.shown(c.relname)::char(128) as name, null::char(1) as is_stale,
           0 as state, case when m.autorefresh then 't' else 'f' end::char(1) as autorefresh, 't'::char(1) as autorewrite
      from redshift_internal.materialized_view m join pg_class c on c.oid = m.relid and c.relkind = 'm'
      join pg_namespace n on n.oid = c.relnamespace;
create view pg_catalog.stv_mv_info as
    select database_name as db_name, schema_name as schema, name, 0::bigint as updated_upto_xid, is_stale,
           user_name as owner_user_name, state, autorefresh, autorewrite from pg_catalog.svv_mv_info;
create view pg_catalog.stv_tbl_perm as
    select 0 as slice, table_id as id, "table"::char(72) as name, tbl_rows::bigint as rows, tbl_rows::bigint as sorted_rows,
           0 as temp, 1::bigint as db_id, 0 as insert_pristine, 0 as delete_pristine, 0 as backup, 0 as dist_style, 0 as block_count
      from pg_catalog.svv_table_info;
create view pg_catalog.svv_diskusage as
    select 0::bigint as db_id, name, slice, 0 as col, id as tbl, 0 as blocknum, rows as num_values from pg_catalog.stv_tbl_perm;
create view pg_catalog.svv_external_schemas as
    select 0 as esoid, 0::smallint as eskind, ''::name as schemaname, 0 as esowner, ''::text as databasename, ''::text as esoptions where false;
create view pg_catalog.pg_external_schema as
    select 0::oid as esoid, 0 as eskind, ''::text as esdbname, ''::text as esoptions where false;
create view pg_catalog.svv_external_tables as
    select ''::text as schemaname, ''::text as tablename, ''::text as location, ''::text as input_format where false;
create view pg_catalog.svv_external_columns as
    select ''::text as schemaname, ''::text as tablename, ''::text as columnname, ''::text as external_type, 0 as columnnum,
           0 as part_key, ''::text as is_nullable where false;

-- The write lock that COPY and DML take is SHARE ROW EXCLUSIVE here.
create view pg_catalog.stv_locks as
    select l.relation::bigint::integer as table_id, a.query_start at time zone 'UTC' as last_update, l.pid as lock_owner_pid,
           coalesce(a.backend_xid::text::bigint, 0) as lock_owner_pid_xid,
           case when l.granted then 'Holding write lock' else 'Waiting for write lock' end::char(22) as lock_status,
           a.xact_start at time zone 'UTC' as lock_owner_start_ts, redshift_internal.shown(a.username::name) as lock_owner
      from pg_locks l join redshift_internal.activity() a on a.pid = l.pid
     where l.locktype = 'relation' and l.mode in ('ShareRowExclusiveLock', 'AccessExclusiveLock') and l.relation >= 16384;
create view pg_catalog.svv_transactions as
    select redshift_internal.shown(a.username::name) as txn_owner, current_database()::text as txn_db, coalesce(a.backend_xid::text::bigint, 0) as xid, l.pid,
           a.xact_start at time zone 'UTC' as txn_start, l.mode as lock_mode, 'relation'::text as lockable_object_type,
           l.relation::bigint::integer as relation, l.granted
      from pg_locks l join redshift_internal.activity() a on a.pid = l.pid where l.locktype = 'relation' and a.datname = current_database();
create view pg_catalog.stv_sessions as
    select backend_start at time zone 'UTC' as starttime, pid as process, username::char(50) as user_name, datname::char(50) as db_name,
           0 as timeout_sec from redshift_internal.activity() where application_name not like 'redshift stand-in%';
create view pg_catalog.stl_connection_log as
    select event::char(50) as event, recorded_at as recordtime, remote_host::char(45) as remotehost, remote_port::char(32) as remoteport,
           session_id as pid, database_name::char(50) as dbname, username::char(50) as username, auth_method::char(32) as authmethod,
           least(duration_us, 2147483647)::integer as duration, ssl_version::char(50) as sslversion, ssl_cipher::char(128) as sslcipher,
           0 as mtu, ''::char(64) as sslcompression, ''::char(64) as sslexpansion, ''::char(36) as iamauthguid,
           application_name::char(250) as application_name, os_version::char(64) as os_version,
           driver_version::char(64) as driver_version, plugin_name::char(32) as plugin_name, protocol_version
      from redshift_internal.connection;
create view pg_catalog.sys_connection_log as
    select event, recordtime as record_time, remotehost as remote_host, remoteport as remote_port, pid as session_id,
           dbname as database_name, username as user_name, authmethod as auth_method, duration, sslversion as ssl_version,
           sslcipher as ssl_cipher, mtu, sslcompression as ssl_compression, sslexpansion as ssl_expansion,
           iamauthguid as iam_auth_guid, application_name, driver_version, os_version, plugin_name, protocol_version
      from pg_catalog.stl_connection_log;
create view pg_catalog.stv_recents as
    select coalesce(r.oid::bigint, 100)::integer as userid, case state when 'active' then 'Running' else 'Done' end::char(20) as status,
           query_start at time zone 'UTC' as starttime,
           (extract(epoch from clock_timestamp() - query_start) * 1000000)::bigint as duration, username::char(50) as user_name,
           datname::char(50) as db_name,
           redshift_internal.with_long_names(query)::char(600) as query, pid
      from redshift_internal.activity() a left join pg_catalog.pg_roles r on r.rolname = a.username;
create view pg_catalog.stv_inflight as
    select userid, 0 as slice, 0::bigint as query, 'default'::char(30) as label, 0::bigint as xid, pid, starttime,
           query::char(100) as text, 0 as suspended, 0 as insert_pristine, 0 as concurrency_scaling_status
      from pg_catalog.stv_recents where status = 'Running';
create view pg_catalog.stv_wlm_query_state as
    select xid, 0 as task, query, 6 as service_class, 1 as slot_count, starttime as wlm_start_time, 'Running'::char(16) as state,
           0::bigint as queue_time, 0::bigint as exec_time from pg_catalog.stv_inflight;
create view pg_catalog.stv_slices as select 0 as node, 0 as slice, 0 as localslice, 'D'::char(1) as type;
create view pg_catalog.pg_user_info as
    select usename, usesysid, usecreatedb, usesuper, usecatupd, passwd, valuntil,
           nullif(array_remove(useconfig, 'redshift.syslog_access=unrestricted'), '{}') as useconfig, '0'::text as useconnlimit
      from (select *, false as usecatupd from redshift_catalog.pg_user) u;
create view pg_catalog.svl_user_info as
    select usename, usesysid, usecreatedb, usesuper, usecatupd, useconnlimit, redshift_internal.syslog_access(usesysid) as syslogaccess,
           null::timestamp as last_ddl_ts, 0 as sessiontimeout, null::text as external_id from pg_catalog.pg_user_info;
create view pg_catalog.svv_user_info as
    select usename::varchar as user_name, (usesysid::bigint)::integer as user_id, usecreatedb as createdb, usesuper as superuser,
           usecatupd as catalog_update, useconnlimit as connection_limit from pg_catalog.pg_user_info;
do $$
declare
    view record;
begin
    for view in select viewname from pg_views where schemaname = 'pg_catalog'
                   and viewname ~ '^(st[lv]|sv[lv]|sys)_|^pg_(table_def|user_info|external_schema)$'
                   and viewname not in ('stl_connection_log', 'sys_connection_log', 'svl_user_info', 'svv_table_info', 'svv_diskusage',
                                        'stv_tbl_perm')  -- "visible only to superusers", as the pages of these say
    loop
        execute format('grant select on pg_catalog.%I to public', view.viewname);
    end loop;
end $$;
