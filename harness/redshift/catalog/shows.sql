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
           redshift_internal.shown(pg_catalog.pg_get_userbyid(c.relowner))::varchar(128) as owner,
           r.made_at as last_altered_time, r.made_at as last_modified_time,
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
           r.data_type, r.character_maximum_length, r.numeric_precision, r.numeric_scale, null::varchar(256) as remarks,
           case when r.sortkey > 0 then case when t.interleaved then 'INTERLEAVED' else 'COMPOUND' end end::varchar(128) as sort_key_type,
           nullif(abs(r.sortkey), 0)::integer as sort_key, case when r.distkey then 1 end::integer as dist_key,
           r.encoding, null::varchar(128) as collation
      from redshift_internal.shown_column r left join redshift_internal.relation t on t.relid = r.relid;
-- "SHOW CONSTRAINTS"
create or replace view redshift_internal.show_primary_keys as
    select current_database()::varchar(128) as database_name, n.nspname::varchar(128) as schema_name, c.relname::varchar(128) as table_name,
           k.conname::varchar(128) as pk_name, a.attname::varchar(128) as column_name, u.at::integer as key_seq
      from redshift_catalog.pg_constraint k join redshift_catalog.pg_class c on c.oid = k.conrelid
      join redshift_catalog.pg_namespace n on n.oid = c.relnamespace
      cross join lateral unnest(k.conkey) with ordinality u(attnum, at)
      join redshift_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum
     where k.contype = 'p';
create or replace view redshift_internal.show_foreign_keys as
    select current_database()::varchar(128) as pk_database_name, m.nspname::varchar(128) as pk_schema_name, d.relname::varchar(128) as pk_table_name,
           b.attname::varchar(128) as pk_column_name, current_database()::varchar(128) as fk_database_name,
           n.nspname::varchar(128) as fk_schema_name, c.relname::varchar(128) as fk_table_name, a.attname::varchar(128) as fk_column_name,
           u.at::integer as key_seq, k.conname::varchar(128) as fk_name, p.conname::varchar(128) as pk_name,
           null::varchar(128) as update_rule, null::varchar(128) as delete_rule, null::varchar(128) as deferrability
      from redshift_catalog.pg_constraint k join redshift_catalog.pg_class c on c.oid = k.conrelid
      join redshift_catalog.pg_namespace n on n.oid = c.relnamespace
      join redshift_catalog.pg_class d on d.oid = k.confrelid join redshift_catalog.pg_namespace m on m.oid = d.relnamespace
      cross join lateral unnest(k.conkey, k.confkey) with ordinality u(attnum, refnum, at)
      join redshift_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum
      join redshift_catalog.pg_attribute b on b.attrelid = k.confrelid and b.attnum = u.refnum
      left join redshift_catalog.pg_constraint p on p.conrelid = k.confrelid and p.conkey = k.confkey and p.contype in ('p', 'u')
     where k.contype = 'f';

-- "SHOW FUNCTIONS", "SHOW PROCEDURES" and "SHOW PARAMETERS"; a type as they name it, whoever wrote it
create or replace function redshift_internal.type_name(written text) returns text language sql stable as $$
    select case when written ~* '^interval *(y|month)' then 'intervaly2m' when written ~* '^interval *(d|hour|minute|second)' then 'intervald2s'
                when lower(written) in ('varbyte', 'varbinary', 'binary varying') then 'binary varying'
                when written ~* '^super$' then 'super'
                else coalesce(redshift_catalog.data_type(format_type(to_regtype(written), null)), lower(written)) end $$;
create or replace view redshift_internal.routine_parameter as
    select p.oid, u.at::integer as ordinal_position,
           coalesce(redshift_internal.shown(p.proargnames[u.at]::name), '')::varchar(128) as parameter_name,
           case coalesce(p.proargmodes[u.at], 'i') when 'o' then 'OUT' when 'b' then 'INOUT' when 't' then 'OUT' else 'IN' end::varchar(128) as parameter_type,
           redshift_internal.type_name(coalesce(r.types[u.at], format_type(u.type, null)))::varchar(128) as data_type,
           case when p.prokind = 'p' then r.types[u.at] end as declared
      from pg_catalog.pg_proc p left join redshift_internal.routine r on r.oid = p.oid
      cross join lateral unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality u(type, at);
