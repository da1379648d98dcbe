-- Statements about sessions and roles. Source: Database Developer Guide, the page named above each.
-- "CANCEL"
create or replace function redshift_internal.cancel(session bigint) returns void language plpgsql as $$
begin
    if not exists (select from pg_catalog.pg_stat_activity where pid = session and backend_type = 'client backend') then
        raise exception 'Session % does not exist. The session PID might have changed. Check the stl_restarted_sessions system table for details.',
            session using errcode = '42704';
    end if;
    perform pg_catalog.pg_cancel_backend(session::integer);
end $$;
-- "DROP ROLE": FORCE takes back what it was granted and where it was granted, and drops nothing
create or replace function redshift_internal.drop_role(named text, forced boolean, may_be_missing boolean) returns void language plpgsql as $$
declare
    role oid := (select oid from pg_catalog.pg_roles where rolname = (pg_catalog.parse_ident(named))[1]);
begin
    if role is null and may_be_missing then
        return;
    elsif role is null or redshift_internal.identity_type(role) <> 'role' then
        raise exception 'role % does not exist', named using errcode = '42704';
    elsif not forced and exists (select from pg_catalog.pg_auth_members where roleid = role) then
        raise exception 'cannot drop this role since it has been granted on a user' using errcode = '2BP01', hint = 'DROP ROLE … FORCE';
    elsif exists (select from pg_catalog.pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = role and deptype = 'o') then
        raise exception 'role % cannot be dropped because it owns objects', named using errcode = '2BP01';
    elsif forced then
        execute format('drop owned by %s', named);  -- it owns nothing: this revokes
    end if;
    execute format('drop role %s', named);
end $$;
