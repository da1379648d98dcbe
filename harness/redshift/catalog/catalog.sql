-- PostgreSQL's own catalog as Redshift shows it: with the columns, keys, type names and defaults that Redshift has, and
-- without what belongs to the stand-in. The gateway sends every client's `pg_catalog.pg_class` here (`catalog_names`).
drop schema if exists redshift_catalog cascade;
create schema redshift_catalog;
alter table redshift_internal.relation_key alter column name type text;  -- a name of 127 bytes
grant usage on schema redshift_catalog to public;

create function redshift_catalog.format_type(type oid, modifier integer default null) returns text language sql stable as $$
    select case type when 'jsonb'::regtype then 'super' when 'bytea'::regtype then 'binary varying(64000)'
                else pg_catalog.format_type(type, modifier) end $$;
-- `units` are an interval's, with its precision: drivers look for "interval day to second(4)" and the like.
create function redshift_catalog.data_type(name text, units text default null) returns text language sql immutable as $$
    select case name when 'jsonb' then 'super' when 'bytea' then 'binary varying'
                when 'interval' then name || coalesce(' ' || lower(units), '') else name end $$;
create function redshift_catalog.format_encoding(number integer) returns text language sql immutable as $$
    select (array['none', 'bytedict', 'delta', 'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32', 'runlength', 'text255',
                  'text32k', 'zstd', 'az64'])[number + 1] $$;
create or replace function redshift_internal.encoding_number(name text) returns smallint language sql immutable as $$
    select (array_position(array['none', 'bytedict', 'delta', 'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32',
                                 'runlength', 'text255', 'text32k', 'zstd', 'az64'], name) - 1)::smallint $$;
-- "Compression encodings": what a column has that declares none
create or replace function redshift_internal.encoding_of(type oid, sortkey integer, declared text) returns text language sql stable as $$
    select case when declared = 'raw' then 'none' when declared is not null then declared when sortkey <> 0 then 'none'
                when type in ('bool'::regtype, 'float4'::regtype, 'float8'::regtype) then 'none'
                when type in ('varchar'::regtype, 'bpchar'::regtype, 'bytea'::regtype, 'text'::regtype) then 'lzo'
                when type = 'jsonb'::regtype then 'zstd' else 'az64' end $$;

-- One of PostgreSQL's own relations with some columns computed otherwise, others added, and rows left out.
create or replace function redshift_internal.columns_of(relation regclass, replaced jsonb) returns text language sql stable as $$
    select string_agg(coalesce((replaced ->> a.attname) || ' as ' || quote_ident(a.attname), 's.' || quote_ident(a.attname)), ', '
                      order by a.attnum)
      from pg_attribute a where a.attrelid = relation and a.attnum > 0 and a.atttypid <> 'anyarray'::regtype $$;
create or replace function redshift_internal.shadow(relation regclass, replaced jsonb, added text, condition text) returns void
    language plpgsql as $$
begin
    execute format('create view redshift_catalog.%I as select %s%s from %s s %s', (select relname from pg_class where oid = relation),
                   redshift_internal.columns_of(relation, replaced), added, relation, condition);
end $$;

create or replace view redshift_internal.hidden as
    select oid from pg_namespace where nspname in ('redshift_internal', 'redshift_catalog');
select redshift_internal.shadow('pg_catalog.pg_namespace', '{"nspname": "redshift_internal.shown(s.nspname)"}', '',
     'where s.oid not in (select oid from redshift_internal.hidden)');
select redshift_internal.shadow('pg_catalog.pg_class',  -- a materialized view is a view there: "SVV_MV_INFO"
    $${"relname": "redshift_internal.shown(s.relname)", "relkind": "case s.relkind when 'm' then 'v'::\"char\" else s.relkind end"}$$, $$,
    case r.style when 'EVEN' then 0 when 'KEY' then 1 when 'ALL' then 8 when 'AUTO' then 10 else 0 end::smallint as reldiststyle,
    false as relhasoids, exists (select from redshift_internal.relation_key k where k.relid = s.oid and k.contype = 'p') as relhaspkey,
    (select count(*) from redshift_internal.relation_key k where k.relid = s.oid and k.contype = 'u')::smallint as relukeys,
    (select count(*) from redshift_internal.relation_key k where k.relid = s.oid and k.contype = 'f')::smallint as relfkeys,
    r.made_at as relcreationtime$$,
    'left join redshift_internal.relation r on r.relid = s.oid where s.relnamespace not in (select oid from redshift_internal.hidden)');
create view redshift_catalog.pg_class_info as
    select c.*, c.reldiststyle as releffectivediststyle from redshift_catalog.pg_class c;
