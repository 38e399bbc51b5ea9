-- import_forks, export_forks: the whole registry as one document, in one transaction.
--
-- An entry says everything of its group or fork: what it does not give is as in a new one. Only `enabled` stays as it
-- is unless it is given, because it is what an operator sets in a hurry. Groups and forks that the document does not
-- name are left alone.
--
-- Arguments  document  {"groups": [{…}], "forks": [{…}]}; the keys of configure_group with "name", and of change_fork
--                      with "repo"; up to 10,000 forks
--            dry_run   true: only say what would change
-- Returns    one row for each entry that is new or differs, groups first; none: nothing to do
-- Locks      the rows that it changes, in the order of the document.
-- Raises     MR005 bad_argument for whatever is wrong with an entry: the message says which one and which of its keys,
--            as in `import_forks: bad forks[3].branches`. Nothing is changed then.
-- Rows       those of configure_group and change_fork for each entry.

create or replace function forks.import_forks(document jsonb, dry_run boolean default true)
returns table (what text, name text, outcome text, changed jsonb)  -- group or fork; created or changed
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    most_forks constant int := 10000;
    lists constant text[] := '{groups,forks}';
    list text;
begin
    perform forks.check_keys('import_forks', 'document', document, lists);
    foreach list in array lists
    loop
        if jsonb_typeof(coalesce(document -> list, '[]')) <> 'array'
           or jsonb_array_length(coalesce(document -> list, '[]')) > most_forks then
            raise exception using errcode = 'MR005', message = 'import_forks: bad document',
                hint = format('Allowed for %s: a JSON array of up to %s entries.', list, most_forks);
        end if;
    end loop;
    begin
        return query select * from forks.import_list('groups', document -> 'groups');
        return query select * from forks.import_list('forks', document -> 'forks');
        if dry_run is not false then
            raise exception using errcode = 'MRDRY';  -- takes back what was done, keeps what was found
        end if;
    exception when sqlstate 'MRDRY' then
        null;
    end;
end
$$;

create or replace function forks.import_list(list text, entries jsonb)
returns table (what text, name text, outcome text, changed jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    label constant text := case list when 'groups' then 'name' else 'repo' end;
    names text[] := '{}';
    entry record;
    reason text;
    remedy text;
    key text;
begin
    for entry in select e.value, e.place - 1 as place from jsonb_array_elements(entries) with ordinality e(value, place)
    loop
        begin
            if entry.value ->> label = any (names) then
                raise exception using errcode = 'MR005', message = 'import_forks: bad ' || label,
                    hint = format('Allowed for %s: each one once; %L is there twice.', label,
                                  left(entry.value ->> label, 200));
            end if;
            if list = 'groups' then
                return query select * from forks.import_group(entry.value);
            else
                return query select * from forks.import_fork(entry.value);
            end if;
        exception when sqlstate 'MR003' or sqlstate 'MR005' or sqlstate 'MR015' or sqlstate 'MR022' then
            get stacked diagnostics reason = message_text, remedy = pg_exception_hint;
            key := case when reason ~ ': bad entry'
                        then replace(substring(reason from 'no key ''(.*)''$'), '''''', '''')
                        when sqlstate = 'MR015' then 'cron'
                        when sqlstate = 'MR022' then 'digest_group'
                        when sqlstate = 'MR003' and list = 'groups' and entry.value ->> 'email_queue'
                             = substring(reason from '''(.*)''') then 'email_queue'
                        when sqlstate = 'MR003' then 'queue'
                        else substring(reason from ': bad ([a-z_]+)') end;
            raise exception using errcode = 'MR005',
                message = format('import_forks: bad %s[%s]', list, entry.place) || coalesce('.' || key, ''),
                hint = concat_ws(' ', substring(reason from '(?:unknown|there are) .*') || '.', remedy);
        end;
        names := names || (entry.value ->> label);
    end loop;
end
$$;

create or replace function forks.import_group(entry jsonb)
returns table (what text, name text, outcome text, changed jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    old forks.digest_group;
    new forks.digest_group;
begin
    perform forks.check_keys('import_forks', 'entry', entry, forks.group_keys());
    select g.* into old from forks.digest_group g where g.name = entry ->> 'name' for no key update;
    perform forks.check_values(entry);
    new := jsonb_populate_record(forks.blank_group(null), entry);
    new.id := old.id;
    new.created_at := old.created_at;
    changed := forks.save_group('import_forks', old, new);
    what := 'group';
    name := new.name;
    outcome := case when old.id is null then 'created' else 'changed' end;
    if changed <> '{}' then
        return next;
    end if;
end
$$;

create or replace function forks.import_fork(entry jsonb)
returns table (what text, name text, outcome text, changed jsonb)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    old forks.fork;
    new forks.fork;
begin
    perform forks.check_keys('import_forks', 'entry', entry, forks.fork_keys());
    select f.* into old from forks.fork f where f.repo = entry ->> 'repo' for no key update;
    perform forks.check_values(entry);
    new := jsonb_populate_record(forks.blank_fork(null), entry);
    new.id := old.id;
    new.created_at := old.created_at;
    if not entry ? 'enabled' then
        new.enabled := coalesce(old.enabled, true);
    end if;
    perform forks.check_fork('import_forks', new);
    changed := forks.changed(to_jsonb(old), to_jsonb(new));
    what := 'fork';
    name := new.repo;
    outcome := case when old.id is null then 'created' else 'changed' end;
    if changed = '{}' then
        return;
    elsif old.id is null then
        perform forks.insert_fork(new);
    else
        perform forks.update_fork(new);
    end if;
    perform millrace.audit('forks.' || case when old.id is null then 'add_fork' else 'change_fork' end,
                           jsonb_build_object('repo', new.repo, 'changed', changed), 1);
    return next;
end
$$;

-- One key after the other, so that an error names the one that does not fit.
create or replace function forks.check_values(entry jsonb)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    given record;
begin
    for given in select e.key, e.value from jsonb_each(entry) e
    loop
        begin
            perform jsonb_populate_record(null::forks.fork, jsonb_build_object(given.key, given.value)),
                    jsonb_populate_record(null::forks.digest_group, jsonb_build_object(given.key, given.value));
        exception when data_exception then
            raise exception using errcode = 'MR005', message = 'import_forks: bad ' || given.key,
                hint = format('Allowed for %s: a list, a text or true and false, whichever it is.', given.key);
        end;
    end loop;
end
$$;

create or replace function forks.told(entry jsonb, blank jsonb, keys text[])
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_object_agg(k, entry -> k)
      from unnest(keys) k
     where entry -> k is distinct from coalesce(blank -> k, 'null')
$$;

-- What import_forks would take to make this registry; what is as in a new one is left out.
create or replace function forks.export_forks()
returns jsonb
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'groups', coalesce((select jsonb_agg(forks.told(to_jsonb(g), to_jsonb(forks.blank_group(null)),
                                                        forks.group_keys()) order by g.name)
                              from forks.digest_group g), '[]'),
        'forks', coalesce((select jsonb_agg(forks.told(to_jsonb(f), to_jsonb(forks.blank_fork(null)),
                                                       forks.fork_keys()) order by f.repo)
                             from forks.fork f), '[]'))
$$;
