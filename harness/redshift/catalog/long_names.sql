-- Names of more than 63 bytes (`harness.redshift.long_names`): PostgreSQL has short ones, of 60 to 63 bytes, and here is what
-- they stand for. A name that two transactions remember at the same time is here twice: neither waits for the other.
create table if not exists redshift_internal.long_name (short text, long text);
create index if not exists long_name_short on redshift_internal.long_name (short);
grant select, insert on redshift_internal.long_name to public;

create or replace function redshift_internal.long_name(short name) returns text language sql stable as $$
    select coalesce((select n.long from redshift_internal.long_name n where n.short = $1::text limit 1), $1::text) $$;
-- A name as Redshift's catalog has it: one that is short enough to be its own costs no look-up. Where it is a column's, what
-- installs this puts the expression in the call's place (`harness.redshift.catalog`).
create or replace function redshift_internal.shown(name name) returns text language sql stable as $$
    select case when octet_length($1::text) < 60 then $1::text else redshift_internal.long_name($1) end $$;
create or replace function redshift_internal.shown_all(names text[]) returns text[] language sql stable as $$
    select array_agg(redshift_internal.shown(n.name::name) order by n.at) from unnest(names) with ordinality n(name, at) $$;
-- SQL, or the name of a relation with its schema, as it was written.
create or replace function redshift_internal.with_long_names(words text) returns text language plpgsql stable as $$
declare
    known record;
begin
    if words ~ '_[0-9a-f]{16}' then
        for known in select distinct n.short, n.long from redshift_internal.long_name n where position(n.short in words) > 0 loop
            words := replace(words, quote_ident(known.short), quote_ident(known.long));
            words := replace(words, known.short, known.long);
        end loop;
    end if;
    return words;
end $$;
