-- Functions of dates and times. Source: Database Developer Guide, "Date and time functions".

-- "Date parts for date or timestamp functions": their synonyms
create or replace function redshift_internal.date_part_name(part text) returns text language sql immutable as $$
    select case
        when part in ('millennium', 'millennia', 'mil', 'mils') then 'millennium'
        when part in ('century', 'centuries', 'c', 'cent', 'cents') then 'century'
        when part in ('decade', 'decades', 'dec', 'decs') then 'decade'
        when part in ('year', 'years', 'y', 'yr', 'yrs') then 'year'
        when part in ('quarter', 'quarters', 'qtr', 'qtrs') then 'quarter'
        when part in ('month', 'months', 'mon', 'mons') then 'month'
        when part in ('week', 'weeks', 'w') then 'week'
        when part in ('day', 'days', 'd', 'dayofyear', 'doy', 'dy', 'yearday') then 'day'
        when part in ('hour', 'hours', 'h', 'hr', 'hrs') then 'hour'
        when part in ('minute', 'minutes', 'm', 'min', 'mins') then 'minute'
        when part in ('second', 'seconds', 's', 'sec', 'secs') then 'second'
        when part in ('millisecond', 'milliseconds', 'ms', 'msec', 'msecs', 'msecond', 'mseconds', 'millisec',
                      'millisecs', 'millisecon') then 'millisecond'
        when part in ('microsecond', 'microseconds', 'us', 'usec', 'usecs', 'usecond', 'useconds', 'microsec',
                      'microsecs', 'microsecon') then 'microsecond'
    end $$;

-- "DATEADD function": a day that the month has not is its last; in a year without it, 29 February is 1 March
create or replace function redshift_internal.length_of(name text) returns interval language sql immutable as $$
    select case name when 'week' then interval '7 days' when 'day' then interval '1 day' when 'hour' then interval '1 hour'
        when 'minute' then interval '1 minute' when 'second' then interval '1 second'
        when 'millisecond' then interval '1 millisecond'
        when 'microsecond' then interval '1 microsecond' end $$;
create or replace function pg_catalog.date_add(part text, amount bigint, moment timestamp) returns timestamp
    language plpgsql immutable as $$
declare
    name text := redshift_internal.date_part_name(lower(part));
    years bigint := case name when 'millennium' then 1000 when 'century' then 100 when 'decade' then 10 when 'year' then 1 end;
    moved timestamp;
begin
    if name is null then
        raise exception 'dateadd: unknown date part "%"', part using errcode = '22023';
    elsif years is not null then
        moved := moment + make_interval(years => (amount * years)::integer);
        return case when extract(day from moved) = extract(day from moment) then moved else moved + interval '1 day' end;
    elsif name in ('quarter', 'month') then
        return moment + make_interval(months => (amount * case name when 'quarter' then 3 else 1 end)::integer);
    end if;
    return moment + amount * redshift_internal.length_of(name);
end $$;
create or replace function pg_catalog.date_add(part text, amount bigint, moment date) returns timestamp
    language sql immutable as $$ select pg_catalog.date_add(part, amount, moment::timestamp) $$;
create or replace function pg_catalog.date_add(part text, amount bigint, moment timestamptz) returns timestamptz
    language sql stable as $$ select pg_catalog.date_add(part, amount, moment::timestamp)::timestamptz $$;
create or replace function pg_catalog.date_add(part text, amount bigint, moment time) returns time
    language sql immutable as $$ select pg_catalog.date_add(part, amount, date '2000-01-01' + moment)::time $$;
create or replace function pg_catalog.date_add(part text, amount bigint, moment timetz) returns timetz
    language plpgsql immutable as $$
declare
    unit interval := redshift_internal.length_of(redshift_internal.date_part_name(lower(part)));
begin
    if unit is null or unit >= interval '1 day' then
        raise exception 'dateadd: a time has no date part "%"', part using errcode = '22023';
    end if;
    return (moment + amount * unit) at time zone 'UTC';
end $$;

-- counts the boundaries crossed, not the time passed
create or replace function pg_catalog.date_diff(part text, earlier timestamp, later timestamp) returns bigint
    language plpgsql immutable as $$
declare
    name text := redshift_internal.date_part_name(lower(part));
    months bigint := (extract(year from later) - extract(year from earlier)) * 12
        + extract(month from later) - extract(month from earlier);
begin
    return case name
        when 'millennium' then extract(millennium from later) - extract(millennium from earlier)
        when 'century' then extract(century from later) - extract(century from earlier)
        when 'decade' then extract(decade from later) - extract(decade from earlier)
        when 'year' then extract(year from later) - extract(year from earlier)
        when 'quarter' then (extract(year from later) - extract(year from earlier)) * 4
            + extract(quarter from later) - extract(quarter from earlier)
        when 'month' then months
        -- weeks begin on Sunday here
        when 'week' then floor((later::date - date '2000-01-02') / 7.0) - floor((earlier::date - date '2000-01-02') / 7.0)
        when 'day' then later::date - earlier::date
        when 'hour' then extract(epoch from date_trunc('hour', later) - date_trunc('hour', earlier)) / 3600
        when 'minute' then extract(epoch from date_trunc('minute', later) - date_trunc('minute', earlier)) / 60
        when 'second' then extract(epoch from date_trunc('second', later) - date_trunc('second', earlier))
        when 'millisecond' then extract(epoch from date_trunc('milliseconds', later) - date_trunc('milliseconds', earlier)) * 1000
        when 'microsecond' then extract(epoch from later - earlier) * 1000000
    end::bigint;