select redshift_internal.shadow('pg_catalog.pg_attribute',
    '{"attname": "redshift_internal.shown(s.attname)", "attnotnull": "s.attnotnull and not coalesce(r.nullable, false)"}', $$,
    redshift_internal.encoding_number(redshift_internal.encoding_of(s.atttypid, coalesce(r.sortkey, 0), r.encoding)) as attencodingtype,
    coalesce(r.distkey, false) as attisdistkey, coalesce(r.sortkey, 0) as attsortkeyord, false as attispreloaded$$,
    'left join redshift_internal.relation_column r on r.relid = s.attrelid and r.attnum = s.attnum
      where s.attrelid not in (select relid from redshift_internal.late_view)');
create view redshift_catalog.pg_attribute_info as select * from redshift_catalog.pg_attribute;
select redshift_internal.shadow('pg_catalog.pg_index',
    '{"indisprimary": "s.indisprimary or i.relname like ''%\\_pkey''", "indisunique": "s.indisunique or i.relname like ''%\\_pkey''"}',
    '', 'join pg_catalog.pg_class i on i.oid = s.indexrelid');

select redshift_internal.shadow('pg_catalog.pg_proc',
    '{"proname": "redshift_internal.shown(s.proname)", "proargnames": "redshift_internal.shown_all(s.proargnames)"}',
    $$, s.prokind = 'a' as proisagg, s.prokind = 'w' as proiswindow$$,
    'where s.pronamespace not in (select oid from redshift_internal.hidden)');
create view redshift_catalog.pg_proc_info as select p.*, p.oid as prooid from redshift_catalog.pg_proc p;
-- What a late-binding view depends on is found when it is used, so its catalog says nothing of it: "CREATE VIEW".
select redshift_internal.shadow('pg_catalog.pg_depend', '{}', '', $$where not (s.classid = 'pg_rewrite'::regclass and s.objid in
    (select r.oid from pg_catalog.pg_rewrite r join redshift_internal.late_view v on v.relid = r.ev_class))$$);
-- A function that is the stand-in's own has its name on Redshift; EXTRACT reads as DATE_PART there, too.
create or replace function redshift_internal.with_own_names(definition text) returns text language sql immutable as $$
    select regexp_replace(definition, 'redshift_internal[.](date_part|pgdate_part|to_date|to_timestamp|regexp_replace|regexp_substr'
        '|regexp_count|regexp_instr|json_serialize|chr|concat|version|avg|sum)[(]', E'\\1(', 'g') $$;
create function redshift_catalog.pg_get_viewdef(view oid, pretty boolean default false) returns text language sql stable as $$
    select redshift_internal.with_long_names(coalesce(
        (select source from redshift_internal.late_view where relid = view),
        (select source from redshift_internal.materialized_view where relid = view),
        redshift_internal.with_own_names(pg_catalog.pg_get_viewdef(view, pretty)))) $$;
create function redshift_catalog.pg_get_viewdef(view text, pretty boolean default false) returns text language sql stable as $$
    select redshift_catalog.pg_get_viewdef(view::regclass::oid, pretty) $$;
create view redshift_catalog.pg_views as
    select n.nspname as schemaname, c.relname as viewname, redshift_internal.shown(pg_catalog.pg_get_userbyid(c.relowner)) as viewowner,
           redshift_catalog.pg_get_viewdef(c.oid) as definition
      from redshift_catalog.pg_class c join redshift_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind = 'v';

-- An identity column's default reads as in Redshift: "identity"(table, column, 'seed,step').
create or replace function redshift_internal.identity_default(relation oid, number smallint) returns text language sql stable as $$
    select format('"%s"(%s, %s, ''%s,%s''::text)', case a.attidentity when 'd' then 'default_identity' else 'identity' end,
                  relation::bigint, number - 1, q.seqstart, q.seqincrement)
      from pg_catalog.pg_attribute a
      join pg_catalog.pg_depend p on p.refclassid = 'pg_class'::regclass and p.refobjid = a.attrelid and p.refobjsubid = a.attnum
                                 and p.classid = 'pg_class'::regclass and p.deptype = 'i'
      join pg_catalog.pg_sequence q on q.seqrelid = p.objid
     where a.attrelid = relation and a.attnum = number and a.attidentity <> '' $$;
create view redshift_catalog.pg_attrdef as
    select d.oid, d.adrelid, d.adnum, pg_catalog.pg_get_expr(d.adbin, d.adrelid) as adbin,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid) as adsrc
      from pg_catalog.pg_attrdef d join redshift_catalog.pg_class c on c.oid = d.adrelid
    union all
    select p.objid, a.attrelid, a.attnum, i.source, i.source
      from pg_catalog.pg_attribute a
      join pg_catalog.pg_depend p on p.refclassid = 'pg_class'::regclass and p.refobjid = a.attrelid and p.refobjsubid = a.attnum
                                 and p.classid = 'pg_class'::regclass and p.deptype = 'i'
      cross join lateral (select redshift_internal.identity_default(a.attrelid, a.attnum) as source) i
     where a.attidentity <> '';
