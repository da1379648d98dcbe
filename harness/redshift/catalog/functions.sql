-- Redshift's functions that PostgreSQL lacks. Source: Database Developer Guide, "SQL functions reference".
create or replace function pg_catalog.getdate() returns timestamp language sql stable
    as $$ select date_trunc('second', statement_timestamp())::timestamp $$;
create or replace function pg_catalog.pg_last_copy_count() returns bigint language sql stable
    as $$ select coalesce(nullif(current_setting('redshift.last_copy_count', true), ''), '0')::bigint $$;
create or replace function redshift_internal.version() returns text language sql immutable
    as $$ select 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.12103'::text $$;
create or replace function redshift_internal.current_user_id() returns integer language sql stable
    as $$ select oid::integer from pg_catalog.pg_roles where rolname = current_user $$;
create or replace function pg_catalog.db_collation() returns text language sql immutable as $$ select 'case_sensitive'::text $$;
create or replace function pg_catalog.slice_num() returns integer language sql immutable as $$ select 0 $$;
create or replace function pg_catalog.pg_last_copy_id() returns bigint language sql stable
    as $$ select coalesce(nullif(current_setting('redshift.last_copy_id', true), ''), '-1')::bigint $$;

-- "ALTER TABLE APPEND": columns go by name; without IGNOREEXTRA or FILLTARGET both tables have the same
create or replace function redshift_internal.append_table(target text, source text, option text) returns void
    language plpgsql as $$
declare
    columns text;
    extra text;
    unfilled text;
begin
    select string_agg(quote_ident(t.attname), ', ') filter (where s.attname is not null and t.attname is not null),
           string_agg(s.attname, ', ') filter (where t.attname is null),
           string_agg(t.attname, ', ') filter (where s.attname is null)
      into columns, extra, unfilled
      from (select * from pg_attribute where attrelid = target::regclass and attnum > 0 and not attisdropped) t
      full join (select * from pg_attribute where attrelid = source::regclass and attnum > 0 and not attisdropped) s
        on s.attname = t.attname and s.atttypid = t.atttypid and s.atttypmod = t.atttypmod;
    if columns is null or (extra is not null and option <> 'IGNOREEXTRA') or (unfilled is not null and option <> 'FILLTARGET') then
        raise exception 'ALTER TABLE APPEND: columns of source table % and target table % do not match', source, target
            using errcode = '42804', hint = coalesce('not in the target: ' || extra || ' ', '') || coalesce('not in the source: ' || unfilled, '');
    end if;
    execute format('insert into %s (%s) overriding system value select %s from %s', target, columns, columns, source);
    execute format('delete from %s', source);
end $$;

-- String functions
create or replace function pg_catalog.charindex(part text, whole text) returns integer language sql immutable
    as $$ select position(part in whole) $$;
create or replace function redshift_internal.regexp_replace(value text, pattern text, replacement text default '',
    start integer default 1, flags text default '') returns text language sql immutable as $$
    select left(value, start - 1) || pg_catalog.regexp_replace(substr(value, start), pattern,
        pg_catalog.regexp_replace(replacement, '[$]([0-9])', E'\\\\\\1', 'g'), 'g' || translate(flags, 'ep', '')) $$;
-- "REGEXP_SUBSTR function": with 'e' the first subexpression of the match, if the pattern has one
create or replace function redshift_internal.regexp_substr(value text, pattern text, start integer default 1,
    occurrence integer default 1, flags text default '') returns text language sql immutable as $$
    select case when value is null then null
           else coalesce(pg_catalog.regexp_substr(value, pattern, start, occurrence, translate(flags, 'ep', ''),
                                                  case when flags like '%e%' and pattern ~ E'(^|[^\\\\])[(](?![?])' then 1 else 0 end), '') end $$;

-- JSON functions
create or replace function pg_catalog.is_valid_json(value text) returns boolean language plpgsql immutable strict as $$
begin
    return jsonb_typeof(value::json::jsonb) = 'object';
exception when others then
    return false;
end $$;
create or replace function pg_catalog.is_valid_json_array(value text) returns boolean language plpgsql immutable strict as $$
begin
    return jsonb_typeof(value::json::jsonb) = 'array';
exception when others then
    return false;
end $$;
create or replace function pg_catalog.can_json_parse(value text) returns boolean language plpgsql immutable strict as $$
begin
    perform value::json::jsonb;
    return true;
exception when others then
    return false;
end $$;
create or replace function pg_catalog.json_parse(value text) returns jsonb language plpgsql immutable strict as $$
begin
    return value::json::jsonb;
exception when invalid_text_representation then
    raise exception 'Invalid JSON: %', left(value, 100) using errcode = 'XX000';
end $$;
create or replace function pg_catalog.json_typeof(value jsonb) returns text language sql immutable strict
    as $$ select jsonb_typeof(value) $$;
