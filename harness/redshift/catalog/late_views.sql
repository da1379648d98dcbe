-- Late-binding views ("CREATE VIEW", WITH NO SCHEMA BINDING): made before their tables, alive after them, found by name.
--
-- Such a view is an ordinary view while its query can be resolved, and one that only raises PostgreSQL's own complaint
-- while it cannot. Before a statement that drops or alters what a bound view uses, the view is unbound; after every
-- statement that defines something, all that are unbound are tried again. Nothing writes to PostgreSQL's catalog, and a
-- view keeps its OID, its grants and what is built upon it.
create or replace function redshift_internal.unbound_view(failure text) returns setof boolean language plpgsql as $$
begin
    raise exception '%', failure using errcode = '42P01';
end $$;

create or replace function redshift_internal.is_unbound(view oid) returns boolean language sql as $$
    select exists (select from pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
                    where r.ev_class = view and d.refobjid = 'redshift_internal.unbound_view(text)'::regprocedure) $$;

-- A view that keeps its columns and raises `failure` when it is read.
create or replace function redshift_internal.unbind(view oid, failure text) returns void language plpgsql as $$
declare
    columns text;
    qualified text;
begin
    select v.qualified into qualified from redshift_internal.late_view_name v where relid = view;
    select string_agg(format('null::%s as %I', format_type(atttypid, atttypmod), attname), ', ' order by attnum)
      into columns from pg_attribute where attrelid = view and attnum > 0;
    execute format('create or replace view %s as select %s from redshift_internal.unbound_view(%L)', qualified, columns, failure);
end $$;

-- Views of other users are unbound and bound, too, whoever changes what they use.
create or replace function redshift_internal.unbind_users_of(used oid) returns void language plpgsql security definer as $$
declare
    view oid;
begin
    for view in
        select distinct v.relid from redshift_internal.late_view v join pg_rewrite r on r.ev_class = v.relid
          join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
         where d.refobjid = used and v.relid <> used
    loop
        perform redshift_internal.unbind(view, 'the view is not bound');
    end loop;
end $$;

-- Whether the view is bound now. Columns that changed make it a new view, unless something is built upon it.
create or replace function redshift_internal.bind(view oid) returns boolean language plpgsql as $$
declare
    late record;
    owner text := (select pg_get_userbyid(relowner) from pg_class where oid = view);
    failure text;
begin
    select * into late from redshift_internal.late_view_name where relid = view;
    begin
        execute format('create or replace view %s %s as %s', late.qualified, late.columns, late.query);
        return true;
    exception
        when invalid_table_definition then  -- other columns than before
            null;
        when undefined_table or undefined_column or undefined_function or invalid_schema_name or datatype_mismatch or cannot_coerce then
            failure := sqlerrm;
    end;
    if failure is null then
        perform redshift_internal.unbind_users_of(view);
        begin
            execute format('drop view %s', late.qualified);
            execute format('create view %s %s as %s', late.qualified, late.columns, late.query);
            execute format('alter view %s owner to %I', late.qualified, owner);
            insert into redshift_internal.late_view values (late.qualified::regclass, late.columns, late.query, late.source);
            return true;
        exception when dependent_objects_still_exist then
            failure := sqlerrm;
        end;
    end if;
    if position(quote_literal(failure) in pg_get_viewdef(view)) = 0 then
        perform redshift_internal.unbind(view, failure);
    end if;
    return false;
end $$;

create or replace function redshift_internal.bind_late_views() returns void language plpgsql security definer as $$
declare
    view oid;
    progress boolean := true;
begin
    while progress loop  -- one may be built upon another
        progress := false;
        for view in select relid from redshift_internal.late_view_name where redshift_internal.is_unbound(relid) loop
            progress := redshift_internal.bind(view) or progress;
        end loop;
    end loop;
end $$;

-- Unbind what uses, directly or through other views, a relation or schema that the client's statement names.
create or replace function redshift_internal.unbind_late_views() returns void language plpgsql security definer as $$
declare
    view oid;
    statement text := lower(current_query());
