-- VARCHAR(n) and CHAR(n) count bytes in Redshift ("Character types"); PostgreSQL counts characters. Every table gets a
-- check per such column; the gateway words its violation as Redshift does.
create or replace function redshift_internal.drop_length_checks(relation oid, column_name name) returns void
    language plpgsql as $$
declare
    stale name;
begin
    for stale in
        select k.conname from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and k.conkey = array[a.attnum]
         where k.conrelid = relation and k.contype = 'c' and a.attname = column_name and k.conname like 'redshift\_bytes\_%'
    loop
        execute format('alter table %s drop constraint %I', relation::regclass, stale);
    end loop;
end $$;

create or replace function redshift_internal.check_lengths(relation oid) returns void language plpgsql as $$
declare
    wanted record;
    checks text[] := '{}';
begin
    for wanted in
        select a.attname, a.atttypmod - 4 as size_bytes, format('redshift_bytes_%s_%s', a.attnum, a.atttypmod - 4) as name
          from pg_attribute a join pg_class c on c.oid = a.attrelid
         where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and a.atttypmod > 4
           and a.atttypid in ('varchar'::regtype, 'bpchar'::regtype) and c.relkind in ('r', 'p')
           and not exists (select from pg_constraint k where k.conrelid = relation and k.contype = 'c'
                           and k.conkey = array[a.attnum] and k.conname like 'redshift\_bytes\_%\_' || (a.atttypmod - 4))
    loop
        perform redshift_internal.drop_length_checks(relation, wanted.attname);
        checks := checks || format('add constraint %I check (octet_length(%I) <= %s) not valid',
                                   wanted.name, wanted.attname, wanted.size_bytes);
    end loop;
    if checks <> '{}' then  -- not valid: what is there already is not read again, new rows are checked all the same
        execute format('alter table %s %s', relation::regclass, array_to_string(checks, ', '));
    end if;
end $$;

create or replace function redshift_internal.on_ddl_end() returns event_trigger language plpgsql
    set search_path from current set standard_conforming_strings = on as $$
declare
    relation oid;
begin
    if current_setting('redshift.in_ddl', true) = 'on' then
        return;
    end if;
    perform set_config('redshift.in_ddl', 'on', true);
    for relation in select objid from pg_event_trigger_ddl_commands() where classid = 'pg_class'::regclass loop
        perform redshift_internal.check_lengths(relation);
    end loop;
    insert into redshift_internal.relation (relid, made_by, made_at)
        select objid, pg_current_xact_id(), statement_timestamp() at time zone 'UTC' from pg_event_trigger_ddl_commands()
         where classid = 'pg_class'::regclass and object_type = 'table' and command_tag <> 'ALTER TABLE'
        on conflict do nothing;
    perform set_config('redshift.in_ddl', 'off', true);
end $$;
drop event trigger if exists redshift_lengths;
create event trigger redshift_lengths on ddl_command_end
    when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
    execute function redshift_internal.on_ddl_end();