create function redshift_catalog.pg_get_expr(source text, relation oid, pretty boolean default false) returns text
    language sql immutable as $$ select source $$;
create function redshift_catalog.pg_get_expr(tree pg_node_tree, relation oid, pretty boolean default false) returns text
    language sql stable as $$ select pg_catalog.pg_get_expr(tree, relation, pretty) $$;

create or replace function redshift_internal.key_columns(relation oid, numbers smallint[]) returns text language sql stable as $$
    select string_agg(quote_ident(redshift_internal.shown(a.attname)), ', ' order by n.at) from unnest(numbers) with ordinality n(attnum, at)
      join pg_catalog.pg_attribute a on a.attrelid = relation and a.attnum = n.attnum $$;
create view redshift_catalog.pg_constraint as
    select k.oid, k.name as conname, c.relnamespace as connamespace, k.contype, false as condeferrable, false as condeferred,
           k.relid as conrelid, 0::oid as contypid, coalesce(k.confrelid, 0::oid) as confrelid,
           case k.contype when 'f' then 'a' else ' ' end::"char" as confupdtype,
           case k.contype when 'f' then 'a' else ' ' end::"char" as confdeltype,
           case k.contype when 'f' then 'u' else ' ' end::"char" as confmatchtype,
           k.conkey, k.confkey, null::text as conbin, null::text as consrc, true as convalidated, true as conislocal,
           0 as coninhcount, 0::oid as conparentid, 0::oid as conindid
      from redshift_internal.relation_key k join pg_catalog.pg_class c on c.oid = k.relid;
create function redshift_catalog.pg_get_constraintdef(key oid, pretty boolean default false) returns text language sql stable as $$
    select case k.contype when 'p' then 'PRIMARY KEY (' when 'u' then 'UNIQUE (' else 'FOREIGN KEY (' end
           || redshift_internal.key_columns(k.relid, k.conkey) || ')'
           || case k.contype when 'f' then ' REFERENCES ' || redshift_internal.with_long_names(k.confrelid::regclass::text) || '('
                                           || redshift_internal.key_columns(k.confrelid, k.confkey) || ')' else '' end
      from redshift_internal.relation_key k where k.oid = key $$;

-- PostgreSQL's information_schema leaves out materialized views, takes identity columns for NOT NULL and says nothing of
-- their default.
drop view if exists redshift_internal.columns, redshift_internal.tables, redshift_internal.views cascade;
do $do$
declare
    name text;
    definition text;
begin
    foreach name in array array['columns', 'tables', 'views'] loop
        definition := pg_catalog.pg_get_viewdef(('information_schema.' || name)::regclass);
        definition := replace(definition, $$'f'::"char", 'p'::"char"]$$, $$'f'::"char", 'p'::"char", 'm'::"char"]$$);
        definition := replace(definition, $$c.relkind = 'v'::"char"$$, $$c.relkind in ('v', 'm')$$);
        definition := replace(definition, 'a.attnotnull', '(a.attnotnull and not exists (select from redshift_internal.relation_column k
            where k.relid = a.attrelid and k.attnum = a.attnum and k.nullable))');
        definition := replace(definition, 'pg_get_expr(ad.adbin, ad.adrelid)',
            'coalesce(pg_get_expr(ad.adbin, ad.adrelid), redshift_internal.identity_default(a.attrelid, a.attnum))');
        execute format('create view redshift_internal.%I as %s', name, definition);
    end loop;
end $do$;
-- Only here an interval has its internal name, as dbt-redshift's tests found it.
select redshift_internal.shadow('redshift_internal.columns',
    '{"data_type": "case when s.data_type <> ''interval'' then redshift_catalog.data_type(s.data_type) when s.interval_type ~ ''YEAR|MONTH'' then ''intervaly2m'' else ''intervald2s'' end::information_schema.character_data",
      "udt_name": "redshift_catalog.data_type(s.udt_name)::information_schema.sql_identifier",
      "table_schema": "redshift_internal.shown(s.table_schema)", "table_name": "redshift_internal.shown(s.table_name)",
      "column_name": "redshift_internal.shown(s.column_name)"}',
    '', 'where s.table_schema not in (''redshift_internal'', ''redshift_catalog'')
           and (s.table_schema, s.table_name) not in (select schema_name, view_name from redshift_internal.late_view_name)');
select redshift_internal.shadow('redshift_internal.tables',
    $${"table_type": "coalesce(s.table_type, 'VIEW'::information_schema.character_data)",
       "table_schema": "redshift_internal.shown(s.table_schema)", "table_name": "redshift_internal.shown(s.table_name)"}$$, '',
    'where s.table_schema not in (''redshift_internal'', ''redshift_catalog'')');