create or replace view redshift_internal.show_routines as
    select current_database()::varchar(128) as database_name, redshift_internal.shown(n.nspname)::varchar(128) as schema_name,
           redshift_internal.shown(p.proname)::varchar(128) as routine_name,
           p.pronargs::integer as number_of_arguments, coalesce(a.inputs, '')::varchar(65535) as argument_list,
           case p.prokind when 'p' then coalesce(a.outputs, '') else redshift_internal.type_name(format_type(p.prorettype, null)) end::varchar(65535) as return_type,
           coalesce(pg_catalog.obj_description(p.oid, 'pg_proc'), '')::varchar(256) as remarks, p.oid, p.prokind
      from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      left join lateral (select string_agg(data_type, ', ' order by ordinal_position) filter (where parameter_type <> 'OUT') as inputs,
                                string_agg(data_type, ', ' order by ordinal_position) filter (where parameter_type <> 'IN') as outputs
                           from redshift_internal.routine_parameter where oid = p.oid) a on true
     where p.prokind in ('f', 'p') and n.nspname not in ('redshift_internal', 'redshift_catalog');
create or replace view redshift_internal.show_functions as
    select database_name, schema_name, routine_name as function_name, number_of_arguments, argument_list, return_type, remarks
      from redshift_internal.show_routines where prokind = 'f';
create or replace view redshift_internal.show_procedures as
    select database_name, schema_name, routine_name as procedure_name, number_of_arguments, argument_list, return_type, remarks
      from redshift_internal.show_routines where prokind = 'p';
create or replace view redshift_internal.show_parameters as  -- a function's result is its parameter 0
    select s.database_name, s.schema_name, s.routine_name, a.parameter_name, a.ordinal_position, a.parameter_type, a.data_type,
           case when a.data_type ~ '^(character|binary varying)' then coalesce(substring(a.declared from '\((\d+)'), '-1')::integer end as character_maximum_length,
           case a.data_type when 'smallint' then 16 when 'integer' then 32 when 'bigint' then 64
                            when 'numeric' then substring(a.declared from '\((\d+)')::integer end as numeric_precision,
           case when a.data_type in ('smallint', 'integer', 'bigint') then 0
                when a.data_type = 'numeric' then substring(a.declared from ',(\d+)')::integer end as numeric_scale,
           ''::varchar(256) as remarks, s.argument_list, s.prokind
      from redshift_internal.show_routines s
      cross join lateral (select ordinal_position, parameter_name, parameter_type, data_type, declared
                            from redshift_internal.routine_parameter where oid = s.oid
                          union all select 0, '', 'RETURN', s.return_type, null where s.prokind = 'f') a;
create or replace function redshift_internal.type_list(variadic types text[]) returns text language sql stable as $$
    select coalesce(string_agg(redshift_internal.type_name(type), ', ' order by at), '') from unnest(types) with ordinality t(type, at) $$;
-- "SHOW GRANTS"; what an owner has without a grant is not shown, as redshift_connector's tests have it
create or replace view redshift_internal.show_grants as
    select current_database()::varchar(128) as database_name, o.schema_name::varchar(128) as schema_name,
           o.object_name::varchar(128) as object_name, o.object_type::varchar(128) as object_type,
           replace(p.privilege_type, 'TEMPORARY', 'TEMP')::varchar(128) as privilege_type, p.grantee::bigint::integer as identity_id,
           redshift_internal.identity_name(p.grantee)::varchar(128) as identity_name,
           replace(redshift_internal.identity_type(p.grantee), 'group', 'role')::varchar(128) as identity_type,
           p.is_grantable as admin_option, o.object_type::varchar(128) as privilege_scope,
           redshift_internal.shown(pg_catalog.pg_get_userbyid(p.grantor))::varchar(128) as grantor_name,
           o.argument_list::varchar(65535) as argument_list
      from (select n.nspname as schema_name, c.relname as object_name, 'TABLE' as object_type, c.relacl as acl, c.relowner as owner,
                   null as argument_list
              from redshift_catalog.pg_class c join redshift_catalog.pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'v')
            union all select nspname, nspname, 'SCHEMA', nspacl, nspowner, null from redshift_catalog.pg_namespace
            union all select null, datname, 'DATABASE', coalesce(datacl, acldefault('d', datdba)), datdba, null
                        from pg_catalog.pg_database where datname = current_database()
            union all select r.schema_name, r.routine_name, case r.prokind when 'p' then 'PROCEDURE' else 'FUNCTION' end,
                             coalesce(f.proacl, acldefault('f', f.proowner)), f.proowner, r.argument_list
                        from redshift_internal.show_routines r join pg_catalog.pg_proc f on f.oid = r.oid
                       where r.schema_name not in ('pg_catalog', 'information_schema')) o
      cross join lateral redshift_internal.table_privileges(o.acl) p
     where p.grantee is distinct from o.owner and p.privilege_type <> 'CONNECT';
