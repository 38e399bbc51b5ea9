-- define_type, set_sender, types, put_template, drop_template: which events there are, and how their mails read.
--
-- An application defines its types each time it starts: what is there and says the same is left alone, so that any
-- number of instances may start at once.
--
-- Arguments  code             1 … 100 of a-z, 0-9, "_", "." and "-", as in cl.comment.created
--            category         the same; made when it is new
--            description      1 … 500 characters, for the page on which users choose
--            priority, queue  of its jobs
--            system_required  users cannot switch it off, digests do not hold it back, and no cap per recipient does
--            default_enabled  for users who have not said otherwise
--            expires_after    1 second … 10 years after it was emitted it is not sent any more; null: always
--            sender           an address, or 'Name <address>', up to 500 bytes; null: the worker's own
--            locale           as in 'de' or 'de-AT'
--            subject, text, html  templates in Mustache: 998 bytes, 256 KiB and 256 KiB; html may be null
-- Locks      the rows that change.
-- Raises     MR003 unknown_queue, MR005 bad_argument, MR030 unknown_event_type.
-- Rows       1 or 2; types: one for each type.

create or replace function notify.raise_unknown_type(code text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'MR030', message = format('unknown event type %L', left(code, 200)),
        hint = format('Known are %s. Others are made with select notify.define_type(code, category, description).',
                      left((select string_agg(t.code, ', ' order by t.code) from notify.event_type t), 2000));
end
$$;

create or replace function notify.raise_bad(caller text, wrong text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = format('%s: bad %s', caller, split_part(wrong, ':', 1)),
            hint = 'Allowed for ' || wrong || '.';
    end if;
end
$$;

create or replace function notify.define_type(
    code text,
    category text,
    description text,
    priority int default 5,
    queue text default 'email',
    system_required boolean default false,
    default_enabled boolean default true,
    expires_after interval default null)
returns boolean  -- whether anything has changed
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    names constant text := '1 to 100 of a-z, 0-9, "_", "." and "-", beginning with a letter or digit';
begin
    perform notify.raise_bad('define_type', case
        when code is null or code !~ '^[a-z0-9][a-z0-9_.-]{0,99}$' then 'code: ' || names
        when category is null or category !~ '^[a-z0-9][a-z0-9_.-]{0,99}$' then 'category: ' || names
        when description is null or description = '' or length(description) > 500
            then 'description: 1 to 500 characters'
        when priority is null or priority not between 0 and 9 then 'priority: 0 (first) to 9 (last)'
        when system_required is null then 'system_required: true or false'
        when default_enabled is null then 'default_enabled: true or false'
        when expires_after not between interval '1 second' and interval '10 years'
          or to_char(expires_after, 'YYYYMMDDHH24MISSUS') ~ '-'  -- queue/create_queue.sql
            then 'expires_after: 1 second to 10 years, no part negative, or null for never' end);
    if queue is null or queue !~ '^[a-z0-9][a-z0-9_.-]{0,47}$' then
        perform millrace.queue_id(queue);  -- raises MR003; one that is only missing may be made later
        perform notify.raise_bad('define_type', 'queue: the name of a queue');
    end if;
    if exists (select
                 from notify.event_type t
                where t.code = define_type.code
                  and (t.category, t.description, t.priority, t.queue, t.system_required, t.default_enabled,
                       t.expires_after)
                      is not distinct from
                      (define_type.category, define_type.description, define_type.priority::smallint,
                       define_type.queue, define_type.system_required, define_type.default_enabled,
                       define_type.expires_after)) then
        return false;
    end if;
    insert into notify.category (name) values (define_type.category)
    on conflict on constraint category_pkey do nothing;
    insert into notify.event_type (code, category, description, priority, queue, system_required, default_enabled,
                                   expires_after)
    values (define_type.code, define_type.category, define_type.description, define_type.priority, define_type.queue,
            define_type.system_required, define_type.default_enabled, define_type.expires_after)
    on conflict on constraint event_type_pkey
    do update set category = excluded.category, description = excluded.description, priority = excluded.priority,
                  queue = excluded.queue, system_required = excluded.system_required,
                  default_enabled = excluded.default_enabled, expires_after = excluded.expires_after;
    return true;
end
$$;

create or replace function notify.set_sender(category text, sender text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform notify.raise_bad('set_sender', case
        when octet_length(sender) > 500 or sender ~ '[[:cntrl:]]'
          or sender is not null
         and not notify.is_address(coalesce(substring(btrim(sender) from '<([^<]*)>$'), btrim(sender)))
            then 'sender: an address, or ''Name <address>'', up to 500 bytes; null for the worker''s' end);
    update notify.category c set sender = set_sender.sender where c.name = set_sender.category;
    if not found then
        perform notify.raise_bad('set_sender', format('category: %s', left(
            (select string_agg(c.name, ', ' order by c.name) from notify.category c), 2000)));
    end if;
    perform millrace.audit('notify.set_sender', jsonb_build_object('category', category, 'sender', sender), 1);
end
$$;

create or replace function notify.types()
returns table (code text, category text, description text, system_required boolean, default_enabled boolean,
               priority int, expires_after interval)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select t.code, t.category, t.description, t.system_required, t.default_enabled, t.priority::int, t.expires_after
      from notify.event_type t
     order by t.code
$$;

create or replace function notify.put_template(
    event_type text, locale text, subject text, body_text text, body_html text default null)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from notify.event_type t where t.code = put_template.event_type) then
        perform notify.raise_unknown_type(event_type);
    end if;
    perform notify.raise_bad('put_template', case
        when not notify.is_locale(locale) then 'locale: a language, or language-COUNTRY: de, de-AT'
        when subject is null or subject = '' or octet_length(subject) > 998 or subject ~ '[[:cntrl:]]'
            then 'subject: 1 to 998 bytes, no line break'
        when body_text is null or octet_length(body_text) > 262144 then 'body_text: up to 262144 bytes'
        when octet_length(body_html) > 262144 then 'body_html: up to 262144 bytes, or null for none'
        when body_text = '' and coalesce(body_html, '') = '' then 'body_text: not empty where there is no body_html'
    end);
    insert into notify.template (event_type, locale, subject, body_text, body_html, changed_at)
    values (put_template.event_type, put_template.locale, put_template.subject, put_template.body_text,
            put_template.body_html, millrace.now())
    on conflict on constraint template_pkey
    do update set subject = excluded.subject, body_text = excluded.body_text, body_html = excluded.body_html,
                  changed_at = excluded.changed_at;
    perform millrace.audit('notify.put_template', jsonb_build_object('event_type', event_type, 'locale', locale), 1);
end
$$;

create or replace function notify.drop_template(event_type text, locale text)
returns boolean  -- whether there was one
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from notify.template t where t.event_type = drop_template.event_type and t.locale = drop_template.locale;
    if found then
        perform millrace.audit('notify.drop_template', jsonb_build_object('event_type', event_type, 'locale', locale),
                               1);
        return true;
    end if;
    return false;
end
$$;

create or replace function notify.is_locale(locale text)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$ select coalesce(locale ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-[0-9]{3})?$', false) $$;

-- The template for a locale: 'de-AT', then 'de', then 'en'; none: the emit's own words are sent.
create or replace function notify.template_for(event_type text, locale text)
returns setof notify.template
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select t.*
      from notify.template t
      join (values (1, $2), (2, regexp_replace($2, '-[A-Z0-9]+$', '')), (3, split_part($2, '-', 1)), (4, 'en'))
           wanted(place, locale) on wanted.locale = t.locale
     where t.event_type = $1
     order by wanted.place
     limit 1
$$;
