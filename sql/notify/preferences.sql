-- should_send, config, configure, unsubscribe: what a user wants to hear, and where.
--
-- Most users never open the page with their settings: who has none is enabled, with each type's default, and hears of
-- things at once. A username that is an address serves as the user's address until there is another one.
--
--     should_send: settings disabled ─► no │ system_required ─► yes │ the user's preference │ the type's default
--
-- Arguments  username  1 … 200 characters, as the application calls its users
--            changes   {"email": text or null, "enabled": true, "delivery_mode": "realtime" or "digest",
--                       "digest_hour": 0 … 23, "time_zone": "Europe/Berlin", "locale": "de-AT",
--                       "preferences": {"cl.comment.created": true, false, or null for the default}}; what is not named
--                      stays. All of it is done, or nothing.
-- Locks      the user's rows of user_settings and user_preference; those of enqueue_unique.
-- Raises     MR005 bad_argument, MR030 unknown_event_type.
-- Rows       1, and one for each preference.

create or replace function notify.is_username(username text)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$ select coalesce(length(username) between 1 and 200 and username !~ '[[:cntrl:]]', false) $$;

-- What can be an address at all: before the @, what worker/adapters/mail.cpp takes. Whoever sends looks closer at the
-- domain.
create or replace function notify.is_address(address text)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(octet_length(address) <= 254 and address !~ '[[:cntrl:][:space:]<>",;]'
                and address ~ '^[A-Za-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@[^@/]*[^@/.]$'
                and address !~ '^[.]|[.][.]|[.]@|=[?].*[?].*[?].*@', false)
$$;