create or replace function pg_catalog.get_array_length(value jsonb) returns bigint language sql immutable strict
    as $$ select case when jsonb_typeof(value) = 'array' then jsonb_array_length(value) end $$;
create or replace function pg_catalog.json_array_length(value text) returns integer language sql immutable strict
    as $$ select jsonb_array_length(value::json::jsonb) $$;
create or replace function pg_catalog.json_extract_path_text(value text, variadic path text[]) returns text
    language sql immutable as $$
    select case when value is null then null
           else coalesce(jsonb_extract_path_text(value::json::jsonb, variadic path), '') end $$;

-- How PostgreSQL understands a query, as its parse tree; null if it cannot be the body of a procedure, which shows it. AVG and
-- SUM of numbers have PostgreSQL's own numbers there, by which they are known (`harness.redshift.numerics`).
create or replace function redshift_internal.parse_tree(query text, parameters oid[]) returns text language plpgsql as $$
declare
    tree text;
begin
    begin
        execute format(e'create procedure pg_temp.redshift_parsed(%s) begin atomic %s\n; end',
                       (select string_agg(case oid when 'unknown'::regtype then 'text' else format_type(oid, null) end, ', ' order by place)
                          from unnest(parameters) with ordinality p(oid, place)), query);
        select prosqlbody::text into tree from pg_catalog.pg_proc
         where pronamespace = pg_my_temp_schema() and proname = 'redshift_parsed';
        raise exception 'nothing is to be left of it';
    exception when others then  -- it is a procedure only to be looked at
        null;
    end;
    tree := regexp_replace(tree, format(':(agg|win)fnoid %s ', 'redshift_internal.avg(numeric)'::regprocedure::oid), E':\\1fnoid 2103 ', 'g');
    return regexp_replace(tree, format(':(agg|win)fnoid %s ', 'redshift_internal.sum(numeric)'::regprocedure::oid), E':\\1fnoid 2114 ', 'g');
end $$;

-- The columns of a query, as JSON; null if it cannot be a view, as with a parameter or two columns of one name.
create or replace function redshift_internal.output_columns(query text) returns text language plpgsql as $$
declare
    names text;
begin
    begin
        execute 'create temporary view redshift_output as ' || query;
        select json_agg(attname order by attnum)::text into names
          from pg_catalog.pg_attribute where attrelid = 'pg_temp.redshift_output'::regclass and attnum > 0;
        raise exception 'nothing is to be left of it';
    exception when others then
        null;
    end;
    return names;
end $$;

-- PostgreSQL has one kind of role: who may log in is a user, CREATE ROLE leaves a comment, the rest are groups.
create or replace function redshift_internal.identity_type(identity oid) returns text language sql stable as $$
    select case when identity = 0 then 'public' when rolcanlogin then 'user'
                when shobj_description(identity, 'pg_authid') = 'a role of Redshift' then 'role' else 'group' end
      from (select) nobody left join pg_catalog.pg_roles on oid = identity $$;
-- "COMMENT": a materialized view is a view there
create or replace function redshift_internal.comment_on_view(name text, words text) returns void language plpgsql as $$
begin
    execute format('comment on %s %s is %L', case when exists (select from pg_catalog.pg_class
        where oid = to_regclass(name) and relkind = 'm') then 'materialized view' else 'view' end, name, words);
end $$;
-- GRANT ALL on a table gives ALTER, DROP and RULE too, which PostgreSQL does not have, and is all that gives TRIGGER ("GRANT").
create or replace function redshift_internal.table_privileges(acl aclitem[])
    returns table (grantor oid, grantee oid, privilege_type text, is_grantable boolean) language sql stable as $$
    select a.grantor, a.grantee, p.name, a.is_grantable from aclexplode(acl) a
      cross join lateral unnest(case a.privilege_type when 'TRIGGER' then array['TRIGGER', 'ALTER', 'DROP', 'RULE']
                                                      when 'MAINTAIN' then '{}' else array[a.privilege_type] end) p(name) $$;
-- "SHOW GRANTS" shows a group as a role with a slash before its name, as dbt-redshift found Redshift to do.
create or replace function redshift_internal.identity_name(identity oid) returns text language sql stable as $$
    select case redshift_internal.identity_type(identity) when 'public' then 'public' when 'group' then '/' else '' end
           || case when identity = 0 then '' else redshift_internal.shown(pg_get_userbyid(identity)) end $$;

-- The column that a query names and nothing has; null if there is none, or another error comes first.
create or replace function redshift_internal.undefined_column(query text) returns text language plpgsql as $$
begin
    execute 'prepare redshift_check as ' || query;
    execute 'deallocate redshift_check';
    return null;
exception
    when undefined_column then
        return substring(sqlerrm from '^column "(.*)" does not exist$');
    when others then  -- the statement itself will say it
        return null;
end $$;