end $$;
create or replace function pg_catalog.date_diff(part text, earlier date, later date) returns bigint
    language sql immutable as $$ select pg_catalog.date_diff(part, earlier::timestamp, later::timestamp) $$;
create or replace function pg_catalog.date_diff(part text, earlier timestamptz, later timestamptz) returns bigint
    language sql stable as $$ select pg_catalog.date_diff(part, earlier::timestamp, later::timestamp) $$;
create or replace function pg_catalog.date_diff(part text, earlier time, later time) returns bigint
    language sql immutable as $$ select pg_catalog.date_diff(part, date '2000-01-01' + earlier, date '2000-01-01' + later) $$;

create or replace function pg_catalog.date_diff(part text, earlier timetz, later timetz) returns bigint language sql immutable as $$
    select pg_catalog.date_diff(part, (earlier at time zone 'UTC')::time, (later at time zone 'UTC')::time) $$;

-- by these names, too, as statements that a procedure puts together may call them
do $$
declare
    source text;
begin
    foreach source in array array['timestamp', 'date', 'timestamptz', 'time', 'timetz'] loop
        execute format('create or replace function pg_catalog.dateadd(part text, amount bigint, moment %1$s) returns %2$s language sql
            stable as $f$ select pg_catalog.date_add(part, amount, moment) $f$', source,
            case source when 'date' then 'timestamp' else source end);
        execute format('create or replace function pg_catalog.datediff(part text, earlier %1$s, later %1$s) returns bigint language sql
            stable as $f$ select pg_catalog.date_diff(part, earlier, later) $f$', source);
    end loop;
end $$;

-- "Date parts for date or timestamp functions": decade 201 begins with the year 2000, and what is below a second comes
-- without the seconds. "DATE_PART function": a DOUBLE, seconds with their fraction. "EXTRACT function": an integer, of a
-- TIMESTAMPTZ a DOUBLE. A TIMETZ is kept in UTC; a literal is not converted before its part is taken.
create or replace function redshift_internal.part_of(part text, whole numeric, years numeric) returns double precision
    language sql immutable as $$
    select case when part = 'decade' and years is not null then floor(years / 10) + 1
        else case part when 'millisecond' then trunc(mod(whole, 1000))
        when 'microsecond' then mod(whole, 1000000) else whole end end::double precision $$;
do $$
declare
    source text;
    years text;
begin
    foreach source in array array['timestamp', 'date', 'time', 'timetz', 'interval', 'timestamptz'] loop
        years := case when source in ('time', 'timetz', 'interval') then 'null' else 'pg_catalog.date_part(''year'', moment)::numeric' end;
        execute format('create or replace function redshift_internal.pgdate_part(part text, moment %s) returns double precision
            language sql stable as $f$ select redshift_internal.part_of(part, pg_catalog.extract(part, moment%s), %s) $f$',
            source, case source when 'date' then '::timestamp' when 'timetz' then ' at time zone ''UTC''' else '' end, years);
        execute format('create or replace function redshift_internal.date_part(part text, moment %s) returns %s language sql stable
            as $f$ select trunc(redshift_internal.pgdate_part(part, moment))::%s $f$', source, kinds[1], kinds[1])
           from (select case source when 'timestamptz' then array['double precision', 'double precision'] else array['integer', 'bigint'] end) k(kinds);
        -- seconds since 1970, which may be more than an integer holds
        execute format('create or replace function redshift_internal.date_part(moment %s) returns %s language sql stable
            as $f$ select trunc(redshift_internal.pgdate_part(''epoch'', moment))::%s $f$', source, kinds[2], kinds[2])
           from (select case source when 'timestamptz' then array['double precision', 'double precision'] else array['integer', 'bigint'] end) k(kinds);
    end loop;
end $$;

create or replace function redshift_internal.date_part(part text, literal timetz, is_literal boolean) returns integer language sql stable
    as $$ select trunc(redshift_internal.part_of(part, pg_catalog.extract(part, literal), null))::integer $$;

-- "TO_DATE function", "TO_TIMESTAMP function": what is out of range goes on into the next month, day or hour, unless it is
-- to be strict
create or replace function redshift_internal.overflowing(value text, format text) returns timestamp
    language plpgsql immutable strict as $$
declare
    part text;
    pattern text := '^[ ]*';
    parts text[] := '{}';
    found text[];
    moment timestamp := '0001-01-01';
begin
    if regexp_replace(upper(format), '(YYYY|MM|DD|HH24|MI|SS)', '', 'g') ~ '[A-Z]' then
        return null;
    end if;
    for part in select matched[1] from regexp_matches(upper(format), '(YYYY|MM|DD|HH24|MI|SS|[^A-Z])', 'g') as matched loop
        parts := case when part ~ '[A-Z]' then parts || part else parts end;
        pattern := pattern || case when part = 'YYYY' then '([0-9]{4})' when part ~ '[A-Z]' then '([0-9]{1,2})' else '[^0-9]?' end;
    end loop;
    found := regexp_match(value, pattern);
    if found is null then
        return null;
    end if;
    for i in 1 .. array_length(parts, 1) loop
        moment := moment + case parts[i]
            when 'YYYY' then make_interval(years => found[i]::integer - 1)
            when 'MM' then make_interval(months => found[i]::integer - 1)
            when 'DD' then make_interval(days => found[i]::integer - 1)
            when 'HH24' then make_interval(hours => found[i]::integer)
            when 'MI' then make_interval(mins => found[i]::integer)
            else make_interval(secs => found[i]::integer) end;
    end loop;
    return moment;
end $$;
create or replace function redshift_internal.to_date(value text, format text, is_strict boolean default false) returns date
    language plpgsql stable strict as $$
begin
    return pg_catalog.to_date(value, format);
exception when datetime_field_overflow then
    if is_strict or redshift_internal.overflowing(value, format) is null then
        raise;
    end if;
    return redshift_internal.overflowing(value, format)::date;
end $$;
create or replace function redshift_internal.to_timestamp(value text, format text, is_strict boolean default false)
    returns timestamptz language plpgsql stable strict as $$
begin
    return pg_catalog.to_timestamp(value, format);
exception when datetime_field_overflow then
    if is_strict or redshift_internal.overflowing(value, format) is null then
        raise;
    end if;
    return redshift_internal.overflowing(value, format)::timestamptz;
end $$;
create or replace function redshift_internal.to_timestamp(moment timestamp, format text, is_strict boolean default false)
    returns timestamptz language sql stable strict as $$ select redshift_internal.to_timestamp(moment::text, format, is_strict) $$;
create or replace function redshift_internal.to_date(moment timestamp, format text, is_strict boolean default false)
    returns date language sql stable strict as $$ select redshift_internal.to_date(moment::text, format, is_strict) $$;

-- Date functions
create or replace function pg_catalog.last_day(moment timestamp) returns date language sql immutable
    as $$ select (date_trunc('month', moment) + interval '1 month' - interval '1 day')::date $$;
-- "ADD_MONTHS function": of the last day of a month it is the last day
create or replace function pg_catalog.add_months(moment timestamp, amount bigint) returns timestamp language sql immutable as $$
    select case when moment::date = pg_catalog.last_day(moment)
           then pg_catalog.last_day(pg_catalog.date_add('month', amount, moment)) + moment::time
           else pg_catalog.date_add('month', amount, moment) end $$;
create or replace function pg_catalog.months_between(later timestamp, earlier timestamp) returns double precision
    language sql immutable as $$
    select case
        when extract(day from later) = extract(day from earlier)
          or (later::date = pg_catalog.last_day(later) and earlier::date = pg_catalog.last_day(earlier))
        then pg_catalog.date_diff('month', earlier, later)::double precision
        else pg_catalog.date_diff('month', earlier, later)
             + (extract(epoch from later - date_trunc('month', later)) - extract(epoch from earlier - date_trunc('month', earlier)))
             / (31 * 86400.0)
    end $$;
create or replace function pg_catalog.next_day(moment timestamp, day text) returns date language sql immutable as $$
    select moment::date + (case when wanted > today then wanted - today else wanted - today + 7 end)
      from (select extract(dow from moment)::integer as today,
                   position(lower(left(day, 2)) in 'sumotuwethfrsa') / 2 as wanted) d $$;
create or replace function pg_catalog.date_part_year(moment date) returns integer language sql immutable
    as $$ select extract(year from moment)::integer $$;
create or replace function pg_catalog.trunc(moment timestamp) returns date language sql immutable
    as $$ select moment::date $$;
create or replace function pg_catalog.convert_timezone(target text, moment timestamp) returns timestamp language sql stable
    as $$ select (moment at time zone 'UTC') at time zone target $$;
create or replace function pg_catalog.convert_timezone(origin text, target text, moment timestamp) returns timestamp
    language sql stable as $$ select (moment at time zone origin) at time zone target $$;
create or replace function pg_catalog.date_cmp(a date, b date) returns integer language sql immutable
    as $$ select case when a = b then 0 when a > b then 1 else -1 end $$;
create or replace function pg_catalog.timestamp_cmp(a timestamp, b timestamp) returns integer language sql immutable
    as $$ select case when a = b then 0 when a > b then 1 else -1 end $$;

-- Date comparisons
create or replace function pg_catalog.date_cmp_timestamp(a date, b timestamp) returns integer language sql immutable
    as $$ select pg_catalog.timestamp_cmp(a::timestamp, b) $$;
create or replace function pg_catalog.timestamp_cmp_date(a timestamp, b date) returns integer language sql immutable
    as $$ select pg_catalog.timestamp_cmp(a, b::timestamp) $$;
