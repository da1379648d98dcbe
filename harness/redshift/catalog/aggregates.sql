-- AVG and SUM as Redshift types them: the average of integers is a BIGINT, that of a DECIMAL has the scale of its argument
-- (the digits behind are cut off), the sum of BIGINT is one, and of REAL all is DOUBLE. Source: Database Developer Guide,
-- "AVG function", "SUM function". Aggregates of their own, which statements get in place of PostgreSQL's: views that
-- PostgreSQL has made with those go on to rely on their types.
create or replace function redshift_internal.whole_average(counted bigint[]) returns bigint language sql immutable strict
    as $$ select case when counted[1] > 0 then counted[2] / counted[1] end $$;
create or replace function redshift_internal.add_number(counted numeric[], value anyelement) returns numeric[]
    language plpgsql immutable strict as $$
begin
    counted[1] := counted[1] + 1;
    counted[2] := counted[2] + value;
    return counted;
end $$;
create or replace function redshift_internal.scaled_average(counted numeric[]) returns numeric language sql immutable strict
    as $$ select case when counted[1] > 0 then trunc(counted[2] / counted[1], scale(counted[2])) end $$;
create or replace function redshift_internal.large_average(counted numeric[]) returns bigint language sql immutable strict
    as $$ select case when counted[1] > 0 then trunc(counted[2] / counted[1])::bigint end $$;
create or replace function redshift_internal.add_real(total double precision, value real) returns double precision
    language sql immutable as $$ select coalesce(total + value, total, value) $$;
create or replace function redshift_internal.average_interval(all_values interval[]) returns interval language sql immutable
    as $$ select pg_catalog.sum(v) / count(v) from unnest(all_values) v $$;

create or replace aggregate redshift_internal.avg(smallint) (
    sfunc = int2_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift_internal.whole_average,
    msfunc = int2_avg_accum, minvfunc = int2_avg_accum_inv, mstype = bigint[], minitcond = '{0,0}',
    mfinalfunc = redshift_internal.whole_average);
create or replace aggregate redshift_internal.avg(integer) (
    sfunc = int4_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift_internal.whole_average,
    msfunc = int4_avg_accum, minvfunc = int4_avg_accum_inv, mstype = bigint[], minitcond = '{0,0}',
    mfinalfunc = redshift_internal.whole_average);
create or replace aggregate redshift_internal.avg(bigint) (
    sfunc = redshift_internal.add_number, stype = numeric[], initcond = '{0,0}', finalfunc = redshift_internal.large_average);
create or replace aggregate redshift_internal.avg(numeric) (
    sfunc = redshift_internal.add_number, stype = numeric[], initcond = '{0,0}', finalfunc = redshift_internal.scaled_average);
create or replace aggregate redshift_internal.avg(real) (
    sfunc = float4_accum, stype = double precision[], initcond = '{0,0,0}', finalfunc = float8_avg);
create or replace aggregate redshift_internal.avg(double precision) (
    sfunc = float8_accum, stype = double precision[], initcond = '{0,0,0}', finalfunc = float8_avg);
create or replace aggregate redshift_internal.avg(interval) (
    sfunc = array_append, stype = interval[], finalfunc = redshift_internal.average_interval);

create or replace aggregate redshift_internal.sum(smallint) (sfunc = int2_sum, stype = bigint);
create or replace aggregate redshift_internal.sum(integer) (sfunc = int4_sum, stype = bigint);
create or replace aggregate redshift_internal.sum(bigint) (sfunc = int8pl, stype = bigint);
create or replace aggregate redshift_internal.sum(numeric) (
    sfunc = numeric_avg_accum, stype = internal, finalfunc = numeric_sum,
    msfunc = numeric_avg_accum, minvfunc = numeric_accum_inv, mstype = internal, mfinalfunc = numeric_sum);
create or replace aggregate redshift_internal.sum(real) (sfunc = redshift_internal.add_real, stype = double precision);
create or replace aggregate redshift_internal.sum(double precision) (sfunc = float8pl, stype = double precision);
create or replace aggregate redshift_internal.sum(interval) (sfunc = interval_pl, stype = interval);

-- "MEDIAN window function"; the aggregate is PostgreSQL's percentile_cont
create or replace function redshift_internal.middle(all_values numeric[]) returns numeric language sql immutable as $$
    select sum(v) / count(v) from (select v, row_number() over (order by v) as n, count(*) over () as c from unnest(all_values) v where v is not null) s
     where n in ((c + 1) / 2, (c + 2) / 2) $$;
create or replace aggregate redshift_internal.median(numeric) (
    sfunc = array_append, stype = numeric[], finalfunc = redshift_internal.middle);


-- MIN and MAX of SUPER
create or replace function redshift_internal.smaller(a jsonb, b jsonb) returns jsonb language sql immutable
    as $$ select least(a, b) $$;
create or replace function redshift_internal.larger(a jsonb, b jsonb) returns jsonb language sql immutable
    as $$ select greatest(a, b) $$;
create or replace aggregate pg_catalog.min(jsonb) (sfunc = redshift_internal.smaller, stype = jsonb);
create or replace aggregate pg_catalog.max(jsonb) (sfunc = redshift_internal.larger, stype = jsonb);
