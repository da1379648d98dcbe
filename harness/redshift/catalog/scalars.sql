-- Scalar functions of the dialect: strings, VARBYTE, SUPER. Source: Database Developer Guide, the page named
-- above each. After functions.sql, some of whose definitions it relies on.

-- "CAST function": a string cut to VARCHAR(n) is cut after n bytes; one assigned to it must fit. PostgreSQL's own cast
-- from VARCHAR to VARCHAR(n) counts characters, so that cast gets this function instead.
create or replace function redshift_internal.fit_bytes(value varchar, typmod integer, is_explicit boolean) returns varchar
    language plpgsql immutable strict parallel safe support pg_catalog.varchar_support as $$
declare
    limit_bytes integer := typmod - 4;
    kept varchar := value;
begin
    if typmod < 4 or octet_length(value) <= limit_bytes then
        return value;
    end if;
    while octet_length(kept) > limit_bytes loop  -- a character has at most four bytes, so this never takes too many
        kept := left(kept, -((octet_length(kept) - limit_bytes + 3) / 4));
    end loop;
    if not is_explicit and rtrim(substr(value, char_length(kept) + 1), ' ') <> '' then
        raise exception 'value too long for type character varying(%)', limit_bytes using errcode = '22001';
    end if;
    return kept;
end $$;
update pg_catalog.pg_cast set castfunc = 'redshift_internal.fit_bytes(varchar, integer, boolean)'::regprocedure
    where castsource = 'varchar'::regtype and casttarget = 'varchar'::regtype;

-- The same for CHAR(n), which is filled up with blanks to n bytes.
create or replace function redshift_internal.fit_char_bytes(value bpchar, typmod integer, is_explicit boolean) returns bpchar
    language plpgsql immutable strict parallel safe as $$
declare
    limit_bytes integer := typmod - 4;
    kept varchar := value::text;  -- without the blanks at its end
begin
    if typmod < 4 then
        return value;
    end if;
    if octet_length(kept) > limit_bytes then
        if not is_explicit then
            raise exception 'value too long for type character(%)', limit_bytes using errcode = '22001';
        end if;
        kept := redshift_internal.fit_bytes(kept, typmod, true);
    end if;
    return (kept || repeat(' ', limit_bytes - octet_length(kept)))::bpchar;
end $$;
update pg_catalog.pg_cast set castfunc = 'redshift_internal.fit_char_bytes(bpchar, integer, boolean)'::regprocedure
    where castsource = 'bpchar'::regtype and casttarget = 'bpchar'::regtype;

-- "STRTOL function"
create or replace function pg_catalog.strtol(digits text, base integer) returns bigint language plpgsql immutable strict as $$
declare
    result numeric := 0;
    unsigned text := lower(ltrim(digits));
    digit integer;
    is_negative boolean := left(unsigned, 1) = '-';
    sign_character text;
begin
    if base not between 2 and 36 then
        raise exception 'base % is not between 2 and 36', base using errcode = '22023';
    end if;
    unsigned := regexp_replace(unsigned, '^[+-]', '');
    if base = 16 then
        unsigned := regexp_replace(unsigned, '^0x', '');
    end if;
    foreach sign_character in array string_to_array(unsigned, null) loop
        digit := position(sign_character in '0123456789abcdefghijklmnopqrstuvwxyz') - 1;
        if digit < 0 or digit >= base then
            raise exception 'The input % is not valid to be converted to base %', digits, base using errcode = '22023';
        end if;
        result := result * base + digit;
    end loop;
    if result > 9223372036854775807::numeric + is_negative::integer then
        raise exception 'The input % is out of range for a 64-bit integer', digits using errcode = '22003';
    end if;
    return (case when is_negative then -result else result end)::bigint;
end $$;

-- "TEXT_TO_INT_ALT function", "TEXT_TO_NUMERIC_ALT function", without a format: a sign may stand at the end, blanks are 0
create or replace function redshift_internal.teradata_number(value text) returns numeric language sql immutable strict as $$
    select case when btrim(value) = '' then 0 when btrim(value) ~ '[+-]$'
           then (right(btrim(value), 1) || left(btrim(value), -1))::numeric else value::numeric end $$;
