-- "FARMFINGERPRINT64 function": Fingerprint64 of FarmHash. Its numbers have 64 bits without a sign; here they are BIGINT,
-- and sums and products are taken modulo 2^64.
create or replace function redshift_internal.wrapped(value numeric) returns bigint language sql immutable strict as $$
    select (mod(mod(value, 18446744073709551616) + 27670116110564327424, 18446744073709551616) - 9223372036854775808)::bigint $$;
create or replace function redshift_internal.product64(a bigint, b bigint) returns bigint language sql immutable strict
    as $$ select redshift_internal.wrapped(a::numeric * b) $$;
create or replace function redshift_internal.shifted64(a bigint, bits integer) returns bigint language sql immutable strict
    as $$ select (a >> bits) & ((1::bigint << (64 - bits)) - 1) $$;
create or replace function redshift_internal.rotated64(a bigint, bits integer) returns bigint language sql immutable strict
    as $$ select redshift_internal.shifted64(a, bits) | (a << (64 - bits)) $$;
create or replace function redshift_internal.rotated_sum(a numeric, bits integer) returns bigint language sql immutable strict
    as $$ select redshift_internal.rotated64(redshift_internal.wrapped(a), bits) $$;
create or replace function redshift_internal.fetch64(raw bytea, at integer) returns numeric language sql immutable strict as $$
    select ('x' || encode(redshift_internal.reversed(substr(raw, at + 1, 8)), 'hex'))::bit(64)::bigint::numeric $$;
create or replace function redshift_internal.mixed64(a bigint) returns bigint language sql immutable strict
    as $$ select a # redshift_internal.shifted64(a, 47) $$;
create or replace function redshift_internal.hash16(u numeric, v numeric, factor bigint) returns bigint
    language plpgsql immutable strict as $$
