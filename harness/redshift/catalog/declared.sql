-- Records what `harness.redshift.declared` read. Keys are shown to clients and never enforced: Database Developer Guide,
-- "Defining table constraints". "CREATE TABLE" says what LIKE takes over: storage, not keys.
create or replace function redshift_internal.column_numbers(rel oid, names jsonb) returns smallint[] language plpgsql as $$
declare
    wanted text;
    number smallint;
    numbers smallint[] := '{}';
begin
    for wanted in select jsonb_array_elements_text(names) loop
        select attnum into number from pg_attribute where attrelid = rel and attname = wanted::name and not attisdropped;
        if number is null then
            raise exception 'column "%" of relation "%" does not exist', wanted, rel::regclass using errcode = '42703';
        end if;
        numbers := numbers || number;
    end loop;
    return numbers;
end $$;

-- A key without a name has that of its table and first column, as the example of "SHOW CONSTRAINTS" has it.
drop function if exists redshift_internal.key_name(oid, "char", smallint[]);
create function redshift_internal.key_name(rel oid, contype "char", numbers smallint[]) returns text language plpgsql as $$
declare
    relation_name text := (select redshift_internal.shown(relname) from pg_class where oid = rel);
    column_name text := case contype when 'p' then '' else (
        select '_' || redshift_internal.shown(attname) from pg_attribute where attrelid = rel and attnum = numbers[1]) end;
    label text := case contype when 'p' then '_pkey' when 'u' then '_key' else '_fkey' end;
begin
    while octet_length(relation_name || column_name || label) > 127 loop  -- the longer one is cut, as PostgreSQL does
        if octet_length(relation_name) >= octet_length(column_name) then
            relation_name := left(relation_name, -1);
        else
            column_name := left(column_name, -1);
        end if;
    end loop;
    return relation_name || column_name || label;
end $$;

create or replace function redshift_internal.declare_key(rel oid, said jsonb) returns void language plpgsql as $$
declare
    numbers smallint[] := redshift_internal.column_numbers(rel, said -> 'columns');
    other oid := (said ->> 'table')::regclass;
    other_numbers smallint[];
    key_name text := coalesce(redshift_internal.shown((said ->> 'name')::name),
                              redshift_internal.key_name(rel, (said ->> 'kind')::"char", numbers));
begin
    if said ->> 'kind' = 'p' and exists (select from redshift_internal.relation_key where relid = rel and contype = 'p') then
        raise exception 'multiple primary keys for table "%" are not allowed', rel::regclass using errcode = '42P16';
    end if;
    if exists (select from redshift_internal.relation_key where relid = rel and name = key_name) then
        if said ->> 'name' is not null then
            raise exception 'constraint "%" for relation "%" already exists', key_name, rel::regclass using errcode = '42710';
        end if;
        key_name := left(key_name, 60) || (select count(*) from redshift_internal.relation_key where relid = rel);
    end if;
    if other is not null then
        other_numbers := redshift_internal.column_numbers(other, said -> 'references');
        if other_numbers = '{}' then
            select conkey into other_numbers from redshift_internal.relation_key where relid = other and contype = 'p';
        end if;
        if other_numbers is null then
            raise exception 'there is no primary key for referenced table "%"', other::regclass using errcode = '42704';
        end if;
    end if;
    insert into redshift_internal.relation_key (relid, name, contype, conkey, confrelid, confkey)
        values (rel, key_name, (said ->> 'kind')::"char", numbers, other, other_numbers);
end $$;

create or replace function redshift_internal.declare_like(rel oid, source oid) returns void language sql as $$
    update redshift_internal.relation r set style = s.style, interleaved = s.interleaved, sort_auto = s.sort_auto
      from redshift_internal.relation s where r.relid = rel and s.relid = source;
    insert into redshift_internal.relation_column (relid, attnum, encoding, distkey, sortkey)
        select rel, a.attnum, d.encoding, d.distkey, d.sortkey
          from redshift_internal.relation_column d join pg_attribute s on s.attrelid = d.relid and s.attnum = d.attnum
          join pg_attribute a on a.attrelid = rel and a.attname = s.attname
         where d.relid = source
        on conflict do nothing $$;

create or replace function redshift_internal.declare(table_name text, said jsonb, created boolean) returns void
    language plpgsql as $$
declare
    rel oid := table_name::regclass;
    number smallint;
    place integer := 0;
    key jsonb;
    coded record;
begin
    if created and not exists (select from redshift_internal.relation where relid = rel
                                and made_by = pg_current_xact_id()) then
        return;  -- CREATE TABLE IF NOT EXISTS, and it did
    end if;
    insert into redshift_internal.relation (relid) values (rel) on conflict do nothing;
    if said ? 'like' then
        perform redshift_internal.declare_like(rel, (said ->> 'like')::regclass);
    end if;
    insert into redshift_internal.relation_column (relid, attnum)
        select rel, attnum from pg_attribute where attrelid = rel and attnum > 0 and not attisdropped
        on conflict do nothing;
    if said ? 'style' then
        update redshift_internal.relation set style = said ->> 'style' where relid = rel;
        update redshift_internal.relation_column set distkey = false where relid = rel;
    end if;
    if said ? 'dist_key' then
        number := (redshift_internal.column_numbers(rel, jsonb_build_array(said -> 'dist_key')))[1];
        update redshift_internal.relation_column set distkey = true where relid = rel and attnum = number;
    end if;
    if said ? 'sort_key' then
        update redshift_internal.relation_column set sortkey = 0 where relid = rel;
        update redshift_internal.relation set sort_auto = false, interleaved = coalesce((said ->> 'interleaved')::boolean, false)
         where relid = rel;
        foreach number in array redshift_internal.column_numbers(rel, said -> 'sort_key') loop
            place := place + 1;  -- of an interleaved key every second one is negative: "SVV_REDSHIFT_COLUMNS", PG_TABLE_DEF
            update redshift_internal.relation_column
               set sortkey = case when said ? 'interleaved' and place % 2 = 0 then -place else place end
             where relid = rel and attnum = number;
        end loop;
    end if;
    for coded in select * from jsonb_each_text(coalesce(said -> 'encodings', '{}')) loop
        number := (redshift_internal.column_numbers(rel, jsonb_build_array(coded.key)))[1];
        update redshift_internal.relation_column c set encoding = coded.value where relid = rel and attnum = number;
    end loop;
    if said ? 'nullable' then
        update redshift_internal.relation_column c set nullable = true
         where relid = rel and attnum = any (redshift_internal.column_numbers(rel, said -> 'nullable'));
    end if;
    for key in select jsonb_array_elements(coalesce(said -> 'keys', '[]')) loop
        perform redshift_internal.declare_key(rel, key);
    end loop;
