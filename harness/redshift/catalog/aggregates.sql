-- AVG and SUM as Redshift types them. Source: Database Developer Guide, "AVG function", "SUM function". PostgreSQL's own
-- aggregates get these as their definitions, as what they are called and how they may be used is the same: the average of
-- integers is a BIGINT, that of a DECIMAL has the scale of its argument, the digits behind are cut off.
create or replace function redshift_internal.whole_average(counted bigint[]) returns bigint language sql immutable strict
    as $$ select case when counted[1] > 0 then counted[2] / counted[1] end $$;
create or replace function redshift_internal.add_number(counted numeric[], value numeric) returns numeric[]
    language plpgsql immutable strict as $$
begin
    counted[1] := counted[1] + 1;
    counted[2] := counted[2] + value;
    return counted;
end $$;
create or replace function redshift_internal.add_whole(counted numeric[], value bigint) returns numeric[]
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

create or replace aggregate redshift_internal.avg(smallint) (
    sfunc = int2_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift_internal.whole_average,
    msfunc = int2_avg_accum, minvfunc = int2_avg_accum_inv, mstype = bigint[], minitcond = '{0,0}',
    mfinalfunc = redshift_internal.whole_average);
create or replace aggregate redshift_internal.avg(integer) (
    sfunc = int4_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift_internal.whole_average,
    msfunc = int4_avg_accum, minvfunc = int4_avg_accum_inv, mstype = bigint[], minitcond = '{0,0}',
    mfinalfunc = redshift_internal.whole_average);
create or replace aggregate redshift_internal.avg(bigint) (
    sfunc = redshift_internal.add_whole, stype = numeric[], initcond = '{0,0}', finalfunc = redshift_internal.large_average);
create or replace aggregate redshift_internal.avg(numeric) (
    sfunc = redshift_internal.add_number, stype = numeric[], initcond = '{0,0}', finalfunc = redshift_internal.scaled_average);
create or replace aggregate redshift_internal.sum(bigint) (sfunc = int8pl, stype = bigint);
create or replace function redshift_internal.add_real(total double precision, value real) returns double precision
    language sql immutable as $$ select coalesce(total + value, total, value) $$;
create or replace aggregate redshift_internal.sum(real) (
    sfunc = redshift_internal.add_real, stype = double precision);

update pg_catalog.pg_aggregate as own set
    aggtransfn = new.aggtransfn, aggfinalfn = new.aggfinalfn, aggcombinefn = new.aggcombinefn,
    aggserialfn = new.aggserialfn, aggdeserialfn = new.aggdeserialfn, aggmtransfn = new.aggmtransfn,
    aggminvtransfn = new.aggminvtransfn, aggmfinalfn = new.aggmfinalfn, aggfinalextra = new.aggfinalextra,
    aggmfinalextra = new.aggmfinalextra, aggfinalmodify = new.aggfinalmodify, aggmfinalmodify = new.aggmfinalmodify,
    aggtranstype = new.aggtranstype, aggtransspace = new.aggtransspace, aggmtranstype = new.aggmtranstype,
    aggmtransspace = new.aggmtransspace, agginitval = new.agginitval, aggminitval = new.aggminitval
  from pg_catalog.pg_aggregate new, pg_catalog.pg_proc p, pg_catalog.pg_proc replaced
 where new.aggfnoid = p.oid and p.pronamespace = 'redshift_internal'::regnamespace and p.proname in ('avg', 'sum')
   and replaced.proname = p.proname and replaced.proargtypes = p.proargtypes
   and replaced.pronamespace = 'pg_catalog'::regnamespace and own.aggfnoid = replaced.oid;
update pg_catalog.pg_proc as own set prorettype = p.prorettype from pg_catalog.pg_proc p
 where p.pronamespace = 'redshift_internal'::regnamespace and p.proname in ('avg', 'sum') and p.prokind = 'a'
   and own.pronamespace = 'pg_catalog'::regnamespace and own.proname = p.proname and own.proargtypes = p.proargtypes
   and own.prorettype <> p.prorettype;

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
