-- hooks: everybody who wants to know is told of each verdict.
--
--     a fact is recorded ──► an event, and a job for each sink of the pipeline queue that wants it
--
-- In the transaction that records the fact. An event has an id that its fact alone makes, and is there once: told
-- again, nobody hears of it twice. Delivery is at least once; who must not count twice looks at the id.
--
--     sink      job                 what it does
--     webhook   pipeline.webhook    posts CloudEvents JSON; hook_delivery says where, and what
--     email     pipeline.tell       hands the text to the email workload: notify.emit
--     notify    pipeline.tell       NOTIFY on a channel, with the event as payload
--
-- A sink that tells of changes hears when a project breaks and when it is green again. Which verdict is new is decided
-- by the order of ingestion, and by that of the attempts at one commit: one that comes late, when a later head has a
-- verdict already, is no change.
--
-- Arguments  event  an event's id
--            sink   the name of one of its pipeline queue's sinks
-- Locks   none that another record waits for.
-- Raises  MR003 unknown_queue; tell: what notify.emit raises.
-- Rows    1 event, and those of one enqueue per sink.

-- green, broken, flaky; none without a fact. A project may be broken in part.
create or replace function pipeline.verdict(degree numeric, is_flaky boolean)
returns text
language plpgsql immutable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return case when degree is null then 'none' when is_flaky then 'flaky' when degree = 0 then 'green'
                else 'broken' end;
end
$$;