create or replace function notify.check_username(caller text, username text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform notify.raise_bad(caller, case
        when not notify.is_username(username) then 'username: 1 to 200 characters, none of them a control character'
    end);
end
$$;

-- Why a user is not to hear of this; null: the user is.
create or replace function notify.objection(enabled boolean, required boolean, preference boolean, by_default boolean)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when not coalesce(enabled, true) then 'disabled'
                when required or coalesce(preference, by_default) then null
                when preference is not null then 'preference'
                else 'default' end
$$;

create or replace function notify.should_send(username text, event_type text)
returns boolean  -- false for a type that is not known
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce((select notify.objection(s.enabled, t.system_required, p.enabled, t.default_enabled) is null
                       from notify.event_type t
                       left join notify.user_settings s on s.username = $1
                       left join notify.user_preference p on p.username = $1 and p.event_type = t.code
                      where t.code = $2), false)
$$;

create or replace function notify.settings_of(username text)
returns notify.user_settings  -- of somebody without settings, what holds then
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce((select s from notify.user_settings s where s.username = $1),
                    ($1, null, true, 'realtime', 8::smallint, 'UTC', 'en')::notify.user_settings)
$$;

create or replace function notify.config(username text)
returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    settings constant notify.user_settings := notify.settings_of(username);
begin
    perform notify.check_username('config', username);
    return jsonb_build_object(
        'email', settings.email, 'enabled', settings.enabled, 'delivery_mode', settings.delivery_mode,
        'digest_hour', settings.digest_hour, 'time_zone', settings.time_zone, 'locale', settings.locale,
        'preferences', coalesce((select jsonb_object_agg(p.event_type, p.enabled)
                                   from notify.user_preference p
                                   join notify.event_type t on t.code = p.event_type
                                  where p.username = config.username
                                        -- what has become required cannot be given back as false, and is sent
                                    and (p.enabled or not t.system_required)), '{}'));
end
$$;

-- What is wrong with the changes, but for the preferences; null: nothing.
create or replace function notify.changes_complaint(changes jsonb)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    known constant text[] := '{email,enabled,delivery_mode,digest_hour,time_zone,locale,preferences}';
    stranger text;
begin
    if changes is null or jsonb_typeof(changes) <> 'object' then
        return 'changes: a JSON object, for example {"delivery_mode": "digest"}';
    end if;
    select k into stranger from jsonb_object_keys(changes) k where k <> all (known) order by k limit 1;
    if found then
        raise exception using errcode = 'MR005',
            message = format('configure: bad changes: no field %L', left(stranger, 100)),
            hint = format('Allowed for changes: the fields %s.', array_to_string(known, ', '));
    end if;
    if changes ? 'time_zone' then
        perform millrace.check_time_zone('configure', changes ->> 'time_zone');
    end if;
    return case
        when jsonb_typeof(changes -> 'email') not in ('string', 'null')
          or jsonb_typeof(changes -> 'email') = 'string' and not notify.is_address(changes ->> 'email')
            then 'email: an address, as name@example.org, or null for none'
        when jsonb_typeof(changes -> 'enabled') <> 'boolean' then 'enabled: true or false'
        when jsonb_typeof(changes -> 'delivery_mode') <> 'string'
          or changes ->> 'delivery_mode' not in ('realtime', 'digest') then 'delivery_mode: "realtime" or "digest"'
        when jsonb_typeof(changes -> 'digest_hour') <> 'number'
          or changes ->> 'digest_hour' !~ '^([0-9]|1[0-9]|2[0-3])$'
            then 'digest_hour: a number, 0 to 23'
        when jsonb_typeof(changes -> 'locale') <> 'string' or not notify.is_locale(coalesce(changes ->> 'locale', 'en'))
            then 'locale: a language, or language-COUNTRY: "de", "de-AT"'
        when jsonb_typeof(changes -> 'preferences') <> 'object'
          or exists (select from jsonb_each(case jsonb_typeof(changes -> 'preferences') when 'object'
                                                 then changes -> 'preferences' end) p
                      where jsonb_typeof(p.value) not in ('boolean', 'null'))
            then 'preferences: an object of event types, each true, false or null'
    end;
end
$$;

create or replace function notify.set_preferences(username text, preferences jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    stranger text;
    required text;
begin
    select k, t.code into stranger, required
      from jsonb_each(preferences) p(k, enabled)
      left join notify.event_type t on t.code = p.k
     where t.code is null or t.system_required and p.enabled = 'false'
     order by t.code nulls first, p.k
     limit 1;
    if required is not null then
        raise exception using errcode = 'MR005',
            message = format('configure: bad preferences: %L cannot be switched off', required),
            hint = 'It is system_required. Leave it out, or set "enabled" to false to get no mail at all.';
    elsif stranger is not null then
        perform notify.raise_unknown_type(stranger);
    end if;
    delete from notify.user_preference u
     using jsonb_each(preferences) p
     where u.username = set_preferences.username and u.event_type = p.key and p.value = 'null';
    insert into notify.user_preference (username, event_type, enabled)
    select set_preferences.username, p.key, p.value::boolean
      from jsonb_each(preferences) p
     where p.value <> 'null'
     order by p.key
    on conflict on constraint user_preference_pkey do update set enabled = excluded.enabled;
end
$$;

-- A digest is put off by another time alone: who saves the page as it was would wait a day for one that is due.
create or replace function notify.configure(username text, changes jsonb)
returns jsonb  -- as config() says it then
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    was notify.user_settings%rowtype;
    now_is notify.user_settings%rowtype;
begin
    perform notify.check_username('configure', username);
    perform notify.raise_bad('configure', notify.changes_complaint(changes));
    if changes - 'preferences' <> '{}' then
        insert into notify.user_settings as s (username) values (configure.username)
        on conflict on constraint user_settings_pkey do nothing;
        select s.* into was from notify.user_settings s where s.username = configure.username for update;
        update notify.user_settings s
           set email = case when changes ? 'email' then changes ->> 'email' else s.email end,
               enabled = coalesce((changes ->> 'enabled')::boolean, s.enabled),
               delivery_mode = coalesce(changes ->> 'delivery_mode', s.delivery_mode),
               digest_hour = coalesce((changes ->> 'digest_hour')::smallint, s.digest_hour),
               time_zone = coalesce(changes ->> 'time_zone', s.time_zone),
               locale = coalesce(changes ->> 'locale', s.locale)
         where s.username = configure.username
        returning s.* into now_is;
    end if;
    perform notify.set_preferences(username, changes -> 'preferences') where changes ? 'preferences';
    if (now_is.delivery_mode, now_is.digest_hour, now_is.time_zone)
       is distinct from (was.delivery_mode, was.digest_hour, was.time_zone) then
        perform notify.put_off_digest(username);
    end if;
    return notify.config(username);
end
$$;

-- One preference, and nothing else; what is already so stays so.
create or replace function notify.unsubscribe(username text, event_type text)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform notify.check_username('unsubscribe', username);
    if event_type is null then
        perform notify.raise_unknown_type(event_type);
    end if;
    perform notify.set_preferences(username, jsonb_build_object(event_type, false));
end
$$;