create or replace function pg_catalog.text_to_int_alt(value text) returns integer language sql immutable strict
    as $$ select trunc(redshift_internal.teradata_number(value))::integer $$;
create or replace function pg_catalog.text_to_numeric_alt(value text, digits integer default 38, decimals integer default 0) returns numeric
    language plpgsql immutable strict as $$
declare
    exact numeric := redshift_internal.teradata_number(value);
    cut numeric := trunc(exact, decimals);
    unit numeric := 10::numeric ^ -decimals;
    rounded numeric := case when abs(exact - cut) * 2 = unit and mod(cut / unit, 2) = 0 then cut else round(exact, decimals) end;
begin
    if abs(rounded) >= 10::numeric ^ (digits - decimals) then
        raise exception 'Numeric data overflow (result precision)' using errcode = '22003';
    end if;
    return trunc(rounded, decimals);
end $$;

-- "OCTETINDEX function", "CHR function", "CONCAT function", "SOUNDEX function", "DIFFERENCE function"
create or replace function pg_catalog.octetindex(part text, whole text) returns integer language sql immutable strict as $$
    select case position(part in whole) when 0 then 0 else octet_length(left(whole, position(part in whole) - 1)) + 1 end $$;
create or replace function redshift_internal.chr(code integer) returns text language sql immutable strict
    as $$ select case when code between 1 and 127 then pg_catalog.chr(code) end $$;
create or replace function pg_catalog.soundex(value text) returns text language plpgsql immutable strict as $$
declare
    letters text := upper(regexp_replace(value, '[^A-Za-z]', '', 'g'));
    result text := left(letters, 1);
    code text;
    last text := translate(left(letters, 1), 'AEIOUYHWBFPVCGJKQSXZDTLMNR', '......--111122222222334556');
begin
    for i in 2 .. length(letters) loop
        code := translate(substr(letters, i, 1), 'AEIOUYHWBFPVCGJKQSXZDTLMNR', '......--111122222222334556');
        if code not in ('.', '-') and code <> last then
            result := result || code;
        end if;
        if code <> '-' then  -- H and W do not part two letters of one code
            last := code;
        end if;
    end loop;
    return case when letters = '' then '' else rpad(left(result, 4), 4, '0') end;
end $$;
create or replace function pg_catalog.difference(a text, b text) returns integer language sql immutable strict as $$
    select count(*)::integer from generate_series(1, 4) i
     where substr(pg_catalog.soundex(a), i, 1) = substr(pg_catalog.soundex(b), i, 1) $$;

-- "REGEXP_COUNT function", "REGEXP_INSTR function": 'e' and 'p' choose what is always so here
create or replace function redshift_internal.regexp_count(value text, pattern text, start integer default 1, flags text default '')
    returns integer language sql immutable strict
    as $$ select pg_catalog.regexp_count(value, pattern, start, translate(flags, 'ep', '')) $$;
create or replace function redshift_internal.regexp_instr(value text, pattern text, start integer default 1,
    occurrence integer default 1, behind integer default 0, flags text default '') returns integer language sql immutable strict
    as $$ select pg_catalog.regexp_instr(value, pattern, start, occurrence, least(behind, 1), translate(flags, 'ep', '')) $$;

-- "VARBYTE data type": as a string it is what its bytes say in UTF-8
create or replace function redshift_internal.text_of_bytes(value bytea) returns text language sql immutable strict
    as $$ select convert_from(value, 'UTF8') $$;
do $$
begin
    if not exists (select from pg_catalog.pg_cast where castsource = 'bytea'::regtype and casttarget = 'text'::regtype) then
        create cast (bytea as text) with function redshift_internal.text_of_bytes(bytea) as assignment;
        create cast (bytea as varchar) with function redshift_internal.text_of_bytes(bytea) as assignment;
    end if;
end $$;

-- "TO_HEX function", "FROM_HEX function", "TO_VARBYTE function", "FROM_VARBYTE function"
create or replace function pg_catalog.to_hex(value bytea) returns text language sql immutable strict
    as $$ select encode(value, 'hex') $$;
create or replace function pg_catalog.from_hex(value text) returns bytea language sql immutable strict
    as $$ select decode(case when length(value) % 2 = 1 then '0' else '' end || value, 'hex') $$;