select redshift_internal.shadow('information_schema.schemata', '{"schema_name": "redshift_internal.shown(s.schema_name)"}', '',
    'where s.schema_name not in (''redshift_internal'', ''redshift_catalog'')');
select redshift_internal.shadow('redshift_internal.views',
    '{"view_definition": "redshift_catalog.pg_get_viewdef(format(''%I.%I'', s.table_schema, s.table_name))::information_schema.character_data",
      "table_schema": "redshift_internal.shown(s.table_schema)", "table_name": "redshift_internal.shown(s.table_name)"}',
    '', 'where s.table_schema not in (''redshift_internal'', ''redshift_catalog'')');
create view redshift_catalog.table_constraints as
    select current_database()::name as constraint_catalog, n.nspname as constraint_schema, k.conname as constraint_name,
           current_database()::name as table_catalog, n.nspname as table_schema, c.relname as table_name,
           case k.contype when 'p' then 'PRIMARY KEY' when 'u' then 'UNIQUE' else 'FOREIGN KEY' end as constraint_type,
           'NO'::text as is_deferrable, 'NO'::text as initially_deferred
      from redshift_catalog.pg_constraint k join redshift_catalog.pg_class c on c.oid = k.conrelid
      join redshift_catalog.pg_namespace n on n.oid = c.relnamespace;
create view redshift_catalog.key_column_usage as
    select t.constraint_catalog, t.constraint_schema, t.constraint_name, t.table_catalog, t.table_schema, t.table_name,
           a.attname as column_name, u.at::integer as ordinal_position,
           array_position(k.confkey, k.confkey[u.at])::integer as position_in_unique_constraint
      from redshift_catalog.pg_constraint k join redshift_catalog.pg_class c on c.oid = k.conrelid
      join redshift_catalog.pg_namespace n on n.oid = c.relnamespace
      join redshift_catalog.table_constraints t on t.constraint_name = k.conname and t.table_schema = n.nspname and t.table_name = c.relname
      cross join lateral unnest(k.conkey) with ordinality u(attnum, at)
      join redshift_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum;
create view redshift_catalog.constraint_column_usage as
    select current_database()::name as table_catalog, n.nspname as table_schema, c.relname as table_name, a.attname as column_name,
           current_database()::name as constraint_catalog, o.nspname as constraint_schema, k.conname as constraint_name
      from redshift_catalog.pg_constraint k
      join redshift_catalog.pg_class c on c.oid = case k.contype when 'f' then k.confrelid else k.conrelid end
      join redshift_catalog.pg_namespace n on n.oid = c.relnamespace join redshift_catalog.pg_namespace o on o.oid = k.connamespace
      cross join lateral unnest(case k.contype when 'f' then k.confkey else k.conkey end) u(attnum)
      join redshift_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum;
create view redshift_catalog.referential_constraints as
    select current_database()::name as constraint_catalog, n.nspname as constraint_schema, k.conname as constraint_name,
           current_database()::name as unique_constraint_catalog, m.nspname as unique_constraint_schema, p.conname as unique_constraint_name,
           'NONE'::text as match_option, 'NO ACTION'::text as update_rule, 'NO ACTION'::text as delete_rule
      from redshift_catalog.pg_constraint k join redshift_catalog.pg_namespace n on n.oid = k.connamespace
      left join redshift_catalog.pg_constraint p on p.conrelid = k.confrelid and p.conkey = k.confkey and p.contype in ('p', 'u')
      left join redshift_catalog.pg_namespace m on m.oid = p.connamespace where k.contype = 'f';
-- What else names a relation or a user
select redshift_internal.shadow('pg_catalog.pg_tables',
    '{"schemaname": "redshift_internal.shown(s.schemaname)", "tablename": "redshift_internal.shown(s.tablename)",
      "tableowner": "redshift_internal.shown(s.tableowner)"}', '',
    'where s.schemaname not in (''redshift_internal'', ''redshift_catalog'')');
select redshift_internal.shadow('pg_catalog.pg_user', '{"usename": "redshift_internal.shown(s.usename)"}', '', '');
select redshift_internal.shadow('pg_catalog.pg_group', '{"groname": "redshift_internal.shown(s.groname)"}', '', '');
create function redshift_catalog.current_schema() returns text language sql stable as $$
    select redshift_internal.shown(pg_catalog.current_schema()) $$;
create function redshift_catalog.current_schemas(implicit boolean) returns text[] language sql stable as $$
    select redshift_internal.shown_all(pg_catalog.current_schemas(implicit)::text[]) $$;
grant select on all tables in schema redshift_catalog to public;
