-- Scalar functions of the dialect: hashes, strings, VARBYTE, SUPER. Source: Database Developer Guide, the page named
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

-- "SHA1 function", "SHA function", "FUNC_SHA1 function"
create or replace function redshift_internal.rotate(word bigint, bits integer) returns bigint
    language sql immutable strict as $$ select ((word << bits) | (word >> (32 - bits))) & 4294967295 $$;
create or replace function pg_catalog.sha1(value text) returns text language plpgsql immutable strict as $$
declare
    raw bytea := convert_to(value, 'UTF8');
    bits bigint := octet_length(raw) * 8;
    h bigint[] := array[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
    w bigint[];
    a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint;
begin
    raw := raw || decode('80', 'hex');
    raw := raw || decode(repeat('00', (120 - octet_length(raw) % 64) % 64), 'hex') || int8send(bits);
    for block in 0 .. octet_length(raw) / 64 - 1 loop
        for i in 0 .. 15 loop
            w[i] := (get_byte(raw, block * 64 + i * 4)::bigint << 24) | (get_byte(raw, block * 64 + i * 4 + 1) << 16)
                | (get_byte(raw, block * 64 + i * 4 + 2) << 8) | get_byte(raw, block * 64 + i * 4 + 3);
        end loop;
        for i in 16 .. 79 loop
            w[i] := redshift_internal.rotate(w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16], 1);
        end loop;
        a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
        for i in 0 .. 79 loop
            if i < 20 then f := (b & c) | (~b & 4294967295 & d); k := 1518500249;
            elsif i < 40 then f := b # c # d; k := 1859775393;
            elsif i < 60 then f := (b & c) | (b & d) | (c & d); k := 2400959708;
            else f := b # c # d; k := 3395469782;
            end if;
            t := (redshift_internal.rotate(a, 5) + f + e + k + w[i]) & 4294967295;
            e := d; d := c; c := redshift_internal.rotate(b, 30); b := a; a := t;
        end loop;
        h := array[(h[1] + a) & 4294967295, (h[2] + b) & 4294967295, (h[3] + c) & 4294967295, (h[4] + d) & 4294967295,
                   (h[5] + e) & 4294967295];
    end loop;
    return (select string_agg(lpad(to_hex(part), 8, '0'), '' order by place) from unnest(h) with ordinality u(part, place));
end $$;
create or replace function pg_catalog.sha(value text) returns text language sql immutable strict as $$ select pg_catalog.sha1(value) $$;
create or replace function pg_catalog.func_sha1(value text) returns text language sql immutable strict as $$ select pg_catalog.sha1(value) $$;

-- "SHA2 function": 0 is 256; an empty string if the number of bits is none of its
create or replace function pg_catalog.sha2(value text, bits integer) returns text language sql immutable strict as $$
    select coalesce(encode(case bits when 224 then sha224(convert_to(value, 'UTF8')) when 384 then sha384(convert_to(value, 'UTF8'))
        when 512 then sha512(convert_to(value, 'UTF8')) when 256 then sha256(convert_to(value, 'UTF8'))
        when 0 then sha256(convert_to(value, 'UTF8')) end, 'hex'), '') $$;

-- "CRC32 function": CRC-32C in eight hexadecimal digits
create or replace function pg_catalog.crc32(value text) returns text language plpgsql immutable strict as $$
declare
    raw bytea := convert_to(value, 'UTF8');
    crc bigint := 4294967295;