create or replace function pg_catalog.to_varbyte(value text, format text) returns bytea language plpgsql immutable strict as $$
begin
    return case lower(format)
        when 'hex' then pg_catalog.from_hex(value)
        when 'utf8' then convert_to(value, 'UTF8') when 'utf-8' then convert_to(value, 'UTF8')
        when 'binary' then (select string_agg(set_byte(decode('00', 'hex'), 0, substr(padded, i * 8 + 1, 8)::bit(8)::integer), ''::bytea order by i)
            from (select lpad(value, (length(value) + 7) / 8 * 8, '0') as padded) p, generate_series(0, (length(value) + 7) / 8 - 1) i)
        else redshift_internal.bad_format(format)::bytea end;
end $$;
-- "GETBIT function": from the least significant bit on
create or replace function pg_catalog.getbit(value bytea, index integer) returns integer language sql immutable strict as $$
    select get_byte(value, case when index < 0 then index else octet_length(value) - 1 - index / 8 end) >> index % 8 & 1 $$;
-- "LEN function", "CONCAT function"
create or replace function pg_catalog.char_length(value bytea) returns integer language sql immutable strict
    as $$ select octet_length(value) $$;
create or replace function redshift_internal.concat(a bytea, b bytea) returns bytea language sql immutable strict as $$ select a || b $$;
create or replace function redshift_internal.concat(a text, b text) returns text language sql immutable strict as $$ select a || b $$;
create or replace function redshift_internal.joined(value bytea) returns bytea language sql immutable as $$ select value $$;
create or replace function redshift_internal.joined(value text) returns text language sql immutable as $$ select value $$;
create or replace function redshift_internal.joined(value anynonarray) returns text language sql stable as $$ select value::text $$;
create or replace function redshift_internal.bad_format(format text) returns text language plpgsql immutable as $$
begin
    raise exception 'format "%" is not one of hex, binary, utf8', format using errcode = '22023';
end $$;
create or replace function pg_catalog.from_varbyte(value bytea, format text) returns text language plpgsql immutable strict as $$
begin
    return case lower(format)
        when 'hex' then encode(value, 'hex')
        when 'utf8' then convert_from(value, 'UTF8') when 'utf-8' then convert_from(value, 'UTF8')
        when 'binary' then coalesce((select string_agg(get_byte(value, i)::bit(8)::text, '' order by i)
            from generate_series(0, octet_length(value) - 1) i), '')
        else redshift_internal.bad_format(format) end;
end $$;

-- "JSON functions": null_if_invalid, and indexes outside the array
create or replace function redshift_internal.parse_or_null(value text) returns jsonb language plpgsql immutable strict as $$
begin
    return value::json::jsonb;
exception when invalid_text_representation or untranslatable_character then
    return null;
end $$;
create or replace function pg_catalog.json_extract_array_element_text(value text, element integer) returns text
    language sql immutable as $$
    select case when value is null then null when element < 0 then '' else coalesce(value::json::jsonb ->> element, '') end $$;
create or replace function pg_catalog.json_extract_array_element_text(value text, element integer, null_if_invalid boolean)
    returns text language sql immutable as $$
    select case when null_if_invalid and redshift_internal.parse_or_null(value) is null then null
           else pg_catalog.json_extract_array_element_text(value, element) end $$;
create or replace function pg_catalog.json_array_length(value text, null_if_invalid boolean) returns integer
    language sql immutable as $$
    select case when null_if_invalid and coalesce(jsonb_typeof(redshift_internal.parse_or_null(value)), '') <> 'array' then null
           else pg_catalog.json_array_length(value) end $$;
create or replace function redshift_internal.json_extract_path_text(value text, null_if_invalid boolean, variadic path text[])
    returns text language sql immutable as $$
    select case when null_if_invalid and redshift_internal.parse_or_null(value) is null then null
           else pg_catalog.json_extract_path_text(value, variadic path) end $$;

-- "SUPER type", "Ingesting semistructured data": what is assigned or cast to SUPER is a value of its own, a string not parsed
do $$
declare
    source text;