begin
    for view in
        with recursive used(view, relation) as (
            select v.relid, v.relid from redshift_internal.late_view v
            union
            select u.view, d.refobjid from used u join pg_rewrite r on r.ev_class = u.relation
              join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass)
        select distinct u.view from used u join pg_class c on c.oid = u.relation join pg_namespace n on n.oid = c.relnamespace
         where u.view <> u.relation and not redshift_internal.is_unbound(u.view)
           and (position(lower(c.relname) in statement) > 0 or position(lower(n.nspname) in statement) > 0 or statement ~ '^\s*call\M')
    loop
        perform redshift_internal.unbind(view, 'the view is not bound');
    end loop;
end $$;

create or replace function redshift_internal.create_late_view(name text, columns text, query text, source text, replace boolean)
    returns void language plpgsql as $$
declare
    there oid := to_regclass(name);
    kind "char" := (select relkind from pg_class where oid = there);
begin
    if there is not null and (kind <> 'v' or not replace) then
        raise exception 'relation "%" already exists', there::regclass using errcode = '42P07';
    end if;
    perform set_config('redshift.in_ddl', 'on', true);
    if there is null then
        execute format('create view %s as select from redshift_internal.unbound_view(%L)', name, 'the view is not bound');
    end if;
    delete from redshift_internal.late_view where relid = there;
    insert into redshift_internal.late_view values (name::regclass, columns, query, source);
    perform redshift_internal.bind(name::regclass);
    perform redshift_internal.bind_late_views();
    perform set_config('redshift.in_ddl', 'off', true);
end $$;

create or replace function pg_catalog.pg_get_late_binding_view_cols() returns setof record language sql as $$
    select redshift_internal.shown(v.schema_name), redshift_internal.shown(v.view_name), redshift_internal.shown(a.attname),
           redshift_catalog.format_type(a.atttypid, a.atttypmod)::varchar, a.attnum::integer
      from redshift_internal.late_view_name v join pg_catalog.pg_attribute a on a.attrelid = v.relid
     where a.attnum > 0 and not a.attisdropped order by 1, 2, 5 $$;

-- "PG_GET_COLS": of any table or view
create or replace function pg_catalog.pg_get_cols(relation text) returns setof record language sql as $$
    select redshift_internal.shown(n.nspname), redshift_internal.shown(c.relname), redshift_internal.shown(a.attname),
           redshift_catalog.format_type(a.atttypid, a.atttypmod)::varchar, a.attnum::integer
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      join pg_catalog.pg_attribute a on a.attrelid = c.oid
     where c.oid = relation::regclass and a.attnum > 0 and not a.attisdropped order by 5 $$;

create or replace function redshift_internal.on_ddl_start() returns event_trigger language plpgsql
    set search_path from current set standard_conforming_strings = on as $$
begin
    if current_setting('redshift.in_ddl', true) is distinct from 'on' and exists (select from redshift_internal.late_view) then
        perform set_config('redshift.in_ddl', 'on', true);
        perform redshift_internal.unbind_late_views();
        perform set_config('redshift.in_ddl', 'off', true);
    end if;
end $$;
create or replace function redshift_internal.on_definition() returns event_trigger language plpgsql
    set search_path from current set standard_conforming_strings = on as $$
begin
    if current_setting('redshift.in_ddl', true) is distinct from 'on' and exists (select from redshift_internal.late_view) then
        perform set_config('redshift.in_ddl', 'on', true);
        perform redshift_internal.bind_late_views();
        perform set_config('redshift.in_ddl', 'off', true);
    end if;
end $$;
drop event trigger if exists redshift_unbind;
create event trigger redshift_unbind on ddl_command_start
    when tag in ('DROP TABLE', 'DROP VIEW', 'DROP MATERIALIZED VIEW', 'DROP SCHEMA', 'ALTER TABLE', 'ALTER VIEW', 'ALTER SCHEMA')
    execute function redshift_internal.on_ddl_start();
drop event trigger if exists redshift_bind;
create event trigger redshift_bind on ddl_command_end
    when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'CREATE VIEW', 'CREATE MATERIALIZED VIEW', 'CREATE FUNCTION',
                 'ALTER TABLE', 'ALTER VIEW', 'ALTER SCHEMA', 'DROP TABLE', 'DROP VIEW', 'DROP MATERIALIZED VIEW', 'DROP SCHEMA')
    execute function redshift_internal.on_definition();
