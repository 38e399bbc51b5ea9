-- configure_group, groups: forks that are synchronised together, and who is told.
--
--     (nothing) ──configure_group──► group                a group, once made, stays
--     cron given ──► the schedule forks.<name> ──► a job forks.run each time
--
-- Arguments  name     1 … 48 of a-z, 0-9, "_", "." and "-"; made if there is none
--            changes  a JSON object; what is not given stays, or is as in a new group
--                     queue           of the jobs that start runs and make digests (forks); it must exist
--                     email_queue     of the mails (email); it must exist when there are recipients
--                     recipients      up to 50 addresses, name@domain; none: the digest is only recorded
--                     subject_prefix  the subject's first words, up to 100 characters; null: the forks' organisation
--                     cron            see cron.sql; null: no schedule
--                     time_zone       of cron, and of the date in the subject (UTC)
--                     template_path   the managed file, up to 500 bytes, relative
--                     template        what it is to hold, up to 256 KiB; both or none
--                     managed         up to 50 patterns of 1 … 200 characters, as in LIKE: the subjects of commits
--                                     that are no work of people
--                     retention_days  for how long runs and results are kept, 1 … 3,650; see retention.sql (90)
-- Locks      the group's row, and that of its schedule.
-- Raises     MR003 unknown_queue, MR005 bad_argument, MR015 too_many_schedules.
-- Rows       1, those of a schedule, and one of operator_action.

create or replace function forks.configure_group(name text, changes jsonb default '{}')
returns jsonb  -- what has changed: {"recipients": {"from": …, "to": …}}
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    old forks.digest_group;
    new forks.digest_group;
begin
    perform forks.check_keys('configure_group', 'changes', changes, array_remove(forks.group_keys(), 'name'));
    select g.* into old from forks.digest_group g where g.name = configure_group.name for no key update;
    new := old;
    if not found then
        new := forks.blank_group(name);
    end if;
    begin
        new := jsonb_populate_record(new, changes);
    exception when data_exception then
        raise exception using errcode = 'MR005', message = format('configure_group: bad changes: %s', sqlerrm),
            hint = 'Lists as JSON arrays, the rest as text: ''{"recipients": ["ada@example.org"]}''.';
    end;
    return forks.save_group('configure_group', old, new);
end
$$;

create or replace function forks.group_keys()
returns text[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select '{name,queue,email_queue,recipients,subject_prefix,cron,time_zone,template_path,template,managed,
             retention_days}'::text[]
$$;

create or replace function forks.blank_group(name text)
returns forks.digest_group
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_populate_record(null::forks.digest_group, jsonb_build_object(
        'name', name, 'queue', 'forks', 'email_queue', 'email', 'recipients', '[]'::jsonb, 'time_zone', 'UTC',
        'retention_days', 90,
        'managed', jsonb_build_array('created % from % distributor', 'updated % from % distributor',
                                     'Merge branch ''%:%'' into %')))
$$;

-- As `argument: what is allowed`; null: nothing is wrong.
create or replace function forks.group_problem(g forks.digest_group)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when g.name is null or g.name !~ '^[a-z0-9][a-z0-9_.-]{0,47}$'
            then 'name: 1 to 48 of a-z, 0-9, "_", "." and "-", beginning with a letter or digit'
        when g.recipients is null or array_ndims(g.recipients) > 1 or cardinality(g.recipients) > 50
          or exists (select from unnest(g.recipients) r
                      where r is null or length(r) > 254 or length(split_part(r, '@', 1)) > 64
                         or r !~ ('^[A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+([.][A-Za-z0-9!#$%&''*+/=?^_`{|}~-]+)*'
                                  || '@[^@/<>",;[:space:][:cntrl:]]*[^@/<>",;.[:space:][:cntrl:]]$'))
          or (select count(distinct r) from unnest(g.recipients) r) < cardinality(g.recipients)
            then 'recipients: up to 50 different addresses, each name@domain'
        when g.subject_prefix = '' or length(g.subject_prefix) > 100 or g.subject_prefix ~ '[[:cntrl:]]'
            then 'subject_prefix: 1 to 100 characters in one line; or null'
        when g.template_path = '' or octet_length(g.template_path) > 500 or g.template_path ~ '[[:cntrl:]]'
          or g.template_path ~ '^/|/$|//|(^|/)[.]{1,2}(/|$)' or strpos(g.template_path, chr(92)) > 0
          or num_nulls(g.template_path, g.template) = 1
            then 'template_path: a relative path of up to 500 bytes, together with template; or null'
        when octet_length(g.template) > 262144 then 'template: up to 262144 bytes; or null'
        when g.managed is null or array_ndims(g.managed) > 1 or cardinality(g.managed) > 50
          or exists (select from unnest(g.managed) m where m is null or length(m) not between 1 and 200)
            then 'managed: up to 50 patterns of 1 to 200 characters'
        when g.retention_days is null or g.retention_days not between 1 and 3650 then 'retention_days: 1 to 3650'
        when g.time_zone is null then 'time_zone: a name such as Europe/Berlin'
        when g.email_queue is null then 'email_queue: the name of a queue'
    end
$$;

create or replace function forks.save_group(caller text, old forks.digest_group, new forks.digest_group)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    wrong constant text := forks.group_problem(new);
    changed constant jsonb := forks.changed(to_jsonb(old), to_jsonb(new));
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = caller || ': bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    perform millrace.check_time_zone(caller, new.time_zone);
    perform millrace.queue_id(new.queue);
    if new.recipients <> '{}' then
        perform millrace.queue_id(new.email_queue);
    end if;
    if changed = '{}' then
        return changed;
    end if;
    insert into forks.digest_group as g (name, queue, email_queue, recipients, subject_prefix, cron, time_zone,
                                         template_path, template, managed, retention_days, created_at)
    values (new.name, new.queue, new.email_queue, new.recipients, new.subject_prefix, new.cron, new.time_zone,
            new.template_path, new.template, new.managed, new.retention_days, millrace.now())
    on conflict on constraint digest_group_name_key
    do update set (queue, email_queue, recipients, subject_prefix, cron, time_zone, template_path, template, managed,
                   retention_days)
                = (new.queue, new.email_queue, new.recipients, new.subject_prefix, new.cron, new.time_zone,
                   new.template_path, new.template, new.managed, new.retention_days);
    if new.cron is not null then
        perform millrace.create_schedule('forks.' || new.name, new.cron, new.queue, 'forks.run',
                                         jsonb_build_object('group', new.name), time_zone => new.time_zone);
    elsif old.cron is not null and exists (select from millrace.schedule s where s.name = 'forks.' || new.name) then
        perform millrace.drop_schedule('forks.' || new.name);
    end if;
    perform millrace.audit('forks.configure_group', jsonb_build_object('group', new.name, 'changed', changed), 1);
    return changed;
end
$$;

create or replace function forks.raise_unknown_group(name text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'MR022', message = format('unknown digest group %L', left(name, 100)),
        hint = 'Make it with select forks.configure_group(name), or correct it: the view forks.groups lists them.';
end
$$;

set local client_min_messages = warning;
drop view if exists forks.groups;
reset client_min_messages;

create view forks.groups as
select g.name, g.queue, g.email_queue, g.recipients, g.subject_prefix, g.cron, g.time_zone, g.template_path, g.template,
       g.managed, g.retention_days, g.created_at,
       (select count(*) from forks.fork f where f.digest_group = g.name and f.enabled) as enabled_forks
  from forks.digest_group g;