declare
    second bigint := redshift_internal.wrapped(v);
    a bigint := redshift_internal.product64(redshift_internal.wrapped(u) # second, factor);
begin
    return redshift_internal.product64(
        redshift_internal.mixed64(redshift_internal.product64(second # redshift_internal.mixed64(a), factor)), factor);
end $$;
create or replace function redshift_internal.weak32(raw bytea, at integer, a numeric, b numeric, out first bigint, out second bigint)
    language plpgsql immutable strict as $$
declare
    start numeric := a + redshift_internal.fetch64(raw, at);
    total numeric := start + redshift_internal.fetch64(raw, at + 8) + redshift_internal.fetch64(raw, at + 16);
    last numeric := redshift_internal.fetch64(raw, at + 24);
begin
    second := redshift_internal.wrapped(redshift_internal.rotated_sum(b + start + last, 21)::numeric
        + redshift_internal.rotated_sum(total, 44) + start);
    first := redshift_internal.wrapped(total + last);
end $$;
create or replace function redshift_internal.farm_long(value bytea) returns bigint language plpgsql immutable strict as $$
declare
    k0 constant bigint := -4348849565147123417;
    k1 constant bigint := -5435081209227447693;
    k2 constant bigint := -7286425919675154353;
    size integer := octet_length(value);
    is_last boolean := false;
    at integer := 0;
    factor bigint := k1;
    weight integer := 1;
    x bigint := redshift_internal.wrapped(81::numeric * k2 + redshift_internal.fetch64(value, 0));
    y bigint := redshift_internal.wrapped(81::numeric * k1 + 113);
    z bigint := redshift_internal.product64(redshift_internal.mixed64(redshift_internal.wrapped(y::numeric * k2 + 113)), k2);
    v1 bigint := 0; v2 bigint := 0; w1 bigint := 0; w2 bigint := 0; swapped bigint;
begin
    for block in 0 .. (size - 1) / 64 loop
        at := block * 64;
        if block = (size - 1) / 64 then  -- the last 64 bytes, which may begin before, are mixed otherwise
            at := size - 64;
            factor := redshift_internal.wrapped(k1::numeric + ((z & 255) << 1));
            weight := 9;
            w1 := redshift_internal.wrapped(w1::numeric + ((size - 1) & 63));
            v1 := redshift_internal.wrapped(v1::numeric + w1);
            w1 := redshift_internal.wrapped(w1::numeric + v1);
        end if;
        x := redshift_internal.product64(
            redshift_internal.rotated_sum(x::numeric + y + v1 + redshift_internal.fetch64(value, at + 8), 37), factor);
        y := redshift_internal.product64(
            redshift_internal.rotated_sum(y::numeric + v2 + redshift_internal.fetch64(value, at + 48), 42), factor);
        x := x # redshift_internal.product64(w2, weight);
        y := redshift_internal.wrapped(y::numeric + v1::numeric * weight + redshift_internal.fetch64(value, at + 40));
        z := redshift_internal.product64(redshift_internal.rotated_sum(z::numeric + w1, 33), factor);
        select first, second into v1, v2 from redshift_internal.weak32(value, at, v2::numeric * factor, x::numeric + w1);
        select first, second into w1, w2 from redshift_internal.weak32(
            value, at + 32, z::numeric + w2, y::numeric + redshift_internal.fetch64(value, at + 16));
        swapped := z;
        z := x;
        x := swapped;
    end loop;
    return redshift_internal.hash16(
        redshift_internal.hash16(v1, w1, factor)::numeric + redshift_internal.product64(redshift_internal.mixed64(y), k0) + z,
        redshift_internal.hash16(v2, w2, factor)::numeric + x, factor);
end $$;
create or replace function pg_catalog.farmfingerprint64(value bytea) returns bigint language plpgsql immutable strict as $$
declare
    k0 constant bigint := -4348849565147123417;
    k1 constant bigint := -5435081209227447693;
    k2 constant bigint := -7286425919675154353;
    size integer := octet_length(value);
    factor bigint := redshift_internal.wrapped(k2::numeric + size * 2);
    a bigint; c bigint; y bigint; z bigint;
    b numeric; d numeric;
begin
    if size > 64 then
        return redshift_internal.farm_long(value);
    elsif size = 0 then
        return k2;
    elsif size < 4 then
        a := redshift_internal.product64(get_byte(value, 0) + (get_byte(value, size / 2) << 8), k2)
            # redshift_internal.product64(size + (get_byte(value, size - 1) << 2), k0);
        return redshift_internal.product64(redshift_internal.mixed64(a), k2);
    elsif size < 8 then
        a := ('x' || encode(redshift_internal.reversed(substr(value, 1, 4)), 'hex'))::bit(32)::bit(64)::bigint;
        c := ('x' || encode(redshift_internal.reversed(substr(value, size - 3, 4)), 'hex'))::bit(32)::bit(64)::bigint;
        return redshift_internal.hash16(
            size + (redshift_internal.shifted64(a, 32) * 8)::numeric, redshift_internal.shifted64(c, 32), factor);
    elsif size <= 16 then
        a := redshift_internal.wrapped(redshift_internal.fetch64(value, 0) + k2);
        b := redshift_internal.fetch64(value, size - 8);
        return redshift_internal.hash16(
            redshift_internal.product64(redshift_internal.rotated_sum(b, 37), factor)::numeric + a,
            redshift_internal.product64(redshift_internal.wrapped(redshift_internal.rotated64(a, 25) + b), factor), factor);
    end if;
    a := redshift_internal.wrapped(redshift_internal.fetch64(value, 0) * case when size <= 32 then k1 else k2 end);
    b := redshift_internal.fetch64(value, 8);
    c := redshift_internal.wrapped(redshift_internal.fetch64(value, size - 8) * factor);
    d := redshift_internal.fetch64(value, size - 16) * k2;
    y := redshift_internal.wrapped(redshift_internal.rotated_sum(a + b, 43)::numeric + redshift_internal.rotated64(c, 30) + d);
    z := redshift_internal.hash16(y, a::numeric + redshift_internal.rotated_sum(b + k2, 18) + c, factor);
    if size <= 32 then
        return z;
    end if;
    d := redshift_internal.fetch64(value, 16) * factor;
    b := redshift_internal.fetch64(value, 24);
    c := redshift_internal.wrapped((y + redshift_internal.fetch64(value, size - 32)) * factor);
    return redshift_internal.hash16(
        redshift_internal.rotated_sum(d + b, 43)::numeric + redshift_internal.rotated64(c, 30)
            + (z + redshift_internal.fetch64(value, size - 24)) * factor,
        d + redshift_internal.rotated_sum(b + a, 18) + c, factor);
end $$;
create or replace function pg_catalog.farmfingerprint64(value text) returns bigint language sql immutable strict
    as $$ select pg_catalog.farmfingerprint64(convert_to(value, 'UTF8')) $$;
