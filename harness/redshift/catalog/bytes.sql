-- VARBYTE beside what PostgreSQL's BYTEA has. Source: Database Developer Guide, "VARBYTE data type", "VARBYTE operators".
create or replace function redshift_internal.inverted(value bytea) returns bytea language sql immutable strict as $$
    select coalesce(string_agg(set_byte(decode('00', 'hex'), 0, 255 - get_byte(value, i)), ''::bytea order by i), '')
      from generate_series(0, octet_length(value) - 1) i $$;
-- the shorter of the two has zeros before it, as a number has
create or replace function redshift_internal.combined(a bytea, b bytea, operator text) returns bytea language plpgsql immutable strict as $$
declare
    size integer := greatest(octet_length(a), octet_length(b));
    left_bytes bytea := decode(repeat('00', size - octet_length(a)), 'hex') || a;
    right_bytes bytea := decode(repeat('00', size - octet_length(b)), 'hex') || b;
    x integer;
    y integer;
begin
    for i in 0 .. size - 1 loop
        x := get_byte(left_bytes, i);
        y := get_byte(right_bytes, i);
        left_bytes := set_byte(left_bytes, i, case operator when '&' then x & y when '|' then x | y else x # y end);
    end loop;
    return left_bytes;
end $$;
create or replace function redshift_internal.bytes_and(a bytea, b bytea) returns bytea language sql immutable strict
    as $$ select redshift_internal.combined(a, b, '&') $$;
create or replace function redshift_internal.bytes_or(a bytea, b bytea) returns bytea language sql immutable strict
    as $$ select redshift_internal.combined(a, b, '|') $$;
create or replace function redshift_internal.bytes_xor(a bytea, b bytea) returns bytea language sql immutable strict
    as $$ select redshift_internal.combined(a, b, '#') $$;
create or replace function redshift_internal.bytes_of(value smallint) returns bytea language sql immutable strict as $$ select int2send(value) $$;
create or replace function redshift_internal.bytes_of(value integer) returns bytea language sql immutable strict as $$ select int4send(value) $$;
create or replace function redshift_internal.bytes_of(value bigint) returns bytea language sql immutable strict as $$ select int8send(value) $$;
do $$
declare
    called text[];
    source text;
begin
    foreach called slice 1 in array array[['+', 'concat'], ['&', 'bytes_and'], ['|', 'bytes_or'], ['#', 'bytes_xor']] loop
        if to_regoperator(format('pg_catalog.%s(bytea,bytea)', called[1])) is null then
            execute format('create operator pg_catalog.%s (leftarg = bytea, rightarg = bytea, function = redshift_internal.%I)',
                           called[1], called[2]);
        end if;
    end loop;
    if to_regoperator('pg_catalog.~(none,bytea)') is null then
        create operator pg_catalog.~ (rightarg = bytea, function = redshift_internal.inverted);
    end if;
    foreach source in array array['smallint', 'integer', 'bigint'] loop
        if not exists (select from pg_catalog.pg_cast where castsource = source::regtype and casttarget = 'bytea'::regtype) then
            execute format('create cast (%s as bytea) with function redshift_internal.bytes_of(%s)', source, source);
        end if;
    end loop;
end $$;