-- What was told last: the verdict that a revalidation of the request has set aside, else that on the request before;
-- none: there is none.
create or replace function pipeline.verdict_before(queue text, request bigint, project text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce((select pipeline.verdict(s.degree, s.is_flaky)
                       from pipeline.request r
                       join pipeline.superseded_fact s on s.queue = r.queue and s.uri = r.uri
                      where r.queue = verdict_before.queue and r.number = verdict_before.request
                        and s.project = verdict_before.project
                      order by s.attempt desc
                      limit 1),
                    (select pipeline.verdict(f.degree, f.is_flaky)
                       from pipeline.validation_fact f
                      where f.queue = verdict_before.queue and f.project = verdict_before.project
                        and f.request < verdict_before.request
                      order by f.request desc
                      limit 1), 'none');
end
$$;

create or replace function pipeline.publish(queue text, id text, type text, payload jsonb, is_change boolean)
returns int  -- how many sinks are told; none when the event is known
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    told constant pipeline.queue := pipeline.known_queue(queue);
    sink record;
    jobs int := 0;
begin
    insert into pipeline.event (queue, id, type, at, payload)
    values (publish.queue, publish.id, publish.type, millrace.now(), publish.payload)
    on conflict on constraint event_pkey do nothing;
    if not found then
        return 0;
    end if;
    for sink in
        select s.name, s.kind
          from pipeline.sink s
         where s.queue = publish.queue and (s.tells = 'everything' or publish.is_change)
         order by s.name
    loop
        perform millrace.enqueue(told.job_queue,
                                 case sink.kind when 'webhook' then 'pipeline.webhook' else 'pipeline.tell' end,
                                 jsonb_build_object('event', publish.id, 'sink', sink.name));
        jobs := jobs + 1;
    end loop;
    return jobs;
end
$$;

-- The event of a fact. A verdict after a revalidation is another fact, and its id has a sign more that is in no name.
create or replace function pipeline.publish_fact(queue text, request bigint, project text)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    named constant text := format('request/%s/%s', queue, request);
    before constant text := pipeline.verdict_before(queue, request, project);
    told record;
begin
    select r.uri, r.state, r.attempt, r.build_strategy, r.base_uri, trim_scale(f.degree) as degree,
           pipeline.verdict(f.degree, f.is_flaky) as verdict, b.culprit_uri
      into strict told
      from pipeline.request r
      join pipeline.validation_fact f
        on f.queue = r.queue and f.uri = r.uri and f.project = publish_fact.project
      left join pipeline.bisect b on b.queue = r.queue and b.request = r.number and publish_fact.project = ''
     where r.queue = publish_fact.queue and r.number = publish_fact.request;
    return pipeline.publish(queue,
        format('pipeline/validation.recorded/%s/%s%s', named, publish_fact.project,
               case when told.attempt > 1 then '~' || told.attempt end),
        'validation.recorded',
        jsonb_build_object('queue', queue, 'request', named, 'uri', told.uri, 'project', project,
                           'degree', told.degree, 'verdict', told.verdict, 'verdict_before', before,
                           'strategy', told.build_strategy, 'base_uri', told.base_uri, 'culprit_uri', told.culprit_uri),
        (told.verdict = 'green') <> (before in ('green', 'none'))
        and not exists (select
                          from pipeline.validation_fact f
                         where f.queue = publish_fact.queue and f.project = publish_fact.project
                           and f.request > publish_fact.request));
end
$$;

-- CloudEvents 1.0, structured mode.
create or replace function pipeline.cloud_event(told pipeline.event)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
    select jsonb_build_object(
        'specversion', '1.0', 'id', told.id, 'source', 'millrace/pipeline/' || told.queue, 'type', told.type,
        'time', to_char(told.at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'datacontenttype', 'application/json',
        'data', jsonb_build_object('id', told.id, 'source', 'pipeline', 'type', told.type, 'version', 1,
                                   'timestamp_ms', floor(extract(epoch from told.at) * 1000)::bigint,
                                   'payload', told.payload))
$$;

-- What a webhook is to be told, and where. No row: the event or the sink is gone.
create or replace function pipeline.hook_delivery(event text, sink text)
returns table (url text, body jsonb, secret_env text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
    select s.settings ->> 'url', pipeline.cloud_event(e), s.settings ->> 'secret_env'
      from pipeline.event e
      join pipeline.sink s on s.queue = e.queue and s.name = hook_delivery.sink and s.kind = 'webhook'
     where e.id = hook_delivery.event
$$;

-- Tells a sink that needs nothing but this database.
create or replace function pipeline.tell(event text, sink text)
returns boolean  -- false: the event or the sink is gone
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    most_bytes constant int := 7999;  -- of a notification's payload
    told record;
    said record;
    body text;
begin
    select e.queue, e.id, s.kind, s.settings, e.payload, pipeline.cloud_event(e) as body into told
      from pipeline.event e
      join pipeline.sink s on s.queue = e.queue and s.name = tell.sink and s.kind in ('email', 'notify')
     where e.id = tell.event;
    if not found then
        return false;
    elsif told.kind = 'notify' then
        body := (told.body -> 'data')::text;
        perform pg_notify(told.settings ->> 'channel',
                          case when octet_length(body) <= most_bytes then body
                               else jsonb_build_object('id', left(told.id, 1000))::text end);
        return true;
    end if;
    select * into said from pipeline.mail_text(told.payload);
    perform notify.emit('pipeline.verdict', null,
                        array(select jsonb_array_elements_text(told.settings -> 'recipients')),
                        said.subject, said.body, dedup_key => encode(sha256(convert_to(told.id || ' ' || sink, 'UTF8')),
                                                                     'hex'));
    return true;
end
$$;

create or replace function pipeline.mail_text(payload jsonb, out subject text, out body text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with said as (
        select payload ->> 'queue' || case when payload ->> 'project' <> '' then ': ' || (payload ->> 'project')
                                           else '' end as what,
               case when payload ? 'culprit_request' then 'is broken; the commit that broke it is found'
                    when payload ->> 'verdict' <> 'green' then 'is ' || (payload ->> 'verdict')
                    when payload ->> 'verdict_before' in ('broken', 'flaky') then 'is green again'
                    else 'is green' end as news
    )
    select left(regexp_replace(what || ' ' || news, '[[:cntrl:]]', ' ', 'g'), 200),
           concat_ws(chr(10), what || ' ' || news || '.', '',
                     'commit   ' || (payload ->> 'uri'),
                     'request  ' || (payload ->> 'request'),
                     'before   ' || (payload ->> 'verdict_before'),
                     'built against ' || (payload ->> 'base_uri'),
                     'broken by ' || (payload ->> 'culprit_uri'), '')
      from said
$$;

create or replace function pipeline.recipients_complaint(recipients jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when jsonb_typeof(recipients) is distinct from 'array' then 'sinks: recipients: a list of usernames'
        when jsonb_array_length(recipients) not between 1 and 100
          or exists (select from jsonb_array_elements(recipients) r
                      where (jsonb_typeof(r) = 'string' and length(r #>> '{}') between 1 and 200
                             and r #>> '{}' !~ '[[:cntrl:]]') is not true)
            then 'sinks: recipients: 1 to 100 usernames of the email workload'
    end
$$;

create or replace function pipeline.sink_complaint(sink jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when (jsonb_typeof(sink -> 'name') = 'string' and sink ->> 'name' ~ '^[a-z0-9][a-z0-9_.-]{0,99}$') is not true
            then 'sinks: name: 1 to 100 of a-z, 0-9, "_", "." and "-", beginning with a letter or digit'
        when coalesce(sink ->> 'tells', 'everything') not in ('everything', 'changes')
            then 'sinks: tells: everything, or changes'
        when sink ->> 'kind' = 'webhook' and sink - '{name,kind,tells,url,secret_env}'::text[] <> '{}'
          or sink ->> 'kind' = 'email' and sink - '{name,kind,tells,recipients}'::text[] <> '{}'
          or sink ->> 'kind' = 'notify' and sink - '{name,kind,tells,channel}'::text[] <> '{}'
            then 'sinks: name, kind, tells; of a webhook url and secret_env, of email recipients, of notify channel'
        when sink ->> 'kind' = 'webhook' then
            case when (jsonb_typeof(sink -> 'url') = 'string' and octet_length(sink ->> 'url') <= 2000
                       and sink ->> 'url' ~ '^https?://[^[:space:][:cntrl:]@/]+(/[^[:space:][:cntrl:]]*)?$') is not true
                 then 'sinks: url: http:// or https://, a host, no password, up to 2000 bytes'
                 when sink ? 'secret_env' and (sink ->> 'secret_env' ~ '^PIPELINE_[A-Z0-9_]{1,90}$') is not true
                 then 'sinks: secret_env: the name of a variable of the worker, beginning with PIPELINE_' end
        when sink ->> 'kind' = 'notify' then
            case when (jsonb_typeof(sink -> 'channel') = 'string' and sink ->> 'channel' ~ '^[a-z_][a-z0-9_]{0,62}$'
                       and sink ->> 'channel' !~ '^millrace') is not true
                 then 'sinks: channel: 1 to 63 of a-z, 0-9 and "_", beginning with no digit, nor with millrace' end
        when sink ->> 'kind' = 'email' then pipeline.recipients_complaint(sink -> 'recipients')
        else 'sinks: kind: webhook, email or notify'
    end
$$;

-- What is wrong with sinks as they are configured: [{"name", "kind", "tells", and what the kind needs}].
create or replace function pipeline.sinks_complaint(sinks jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when jsonb_typeof(sinks) <> 'array' or jsonb_array_length(sinks) > 20 then 'sinks: a list of up to 20'
        when exists (select from jsonb_array_elements(sinks) s where jsonb_typeof(s) <> 'object')
            then 'sinks: each an object with name and kind'
        when (select count(distinct s ->> 'name') < count(*) from jsonb_array_elements(sinks) s)
            then 'sinks: each with a name, and each name once'
        else (select min(pipeline.sink_complaint(s)) from jsonb_array_elements(sinks) s)
    end
$$;
