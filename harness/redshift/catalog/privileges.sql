-- System views of roles and of what is granted. Source: Database Developer Guide, "SVV views"; whoever is no superuser sees
-- what concerns itself and the roles it has.
do $$
declare
    view text;
begin
    foreach view in array array['svv_roles', 'svv_role_grants', 'svv_user_grants', 'svv_schema_privileges', 'svv_database_privileges',
        'svv_function_privileges', 'svv_column_privileges', 'svv_default_privileges', 'svv_redshift_functions', 'svv_query_inflight',
        'stv_db_isolation_level'] loop
        execute format('drop view if exists pg_catalog.%I cascade', view);
    end loop;
end $$;
create or replace function redshift_internal.concerns(identity oid) returns boolean language sql stable as $$
    select redshift_internal.sees_all() or identity = 0 or pg_catalog.pg_has_role(session_user, identity, 'member') $$;
create or replace view redshift_internal.role as  -- those of CREATE ROLE and the system's own; groups are none
    select oid, redshift_internal.shown(rolname) as name from pg_catalog.pg_roles
     where not rolcanlogin and redshift_internal.identity_type(oid) = 'role';

create view pg_catalog.svv_roles as
    select oid::bigint::integer as role_id, name as role_name,
           case when name like 'sys:%' then 'rdsdb' end::text as role_owner,  -- who made another is not known here
           null::text as external_id
      from redshift_internal.role where redshift_internal.concerns(oid);
create view pg_catalog.svv_role_grants as
    select distinct r.oid::bigint::integer as role_id, r.name as role_name, g.oid::bigint::integer as granted_role_id, g.name as granted_role_name
      from pg_catalog.pg_auth_members m join redshift_internal.role r on r.oid = m.member join redshift_internal.role g on g.oid = m.roleid
     where redshift_internal.concerns(r.oid);
create view pg_catalog.svv_user_grants as
    select u.oid::bigint::integer as user_id, redshift_internal.shown(u.rolname) as user_name, g.oid::bigint::integer as role_id,
           g.name as role_name, bool_or(m.admin_option) as admin_option
      from pg_catalog.pg_auth_members m join pg_catalog.pg_roles u on u.oid = m.member and u.rolcanlogin
      join redshift_internal.role g on g.oid = m.roleid
     where redshift_internal.sees_all() or u.rolname = session_user
     group by u.oid, u.rolname, g.oid, g.name;
create view pg_catalog.svv_schema_privileges as
    select object_name::text as namespace_name, privilege_type::text, identity_id, identity_name::text, identity_type::text, admin_option
      from redshift_internal.show_grants where object_type = 'SCHEMA' and redshift_internal.concerns(identity_id::bigint::oid);
create view pg_catalog.svv_database_privileges as
    select database_name::text, privilege_type::text, identity_id, identity_name::text, identity_type::text, admin_option
      from redshift_internal.show_grants where object_type = 'DATABASE' and redshift_internal.concerns(identity_id::bigint::oid);
create view pg_catalog.svv_function_privileges as
    select schema_name::text as namespace_name, object_name::text as function_name, argument_list::text as argument_types,
           privilege_type::text, identity_id, identity_name::text, identity_type::text, admin_option
      from redshift_internal.show_grants
     where object_type in ('FUNCTION', 'PROCEDURE') and redshift_internal.concerns(identity_id::bigint::oid);
create view pg_catalog.svv_column_privileges as
    select schema_name::text as namespace_name, table_name::text as relation_name, column_name::text, privilege_type::text, identity_id,
           identity_name::text, identity_type::text, admin_option
      from redshift_internal.show_column_grants where redshift_internal.concerns(identity_id::bigint::oid);
create view pg_catalog.svv_default_privileges as
    select redshift_internal.shown(n.nspname) as schema_name,
           case d.defaclobjtype when 'r' then 'RELATION' when 'f' then 'FUNCTION' else 'SCHEMA' end::text as object_type,
           d.defaclrole::bigint::integer as owner_id, redshift_internal.identity_name(d.defaclrole)::text as owner_name,
           redshift_internal.identity_type(d.defaclrole)::text as owner_type, p.privilege_type::text, p.grantee::bigint::integer as grantee_id,
           redshift_internal.identity_name(p.grantee)::text as grantee_name, redshift_internal.identity_type(p.grantee)::text as grantee_type,
           p.is_grantable as admin_option
      from pg_catalog.pg_default_acl d left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
      cross join lateral redshift_internal.table_privileges(d.defaclacl) p
     where d.defaclobjtype in ('r', 'f', 'n') and p.grantee <> d.defaclrole
       and (redshift_internal.concerns(d.defaclrole) or redshift_internal.concerns(p.grantee));
create view pg_catalog.svv_redshift_functions as
    select database_name, schema_name, routine_name as function_name,
           case prokind when 'p' then 'STORED PROCEDURE' else 'REGULAR FUNCTION' end::varchar(128) as function_type,
           argument_list::varchar(512) as argument_type, return_type::varchar(128) as result_type
      from redshift_internal.show_routines;
create view pg_catalog.svv_query_inflight as
    select userid, slice, query, pid, starttime, suspended, text::char(200) as text, 0 as sequence from pg_catalog.stv_inflight;
create view pg_catalog.stv_db_isolation_level as
    select database_name::char(128) as db_name, database_isolation_level::char(20) as isolation_level from pg_catalog.svv_redshift_databases;
grant select on redshift_internal.role, pg_catalog.svv_roles, pg_catalog.svv_role_grants, pg_catalog.svv_user_grants,
    pg_catalog.svv_schema_privileges, pg_catalog.svv_database_privileges, pg_catalog.svv_function_privileges,
    pg_catalog.svv_column_privileges, pg_catalog.svv_default_privileges, pg_catalog.svv_redshift_functions,
    pg_catalog.svv_query_inflight to public;

-- "USER_IS_MEMBER_OF function", "ROLE_IS_MEMBER_OF function": also by way of other roles
create or replace function redshift_internal.is_member(member_name text, of_name text) returns boolean language sql stable strict as $$
    with recursive belonging(oid) as (
        select m.roleid from pg_catalog.pg_auth_members m join pg_catalog.pg_roles r on r.oid = m.member
         where redshift_internal.shown(r.rolname) = member_name
        union
        select m.roleid from pg_catalog.pg_auth_members m join belonging b on b.oid = m.member
    ) select exists (select from belonging b join pg_catalog.pg_roles r using (oid) where redshift_internal.shown(r.rolname) = of_name) $$;
create or replace function pg_catalog.user_is_member_of(user_name text, of_name text) returns boolean language sql stable strict
    as $$ select redshift_internal.is_member(user_name, of_name) $$;
create or replace function pg_catalog.role_is_member_of(role_name text, of_name text) returns boolean language sql stable strict
    as $$ select redshift_internal.is_member(role_name, of_name) $$;
