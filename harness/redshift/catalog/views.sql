-- System views. Source: Database Developer Guide, "System tables and views reference".
create or replace view pg_catalog.stl_load_errors as
    select 100 as userid, 0 as slice, null::integer as tbl, e.start_time as starttime, e.session_id as session,
           e.query_id as query, e.file_name::char(256) as filename, e.line_number, e.column_name::char(127) as colname,
           e.column_type::char(10) as type, e.column_length::char(10) as col_length, e.position,
           e.raw_line::char(1024) as raw_line, e.raw_value::char(1024) as raw_field_value, e.error_code as err_code,
           e.error_message::char(100) as err_reason
      from redshift_internal.load_error e;
grant select on pg_catalog.stl_load_errors to public;