end $$;

-- The index that stands for a primary key follows its table's name.
create or replace function redshift_internal.rename_key_index(relation regclass, new_name text) returns void language plpgsql as $$
declare
    index regclass;
begin
    select c.oid into index from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
     where i.indrelid = relation and right(c.relname, 5) = '_pkey';
    if index is not null then
        execute format('alter index %s rename to %I', index, new_name);
    end if;
end $$;
create or replace function redshift_internal.drop_key(table_name text, key_name text) returns void language plpgsql as $$
declare
    rel oid := table_name::regclass;
    dropped "char";
begin
    delete from redshift_internal.relation_key where relid = rel and name = redshift_internal.shown(key_name::name)
        returning contype into dropped;
    if dropped is null then
        raise exception 'constraint "%" of relation "%" does not exist', key_name, rel::regclass using errcode = '42704';
    end if;
end $$;

create or replace function redshift_internal.on_drop() returns event_trigger language plpgsql as $$
begin
    delete from redshift_internal.relation r using pg_event_trigger_dropped_objects() d
     where d.classid = 'pg_class'::regclass and d.objsubid = 0 and r.relid = d.objid;
    delete from redshift_internal.relation_column c using pg_event_trigger_dropped_objects() d
     where d.classid = 'pg_class'::regclass and d.objsubid in (0, c.attnum) and c.relid = d.objid;
    delete from redshift_internal.relation_key k using pg_event_trigger_dropped_objects() d
     where d.classid = 'pg_class'::regclass and d.objsubid = 0 and d.objid in (k.relid, k.confrelid);
    delete from redshift_internal.late_view v using pg_event_trigger_dropped_objects() d
     where d.classid = 'pg_class'::regclass and d.objsubid = 0 and v.relid = d.objid;
    delete from redshift_internal.routine r using pg_event_trigger_dropped_objects() d
     where d.classid = 'pg_proc'::regclass and r.oid = d.objid;
end $$;
drop event trigger if exists redshift_dropped;
create event trigger redshift_dropped on sql_drop when tag in ('DROP TABLE', 'DROP VIEW', 'DROP SCHEMA', 'ALTER TABLE', 'DROP OWNED',
                             'DROP FUNCTION', 'DROP PROCEDURE')
    execute function redshift_internal.on_drop();

-- Of the routine of this name and these parameters, OUT included, in the schema that CREATE puts it in.
create or replace function redshift_internal.declare_routine(name text, types text[]) returns void language plpgsql as $$
declare
    parts text[] := parse_ident(name);
begin
    insert into redshift_internal.routine
        select p.oid, types from pg_catalog.pg_proc p
         where p.proname = parts[cardinality(parts)]
           and p.pronamespace = coalesce(to_regnamespace(quote_ident(parts[cardinality(parts) - 1])), current_schema()::regnamespace)
           and array(select unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))) = array(select t.type::regtype::oid from unnest(types) with ordinality t(type, at) order by at)
        on conflict (oid) do update set types = excluded.types;
end $$;

-- "Security and privileges for stored procedures": whoever is not its owner has to be granted to call it.
create or replace function redshift_internal.on_procedure() returns event_trigger language plpgsql as $$
declare
    procedure text;
begin
    for procedure in select p.oid::regprocedure from pg_event_trigger_ddl_commands() d join pg_catalog.pg_proc p on p.oid = d.objid
                      where d.classid = 'pg_proc'::regclass and p.prokind = 'p' and p.proacl is null
    loop
        execute format('revoke all on procedure %s from public', procedure);
    end loop;
end $$;
drop event trigger if exists redshift_procedure;
create event trigger redshift_procedure on ddl_command_end when tag in ('CREATE PROCEDURE')
    execute function redshift_internal.on_procedure();

create or replace function redshift_internal.declare_materialized_view(name text, source text, autorefresh boolean, said jsonb)
    returns void language plpgsql as $$
begin
    perform redshift_internal.declare(name, '{"style": "EVEN", "keys": []}' || said, false);
    insert into redshift_internal.materialized_view values (name::regclass, source, autorefresh)
        on conflict (relid) do update set source = excluded.source, autorefresh = excluded.autorefresh;
end $$;

create or replace function redshift_internal.set_autorefresh(name text, refreshes boolean) returns void language plpgsql as $$
declare
    view oid := name::regclass;
begin
    if not exists (select from redshift_internal.materialized_view where relid = view) then
        raise exception '"%" is not a materialized view', view::regclass using errcode = '42809';
    end if;
    if not pg_has_role((select relowner from pg_class where oid = view), 'usage') then
        raise exception 'must be owner of materialized view %', view::regclass using errcode = '42501';
    end if;
    update redshift_internal.materialized_view set autorefresh = refreshes where relid = view;
end $$;
