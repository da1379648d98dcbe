-- String functions and LIKE take numbers, dates and times as the strings that these are cast to. Source: Database
-- Developer Guide, "Type compatibility and conversion", and the examples of "LTRIM function", "SPLIT_PART function",
-- "SUBSTRING function", "STRPOS function", "REVERSE function", "REPEAT function" and "DATE_TRUNC function".
do $$
declare
    source text;
    called text[];
    compared text[];
begin
    foreach source in array array['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'date', 'timestamp',
                                  'timestamptz', 'time'] loop
        -- name, arguments, result, body
        foreach called slice 1 in array array[
            ['lower', 'v %1$s', 'text', 'lower(v::text)'], ['upper', 'v %1$s', 'text', 'upper(v::text)'],
            ['char_length', 'v %1$s', 'integer', 'char_length(v::text)'], ['length', 'v %1$s', 'integer', 'char_length(v::text)'],
            ['octet_length', 'v %1$s', 'integer', 'octet_length(v::text)'], ['reverse', 'v %1$s', 'text', 'reverse(v::text)'],
            ['repeat', 'v %1$s, times integer', 'text', 'repeat(v::text, times)'],
            ['left', 'v %1$s, n integer', 'text', 'left(v::text, n)'], ['right', 'v %1$s, n integer', 'text', 'right(v::text, n)'],
            ['substring', 'v %1$s, start integer', 'text', 'substr(v::text, start)'],
            ['substring', 'v %1$s, start integer, n integer', 'text', 'substr(v::text, start, n)'],
            ['substr', 'v %1$s, start integer', 'text', 'substr(v::text, start)'],
            ['substr', 'v %1$s, start integer, n integer', 'text', 'substr(v::text, start, n)'],
            ['btrim', 'v %1$s', 'text', 'btrim(v::text)'], ['btrim', 'v %1$s, c text', 'text', 'btrim(v::text, c)'],
            ['ltrim', 'v %1$s', 'text', 'ltrim(v::text)'], ['ltrim', 'v %1$s, c text', 'text', 'ltrim(v::text, c)'],
            ['rtrim', 'v %1$s', 'text', 'rtrim(v::text)'], ['rtrim', 'v %1$s, c text', 'text', 'rtrim(v::text, c)'],
            ['replace', 'v %1$s, a text, b text', 'text', 'replace(v::text, a, b)'],
            ['split_part', 'v %1$s, c text, n integer', 'text', 'split_part(v::text, c, n)'],
            ['strpos', 'v %1$s, part text', 'integer', 'strpos(v::text, part)'],
            ['position', 'v %1$s, part text', 'integer', 'strpos(v::text, part)'],
            ['charindex', 'part text, v %1$s', 'integer', 'strpos(v::text, part)'],
            ['lpad', 'v %1$s, n integer', 'text', 'lpad(v::text, n)'],
            ['lpad', 'v %1$s, n integer, c text', 'text', 'lpad(v::text, n, c)'],
            ['rpad', 'v %1$s, n integer', 'text', 'rpad(v::text, n)'],
            ['rpad', 'v %1$s, n integer, c text', 'text', 'rpad(v::text, n, c)']
        ] loop
            execute format('create or replace function pg_catalog.%I(%s) returns %s language sql stable as $f$ select pg_catalog.%s $f$',
                           called[1], format(called[2], source), called[3], called[4]);
        end loop;
        foreach compared slice 1 in array array[['~~', 'like'], ['!~~', 'not like'], ['~~*', 'ilike'], ['!~~*', 'not ilike']] loop
            execute format('create or replace function redshift_internal.%I(v %s, pattern text) returns boolean language sql stable
                            as $f$ select v::text %s pattern $f$', replace(compared[2], ' ', '_'), source, compared[2]);
            if to_regoperator(format('pg_catalog.%s(%s,text)', compared[1], source)) is null then
                execute format('create operator pg_catalog.%s (leftarg = %s, rightarg = text, function = redshift_internal.%I)',
                               compared[1], source, replace(compared[2], ' ', '_'));
            end if;
        end loop;
    end loop;
end $$;

-- "Significance of trailing blanks" ("Character types"): they do not count where two strings are compared, in conditions,
-- joins, groups and sorts alike. PostgreSQL compares so what is of CHAR, and strings of both types are stored alike: so
-- the operators and index methods of VARCHAR get those of CHAR. What is in an index already is sorted again.
do $$
declare
    indexed regclass;
    is_new boolean := (select oprcode = 'texteq'::regproc from pg_catalog.pg_operator where oid = 'pg_catalog.=(text,text)'::regoperator);
begin
    if not is_new then
        return;
    end if;
    update pg_catalog.pg_operator o set oprcode = b.oprcode
      from pg_catalog.pg_operator b
     where o.oprleft = 'text'::regtype and o.oprright = 'text'::regtype and b.oprleft = 'bpchar'::regtype
       and b.oprright = 'bpchar'::regtype and o.oprname = b.oprname and o.oprname in ('=', '<>', '<', '<=', '>', '>=');
    delete from pg_catalog.pg_amproc t using pg_catalog.pg_opfamily f
     where t.amprocfamily = f.oid and f.opfname = 'text_ops' and f.opfmethod in (403, 405)
       and t.amproclefttype = 'text'::regtype and t.amprocrighttype = 'text'::regtype
       and not exists (select from pg_catalog.pg_amproc b join pg_catalog.pg_opfamily g on g.oid = b.amprocfamily
                        where g.opfname = 'bpchar_ops' and g.opfmethod = f.opfmethod and b.amprocnum = t.amprocnum);
    update pg_catalog.pg_amproc t set amproc = b.amproc
      from pg_catalog.pg_opfamily f, pg_catalog.pg_amproc b, pg_catalog.pg_opfamily g
     where t.amprocfamily = f.oid and f.opfname = 'text_ops' and f.opfmethod in (403, 405)
       and t.amproclefttype = 'text'::regtype and t.amprocrighttype = 'text'::regtype
       and b.amprocfamily = g.oid and g.opfname = 'bpchar_ops' and g.opfmethod = f.opfmethod and b.amprocnum = t.amprocnum
       and b.amproclefttype = 'bpchar'::regtype and b.amprocrighttype = 'bpchar'::regtype;
    for indexed in
        select i.indexrelid from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'i' and c.relpersistence <> 't' and n.nspname not in ('pg_catalog', 'information_schema')
           and exists (select from pg_catalog.pg_opclass o where o.oid = any (i.indclass) and o.opcintype = 'text'::regtype)
    loop
        execute format('reindex index %s', indexed);
    end loop;
end $$;
