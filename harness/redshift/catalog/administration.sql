-- Statements about sessions and roles. Source: Database Developer Guide, the page named above each.
-- "CANCEL"
create or replace function redshift_internal.cancel(session integer) returns void language plpgsql as $$
begin
    if not exists (select from pg_catalog.pg_stat_activity where pid = session and backend_type = 'client backend') then
        raise exception 'Session % does not exist. The session PID might have changed. Check the stl_restarted_sessions system table for details.',
            session using errcode = '42704';
    end if;
    perform pg_catalog.pg_cancel_backend(session);
end $$;
-- "DROP ROLE"
create or replace function redshift_internal.drop_role(named text, forced boolean, may_be_missing boolean) returns void language plpgsql as $$
declare
    role oid := (select oid from pg_catalog.pg_roles where rolname = (pg_catalog.parse_ident(named))[1]);
begin
    if role is not null and forced then
        execute format('drop owned by %s', named);
    elsif exists (select from pg_catalog.pg_auth_members where roleid = role) then
        raise exception 'cannot drop this role since it has been granted on a user' using errcode = '2BP01', hint = 'DROP ROLE … FORCE';
    end if;
    execute format('drop role %s %s', case when may_be_missing then 'if exists' else '' end, named);
end $$;