begin
    foreach source in array array['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'boolean', 'text', 'varchar',
                                  'bpchar'] loop
        execute format('create or replace function redshift_internal.super_of(value %s) returns jsonb language sql immutable strict
                        as $f$ select pg_catalog.to_jsonb(value) $f$', source);
        if not exists (select from pg_catalog.pg_cast where castsource = source::regtype and casttarget = 'jsonb'::regtype) then
            execute format('create cast (%s as jsonb) with function redshift_internal.super_of(%s) as assignment', source, source);
        end if;
    end loop;
end $$;

-- "SUPER type information functions": false for null
create or replace function redshift_internal.is_whole(value jsonb, low numeric, high numeric) returns boolean language sql immutable as $$
    select coalesce(jsonb_typeof(value) = 'number', false)
       and case when jsonb_typeof(value) = 'number' then position('.' in value::text) = 0 and value::numeric between low and high end $$;
create or replace function pg_catalog.is_array(value jsonb) returns boolean language sql immutable
    as $$ select coalesce(jsonb_typeof(value) = 'array', false) $$;
create or replace function pg_catalog.is_object(value jsonb) returns boolean language sql immutable
    as $$ select coalesce(jsonb_typeof(value) = 'object', false) $$;
create or replace function pg_catalog.is_scalar(value jsonb) returns boolean language sql immutable
    as $$ select coalesce(jsonb_typeof(value) in ('string', 'number', 'boolean'), false) $$;
create or replace function pg_catalog.is_varchar(value jsonb) returns boolean language sql immutable
    as $$ select coalesce(jsonb_typeof(value) = 'string', false) $$;
create or replace function pg_catalog.is_boolean(value jsonb) returns boolean language sql immutable
    as $$ select coalesce(jsonb_typeof(value) = 'boolean', false) $$;
create or replace function pg_catalog.is_smallint(value jsonb) returns boolean language sql immutable
    as $$ select redshift_internal.is_whole(value, -32768, 32767) $$;
create or replace function pg_catalog.is_integer(value jsonb) returns boolean language sql immutable
    as $$ select redshift_internal.is_whole(value, -2147483648, 2147483647) $$;
create or replace function pg_catalog.is_bigint(value jsonb) returns boolean language sql immutable
    as $$ select redshift_internal.is_whole(value, -9223372036854775808, 9223372036854775807) $$;
create or replace function pg_catalog.is_decimal(value jsonb) returns boolean language sql immutable
    as $$ select coalesce(jsonb_typeof(value) = 'number', false) $$;
create or replace function pg_catalog.is_float(value jsonb) returns boolean language sql immutable
    as $$ select coalesce(jsonb_typeof(value) = 'number' and position('.' in value::text) > 0, false) $$;

-- "SIZE function", "JSON_SIZE function", "JSON_SERIALIZE function": as it is written without white space
create or replace function redshift_internal.json_serialize(value jsonb) returns text language sql immutable strict as $$
    select case jsonb_typeof(value)
        when 'array' then '[' || coalesce((select string_agg(redshift_internal.json_serialize(e), ',' order by n)
                                             from jsonb_array_elements(value) with ordinality a(e, n)), '') || ']'
        when 'object' then '{' || coalesce((select string_agg(to_json(k)::text || ':' || redshift_internal.json_serialize(e), ',')
                                              from jsonb_each(value) o(k, e)), '') || '}'
        else value::text end $$;
create or replace function pg_catalog.json_serialize_to_varbyte(value jsonb) returns bytea language sql immutable strict
    as $$ select convert_to(redshift_internal.json_serialize(value), 'UTF8') $$;
create or replace function pg_catalog.json_size(value jsonb) returns bigint language sql immutable strict
    as $$ select octet_length(redshift_internal.json_serialize(value)) $$;

-- "SUPER array functions"
create or replace function pg_catalog.array_concat(a jsonb, b jsonb) returns jsonb language sql immutable strict
    as $$ select case when jsonb_typeof(a) = 'array' and jsonb_typeof(b) = 'array' then a || b end $$;
create or replace function redshift_internal.leaves(value jsonb, path bigint[]) returns table (leaf jsonb, place bigint[])
    language sql immutable strict as $$
    with recursive within(inner_value, place) as (
        select value, path
        union all
        select e, within.place || n from within, lateral jsonb_array_elements(
            case when jsonb_typeof(inner_value) = 'array' then inner_value else '[]' end) with ordinality a(e, n)
    ) select inner_value, within.place from within where jsonb_typeof(inner_value) <> 'array' $$;
create or replace function pg_catalog.array_flatten(value jsonb) returns jsonb language sql immutable strict as $$
    select case when jsonb_typeof(value) = 'array' then coalesce(jsonb_agg(leaf order by place), '[]') end
      from redshift_internal.leaves(value, '{}') $$;
create or replace function pg_catalog.split_to_array(value text, delimiter text default ',') returns jsonb
    language sql immutable strict as $$ select to_jsonb(string_to_array(value, delimiter)) $$;
create or replace function pg_catalog.subarray(value jsonb, start integer, length integer default null) returns jsonb
    language sql immutable as $$
    select coalesce(jsonb_agg(e order by n), '[]') from jsonb_array_elements(value) with ordinality a(e, n)
     where n > start and (length is null or n <= start + length) $$;

-- "Querying semistructured data": navigation is lax, a cast that cannot be is NULL, a comparison of two types is not true
create or replace function redshift_internal.super_text(value jsonb) returns text language sql immutable strict
    as $$ select case when jsonb_typeof(value) = 'string' then value #>> '{}' end $$;
create or replace function redshift_internal.super_number(value jsonb) returns numeric language sql immutable strict
    as $$ select case when jsonb_typeof(value) = 'number' then value::numeric end $$;
create or replace function redshift_internal.super_boolean(value jsonb) returns boolean language sql immutable strict
    as $$ select case when jsonb_typeof(value) = 'boolean' then value::boolean end $$;
create or replace function redshift_internal.cast_super(value jsonb, target anyelement) returns anyelement
    language plpgsql stable as $$
begin
    if jsonb_typeof(value) in ('array', 'object') and pg_typeof(target)::text not in ('text', 'character varying') then
        return null;
    end if;
    execute format('select $1::%s', pg_typeof(target)) into target using case
        when jsonb_typeof(value) in ('array', 'object') then redshift_internal.json_serialize(value) else value #>> '{}' end;
    return target;
exception when data_exception then
    return null;
end $$;
create or replace function redshift_internal.element(value jsonb, place integer) returns jsonb language sql immutable strict
    as $$ select case when jsonb_typeof(value) = 'array' and place >= 0 then value -> place end $$;
create or replace function redshift_internal.elements(value jsonb) returns table (value_ jsonb, place bigint)
    language sql immutable strict as $$
    select e, n - 1 from jsonb_array_elements(case when jsonb_typeof(value) = 'array' then value else '[]' end) with ordinality a(e, n) $$;
create or replace function redshift_internal.attributes(value jsonb) returns table (value_ jsonb, attribute text)
    language sql immutable strict as $$
    select e, k from jsonb_each(case when jsonb_typeof(value) = 'object' then value else '{}' end) o(k, e) $$;

-- a column of another type is compared with what the SUPER value is
create or replace function redshift_internal.super_equals(a jsonb, b numeric) returns boolean language sql immutable strict
    as $$ select coalesce(redshift_internal.super_number(a) = b, false) $$;
create or replace function redshift_internal.super_equals(a jsonb, b text) returns boolean language sql immutable strict
    as $$ select coalesce(redshift_internal.super_text(a) = b, false) $$;
create or replace function redshift_internal.super_equals(a numeric, b jsonb) returns boolean language sql immutable strict
    as $$ select coalesce(redshift_internal.super_number(b) = a, false) $$;
create or replace function redshift_internal.super_equals(a text, b jsonb) returns boolean language sql immutable strict
    as $$ select coalesce(redshift_internal.super_text(b) = a, false) $$;
do $$
declare
    pair text[];
begin
    foreach pair slice 1 in array array[['jsonb', 'numeric'], ['jsonb', 'text'], ['numeric', 'jsonb'], ['text', 'jsonb']] loop
        if to_regoperator(format('pg_catalog.=(%s,%s)', pair[1], pair[2])) is null then
            execute format('create operator pg_catalog.= (leftarg = %s, rightarg = %s, function = redshift_internal.super_equals)',
                           pair[1], pair[2]);
        end if;
    end loop;
end $$;
