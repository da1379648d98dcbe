-- Hash functions. Source: Database Developer Guide, "Hash functions", the page named above each.

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


-- "MURMUR3_32_HASH function": Murmur3A of the bytes that Apache Iceberg's specification ("Appendix B: 32-bit hash
-- requirements") says: a smaller integer is hashed as one of 64 bits, a DECIMAL as its unscaled value
create or replace function redshift_internal.murmur3(raw bytea, seed integer) returns integer
    language plpgsql immutable strict as $$
declare
    h bigint := seed::bigint & 4294967295;
    k bigint;
    size integer := octet_length(raw);
    tail integer := size % 4;
begin
    for block in 0 .. size / 4 - 1 loop
        k := get_byte(raw, block * 4) | (get_byte(raw, block * 4 + 1) << 8) | (get_byte(raw, block * 4 + 2) << 16)
            | (get_byte(raw, block * 4 + 3)::bigint << 24);
        h := redshift_internal.rotate(h # redshift_internal.murmur3_mixed(k), 13);
        h := (h * 5 + 3864292196) & 4294967295;
    end loop;
    if tail > 0 then
        k := 0;
        for i in reverse tail - 1 .. 0 loop
            k := (k << 8) | get_byte(raw, size - tail + i);
        end loop;
        h := h # redshift_internal.murmur3_mixed(k);
    end if;
    h := h # size;
    h := mod((h # (h >> 16)) * 2246822507::numeric, 4294967296)::bigint;
    h := mod((h # (h >> 13)) * 3266489909::numeric, 4294967296)::bigint;
    h := h # (h >> 16);
    return case when h >= 2147483648 then h - 4294967296 else h end;
end $$;
create or replace function redshift_internal.murmur3_mixed(k bigint) returns bigint language sql immutable strict as $$
    select mod(redshift_internal.rotate(mod(k * 3432918353::numeric, 4294967296)::bigint, 15) * 461845907::numeric, 4294967296)::bigint $$;
-- two's complement in as few bytes as hold it, the most significant one first
create or replace function redshift_internal.shortest_bytes(value numeric) returns bytea language plpgsql immutable strict as $$
declare
    rest numeric := case when value < 0 then -value - 1 else value end;
    flip integer := case when value < 0 then 255 else 0 end;
    raw bytea := '';
begin
    loop
        raw := set_byte(decode('00', 'hex'), 0, mod(rest, 256)::integer # flip) || raw;
        exit when rest < 128;
        rest := div(rest, 256);
    end loop;
    return raw;
end $$;
create or replace function pg_catalog.murmur3_32_hash(value text, seed integer default 0) returns integer language sql immutable
    as $$ select redshift_internal.murmur3(convert_to(value, 'UTF8'), seed) $$;
create or replace function pg_catalog.murmur3_32_hash(value bytea, seed integer default 0) returns integer language sql immutable
    as $$ select redshift_internal.murmur3(value, seed) $$;
create or replace function pg_catalog.murmur3_32_hash(value bigint, seed integer default 0) returns integer language sql immutable
    as $$ select redshift_internal.murmur3(redshift_internal.reversed(int8send(value)), seed) $$;
create or replace function pg_catalog.murmur3_32_hash(value integer, seed integer default 0) returns integer language sql immutable
    as $$ select pg_catalog.murmur3_32_hash(value::bigint, seed) $$;
create or replace function pg_catalog.murmur3_32_hash(value smallint, seed integer default 0) returns integer language sql immutable
    as $$ select pg_catalog.murmur3_32_hash(value::bigint, seed) $$;
create or replace function pg_catalog.murmur3_32_hash(value boolean, seed integer default 0) returns integer language sql immutable
    as $$ select pg_catalog.murmur3_32_hash(value::integer::bigint, seed) $$;
create or replace function pg_catalog.murmur3_32_hash(value date, seed integer default 0) returns integer language sql immutable
    as $$ select pg_catalog.murmur3_32_hash((value - date '1970-01-01')::bigint, seed) $$;
create or replace function pg_catalog.murmur3_32_hash(value timestamp, seed integer default 0) returns integer language sql immutable
    as $$ select pg_catalog.murmur3_32_hash((extract(epoch from value) * 1000000)::bigint, seed) $$;
create or replace function pg_catalog.murmur3_32_hash(value double precision, seed integer default 0) returns integer
    language sql immutable as $$ select redshift_internal.murmur3(redshift_internal.reversed(float8send(value)), seed) $$;
create or replace function pg_catalog.murmur3_32_hash(value numeric, seed integer default 0) returns integer language sql immutable
    as $$ select redshift_internal.murmur3(redshift_internal.shortest_bytes(trunc(value * 10::numeric ^ scale(value))), seed) $$;
