-- What SHOW DATABASES, SCHEMAS, TABLES and COLUMNS answer from (`harness.redshift.shows`): their columns, in their order.
-- Source: Database Developer Guide, "SHOW DATABASES", "SHOW SCHEMAS", "SHOW TABLES" and "SHOW COLUMNS".
create or replace view redshift_internal.show_databases as
    select database_name, database_owner, database_type, database_acl, null::varchar(128) as parameters, database_isolation_level
      from pg_catalog.svv_redshift_databases;
create or replace view redshift_internal.show_schemas as select * from pg_catalog.svv_all_schemas;
create or replace view redshift_internal.show_tables as
    select current_database()::varchar(128) as database_name, n.nspname::varchar(128) as schema_name,
           c.relname::varchar(128) as table_name, case c.relkind when 'r' then 'TABLE' else 'VIEW' end::varchar(128) as table_type,
           array_to_string(c.relacl, '~')::varchar(128) as table_acl, pg_catalog.obj_description(c.oid, 'pg_class')::varchar(256) as remarks,
           pg_catalog.pg_get_userbyid(c.relowner)::varchar(128) as owner, r.made_at as last_altered_time, r.made_at as last_modified_time,
           case when c.relkind = 'r' then replace(coalesce(i.diststyle, 'AUTO(ALL)'), 'AUTO(', 'AUTO (') end::varchar(128) as dist_style,
           case when c.relkind = 'r' then 'REGULAR TABLE' when m.relid is not null then 'MATERIALIZED VIEW'
                when l.relid is not null then 'LATE BINDING VIEW' else 'REGULAR VIEW' end::varchar(128) as table_subtype
      from redshift_catalog.pg_class c join redshift_catalog.pg_namespace n on n.oid = c.relnamespace
      left join redshift_internal.relation r on r.relid = c.oid
      left join redshift_internal.late_view l on l.relid = c.oid
      left join redshift_internal.materialized_view m on m.relid = c.oid
      left join pg_catalog.svv_table_info i on i.table_id = c.oid::bigint::integer
     where c.relkind in ('r', 'v') and n.nspname !~ '^pg_(toast|temp)';
create or replace view redshift_internal.show_columns as
    select r.database_name, r.schema_name, r.table_name, r.column_name, r.ordinal_position, r.column_default, r.is_nullable,
           r.data_type, c.character_maximum_length::integer, c.numeric_precision::integer, c.numeric_scale::integer, r.remarks,
           case when r.sortkey > 0 then case when t.interleaved then 'INTERLEAVED' else 'COMPOUND' end end::varchar(128) as sort_key_type,
           nullif(abs(r.sortkey), 0)::integer as sort_key, case when r.distkey then 1 end::integer as dist_key,
           r.encoding, null::varchar(128) as collation
      from pg_catalog.svv_redshift_columns r
      join redshift_internal.columns c
        on c.table_schema = r.schema_name and c.table_name = r.table_name and c.column_name = r.column_name
      left join redshift_internal.relation t on t.relid = to_regclass(format('%I.%I', r.schema_name, r.table_name));
-- "SHOW GRANTS"; a group is shown as a role with a slash before its name, as dbt-redshift found Redshift to do
create or replace view redshift_internal.show_grants as
    select current_database()::varchar(128) as database_name, n.nspname::varchar(128) as schema_name,
           c.relname::varchar(128) as object_name, 'TABLE'::varchar(128) as object_type, p.privilege_type::varchar(128) as privilege_type,
           p.grantee::bigint::integer as identity_id,
           case when p.grantee = 0 then 'public' when g.rolcanlogin then g.rolname else '/' || g.rolname end::varchar(128) as identity_name,
           case when p.grantee = 0 then 'public' when g.rolcanlogin then 'user' else 'role' end::varchar(128) as identity_type,
           p.is_grantable as admin_option, 'TABLE'::varchar(128) as privilege_scope,
           pg_catalog.pg_get_userbyid(p.grantor)::varchar(128) as grantor_name
      from redshift_catalog.pg_class c join redshift_catalog.pg_namespace n on n.oid = c.relnamespace
      cross join lateral aclexplode(c.relacl) p left join pg_catalog.pg_roles g on g.oid = p.grantee
     where c.relkind in ('r', 'v');
grant select on redshift_internal.show_grants, redshift_internal.show_databases, redshift_internal.show_schemas, redshift_internal.show_tables,
    redshift_internal.show_columns to public;