begin
    for i in 0 .. octet_length(raw) - 1 loop
        crc := crc # get_byte(raw, i);
        for bit in 1 .. 8 loop
            crc := case when crc & 1 = 1 then (crc >> 1) # 2197175160 else crc >> 1 end;
        end loop;
    end loop;
    return lpad(to_hex(crc # 4294967295), 8, '0');
end $$;

-- "FNV_HASH function": 64-bit FNV-1a of the value's binary representation, little endian
create or replace function redshift_internal.fnv(raw bytea, seed bigint) returns bigint language plpgsql immutable as $$
declare
    h numeric := case when seed is null then 14695981039346656037 when seed < 0 then seed + 18446744073709551616 else seed end;
    low integer;
begin
    if raw is null then
        return null;
    end if;
    for i in 0 .. octet_length(raw) - 1 loop
        low := mod(h, 256)::integer;
        h := mod((h - low + (low # get_byte(raw, i))) * 1099511628211, 18446744073709551616);
    end loop;
    return (case when h >= 9223372036854775808 then h - 18446744073709551616 else h end)::bigint;
end $$;
create or replace function redshift_internal.reversed(raw bytea) returns bytea language sql immutable strict as $$
    select string_agg(substr(raw, place, 1), ''::bytea order by place desc) from generate_series(1, octet_length(raw)) place $$;
create or replace function pg_catalog.fnv_hash(value text, seed bigint default null) returns bigint language sql immutable
    as $$ select redshift_internal.fnv(convert_to(value, 'UTF8'), seed) $$;
create or replace function pg_catalog.fnv_hash(value smallint, seed bigint default null) returns bigint language sql immutable
    as $$ select redshift_internal.fnv(redshift_internal.reversed(int2send(value)), seed) $$;
create or replace function pg_catalog.fnv_hash(value integer, seed bigint default null) returns bigint language sql immutable
    as $$ select redshift_internal.fnv(redshift_internal.reversed(int4send(value)), seed) $$;
create or replace function pg_catalog.fnv_hash(value bigint, seed bigint default null) returns bigint language sql immutable
    as $$ select redshift_internal.fnv(redshift_internal.reversed(int8send(value)), seed) $$;
create or replace function pg_catalog.fnv_hash(value bytea, seed bigint default null) returns bigint language sql immutable
    as $$ select redshift_internal.fnv(value, seed) $$;

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
    return value::jsonb;
exception when invalid_text_representation or untranslatable_character then
    return null;
end $$;
create or replace function pg_catalog.json_extract_array_element_text(value text, element integer) returns text
    language sql immutable as $$
    select case when value is null then null when element < 0 then '' else coalesce(value::jsonb ->> element, '') end $$;
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
create or replace function pg_catalog.json_size(value jsonb) returns bigint language sql immutable strict
    as $$ select octet_length(redshift_internal.json_serialize(value)) $$;

-- "SUPER array functions"
create or replace function pg_catalog.array_concat(a jsonb, b jsonb) returns jsonb language sql immutable strict
    as $$ select case when jsonb_typeof(a) = 'array' and jsonb_typeof(b) = 'array' then a || b end $$;
create or replace function pg_catalog.array_flatten(value jsonb) returns jsonb language sql immutable strict as $$
    select coalesce(jsonb_agg(inner_value order by n, m), '[]') from jsonb_array_elements(value) with ordinality a(e, n),
        lateral jsonb_array_elements(case when jsonb_typeof(e) = 'array' then e else jsonb_build_array(e) end)
        with ordinality b(inner_value, m) $$;
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

-- "MEDIAN window function"; the aggregate is PostgreSQL's percentile_cont
create or replace function redshift_internal.middle(all_values numeric[]) returns numeric language sql immutable as $$
    select avg(v) from (select v, row_number() over (order by v) as n, count(*) over () as c from unnest(all_values) v where v is not null) s
     where n in ((c + 1) / 2, (c + 2) / 2) $$;
create or replace aggregate redshift_internal.median(numeric) (
    sfunc = array_append, stype = numeric[], finalfunc = redshift_internal.middle);

-- Date comparisons
create or replace function pg_catalog.date_cmp_timestamp(a date, b timestamp) returns integer language sql immutable
    as $$ select pg_catalog.timestamp_cmp(a::timestamp, b) $$;
create or replace function pg_catalog.timestamp_cmp_date(a timestamp, b date) returns integer language sql immutable
    as $$ select pg_catalog.timestamp_cmp(a, b::timestamp) $$;
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
create or replace function redshift_internal.smaller(a jsonb, b jsonb) returns jsonb language sql immutable
    as $$ select least(a, b) $$;
create or replace function redshift_internal.larger(a jsonb, b jsonb) returns jsonb language sql immutable
    as $$ select greatest(a, b) $$;
create or replace aggregate pg_catalog.min(jsonb) (sfunc = redshift_internal.smaller, stype = jsonb);
create or replace aggregate pg_catalog.max(jsonb) (sfunc = redshift_internal.larger, stype = jsonb);
