-- The table mv_tbl__NAME__0 in which Redshift keeps a materialized view: a row in what a client sees as pg_class and
-- pg_attribute, where drivers look for the view's keys (dbt-redshift's `describe_materialized_view`). What the stand-in's
-- own views read, such as SHOW TABLES, is without it. Its oid is the view's in the upper half, which no other has.
alter view redshift_catalog.pg_class rename to pg_class_proper;
alter view redshift_catalog.pg_attribute rename to pg_attribute_proper;
create or replace function redshift_internal.with_storage(relation text, number text, replaced jsonb) returns void
    language plpgsql as $$
declare
    columns text := redshift_internal.columns_of(('redshift_catalog.' || relation || '_proper')::regclass, replaced);
begin
    execute format('create view redshift_catalog.%I as select * from redshift_catalog.%I union all
                    select %s from redshift_catalog.%I s join redshift_internal.materialized_view m on m.relid = s.%I',
                   relation, relation || '_proper', columns, relation || '_proper', number);
end $$;
select redshift_internal.with_storage('pg_class', 'oid',
    $${"oid": "(s.oid::bigint + 2147483648)::oid", "relkind": "'r'::\"char\"", "relname": "'mv_tbl__' || s.relname || '__0'"}$$);
select redshift_internal.with_storage('pg_attribute', 'attrelid', '{"attrelid": "(s.attrelid::bigint + 2147483648)::oid"}');
grant select on redshift_catalog.pg_class, redshift_catalog.pg_attribute to public;