-- "SHOW COLUMN GRANTS"
create or replace view redshift_internal.show_column_grants as
    select current_database()::varchar(128) as database_name, n.nspname::varchar(128) as schema_name,
           c.relname::varchar(128) as table_name, a.attname::varchar(128) as column_name, 'COLUMN'::varchar(128) as object_type,
           p.privilege_type::varchar(128) as privilege_type, p.grantee::bigint::integer as identity_id,
           redshift_internal.identity_name(p.grantee)::varchar(128) as identity_name,
           replace(redshift_internal.identity_type(p.grantee), 'group', 'role')::varchar(128) as identity_type,
           p.is_grantable as admin_option, 'COLUMN'::varchar(128) as privilege_scope,
           redshift_internal.shown(pg_catalog.pg_get_userbyid(p.grantor))::varchar(128) as grantor_name
      from redshift_catalog.pg_class c join redshift_catalog.pg_namespace n on n.oid = c.relnamespace
      join redshift_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      cross join lateral aclexplode(a.attacl) p
     where c.relkind in ('r', 'v');
grant select on redshift_internal.show_primary_keys, redshift_internal.show_foreign_keys, redshift_internal.show_functions,
    redshift_internal.show_procedures, redshift_internal.show_parameters, redshift_internal.show_column_grants to public;
grant select on redshift_internal.show_grants, redshift_internal.show_databases, redshift_internal.show_schemas, redshift_internal.show_tables,
    redshift_internal.show_columns to public;

-- "SHOW TABLE": what makes the table again
create or replace function redshift_internal.show_table(named regclass) returns text language plpgsql stable as $$
declare
    style text := coalesce((select r.style from redshift_internal.relation r where r.relid = named), 'AUTO');
    sorted record;
    lines text[];
begin
    if (select relkind from pg_catalog.pg_class where oid = named) <> 'r' then
        raise exception '"%" is not a table', named using errcode = '42809', hint = 'SHOW VIEW shows a view.';
    end if;
    select array_agg(format('    %I %s%s%s%s%s', a.attname,
                            redshift_catalog.format_type(a.atttypid, a.atttypmod),
                            case when a.attnotnull then ' NOT NULL' else '' end,
                            coalesce(redshift_internal.shown_default(a.attrelid, a.attnum), ''),
                            coalesce(' ENCODE ' || nullif(redshift_catalog.format_encoding(a.attencodingtype), 'none'), ' ENCODE raw'),
                            case when a.attisdistkey then ' distkey' else '' end) order by a.attnum)
      into lines from redshift_catalog.pg_attribute a where a.attrelid = named and a.attnum > 0 and not a.attisdropped;
    lines := lines || array(select '    ' || redshift_catalog.pg_get_constraintdef(k.oid) from redshift_catalog.pg_constraint k
                             where k.conrelid = named and k.contype in ('p', 'u', 'f') order by k.oid);
    select string_agg(quote_ident(attname), ', ' order by abs(attsortkeyord)) as columns, bool_or(attsortkeyord < 0) as interleaved
      into sorted from redshift_catalog.pg_attribute where attrelid = named and attsortkeyord <> 0;
    return format(E'CREATE TABLE %s (\n%s\n)\nDISTSTYLE %s%s;', redshift_internal.qualified(named), array_to_string(lines, E',\n'), style,
                  coalesce(case when sorted.interleaved then E'\nINTERLEAVED SORTKEY ( ' else E'\nSORTKEY ( ' end || sorted.columns || ' )', ''));
end $$;
create or replace function redshift_internal.qualified(named regclass) returns text language sql stable as $$
    select quote_ident(n.nspname) || '.' || quote_ident(c.relname) from redshift_catalog.pg_class c
      join redshift_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = named $$;
create or replace function redshift_internal.shown_default(relation oid, number smallint) returns text language sql stable as $$
    select case when said ~ '^"(default_)?identity"' then
               case when said ~ '^"default' then ' GENERATED BY DEFAULT AS' else '' end
               || regexp_replace(said, E'^.*\'(-?[0-9]+,-?[0-9]+)\'.*$', E' IDENTITY(\\1)')
           else ' DEFAULT ' || said end
      from (select adsrc as said from redshift_catalog.pg_attrdef where adrelid = relation and adnum = number) d $$;
-- "SHOW VIEW"
create or replace function redshift_internal.show_view(named regclass) returns text language plpgsql stable as $$
begin
    if (select relkind from pg_catalog.pg_class where oid = named) not in ('v', 'm') then
        raise exception '"%" is not a view', named using errcode = '42809', hint = 'SHOW TABLE shows a table.';
    end if;
    return redshift_catalog.pg_get_viewdef(named::oid);
end $$;
