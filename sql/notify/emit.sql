-- emit, cl_comment_created: something has happened, and these users should hear of it.
--
--     (nothing) ──► pending, with a job notify.send        who wants to hear of it at once
--     (nothing) ──► collected, for a job notify.digest     who wants a digest: see digest.sql
--     (nothing) ──► skipped, and why                       who does not want it, has no address, or is suppressed
--
-- All of it in the caller's transaction. The actor does not hear of it, and nobody hears twice. What is
-- sent is what emit was given, or what the type's template makes of `data`. A job knows the email by its id alone.
--
-- A cap per recipient is the queue's key_rate (configure_queue): where there is one each job has the key 'to:username',
-- so that the queue's key_limit holds for it, too. Types that are system_required have no key: nothing holds them back.
--
-- Arguments  event_type    as define_type made it
--            actor         a username, or null
--            recipients    up to 10,000 usernames; the actor's and those named twice are left out
--            subject       1 … 998 bytes, no line break
--            body_text, body_html  up to 1 MiB together; one of them may be null. body_html is sent as it is: escape in
--                          it what people have typed, with notify.html_escape(text)
--            data          an object for the templates, up to 1 MiB; what is in it is escaped in html
--            dedup_key     1 … 200 characters: of one type there is one event with it, as long as it is kept. A second
--                          emit does nothing, and says so
-- Locks      none that another emit waits for, but for one with the same dedup_key, or that is the first to collect for
--            the same user (in the order of their names: who emits twice in a transaction may deadlock with another
--            that does it the other way round); the job of a user's digest does not start before the caller's
--            transaction ends.
-- Raises     MR003 unknown_queue, MR005 bad_argument, MR010 too_many_jobs, MR030 unknown_event_type.
-- Rows       1; 4 for each recipient.

create or replace function notify.html_escape(text text)
returns text
language sql immutable security definer
set search_path = pg_catalog, pg_temp
as $$
    select replace(replace(replace(replace(replace($1, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'),
                   '''', '&#39;')
$$;

create or replace function notify.emit_complaint(
    actor text, recipients text[], subject text, body_text text, body_html text, data jsonb, dedup_key text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when actor is not null and not notify.is_username(actor) then 'actor: a username, or null'
        when recipients is null or array_ndims(recipients) > 1
          or exists (select from unnest(recipients) r(name)  -- is_username, which would be called for each
                      where (length(r.name) between 1 and 200 and r.name !~ '[[:cntrl:]]') is not true)
            then 'recipients: an array of usernames, each 1 to 200 characters, none of them a control character'
        when subject is null or subject = '' or octet_length(subject) > 998 or subject ~ '[[:cntrl:]]'
            then 'subject: 1 to 998 bytes, no line break'
        when coalesce(body_text, '') = '' and coalesce(body_html, '') = ''
            then 'body_text: not empty where there is no body_html'
        when coalesce(octet_length(body_text), 0) + coalesce(octet_length(body_html), 0) > 1048576
            then 'body_text: up to 1048576 bytes together with body_html'
        when jsonb_typeof(data) <> 'object' or octet_length(data::text) > 1048576
            then 'data: a JSON object of up to 1048576 bytes, or null'
        when dedup_key = '' or length(dedup_key) > 200 then 'dedup_key: 1 to 200 characters, or null for none'
    end
$$;

create or replace function notify.emit(
    event_type text,
    actor text,
    recipients text[],
    subject text,
    body_text text default null,
    body_html text default null,
    data jsonb default null,
    dedup_key text default null,
    out event bigint,     -- the one that was there before, where is_new is false
    out is_new boolean,
    out pending int,
    out collected int,
    out skipped int)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    looks constant int := 10;
    at constant timestamptz := millrace.now();
    of_type notify.event_type%rowtype;
begin
    pending := 0;
    collected := 0;
    skipped := 0;
    select t.* into of_type from notify.event_type t where t.code = emit.event_type;
    if not found then
        perform notify.raise_unknown_type(event_type);
    end if;
    perform notify.raise_bad('emit', notify.emit_complaint(actor, recipients, subject, body_text, body_html, data,
                                                           dedup_key));
    if cardinality(recipients) > 10000 then
        raise exception using errcode = 'MR010', message = format('emit: %s recipients in one call',
                                                                  cardinality(recipients)),
            hint = 'At most 10,000 at a time; calls in one transaction still commit together.';
    end if;

    for look in 1 .. looks
    loop
        insert into notify.event as e (event_type, emitted_at, expires_at, actor, subject, body_text, body_html, data,
                                       dedup_key)
        values (emit.event_type, at, at + of_type.expires_after, emit.actor, emit.subject, nullif(emit.body_text, ''),
                nullif(emit.body_html, ''), emit.data, emit.dedup_key)
        on conflict on constraint event_dedup do nothing
        returning e.id into event;
        is_new := found;
        if is_new then
            select t.pending, t.collected, t.skipped into emit.pending, emit.collected, emit.skipped
              from notify.tell(event, of_type, actor, recipients, at) t;
            return;
        end if;
        select e.id into event
          from notify.event e
         where e.event_type = emit.event_type and e.dedup_key = emit.dedup_key;
        if found then
            return;
        end if;
    end loop;
    raise exception using errcode = 'serialization_failure',
        message = format('emit: dedup_key %L comes and goes', dedup_key), hint = 'Try again.';
end
$$;

-- Decides for each recipient, in one statement, and enqueues the jobs, in another.
create or replace function notify.tell(
    of_event bigint, of_type notify.event_type, actor text, recipients text[], at timestamptz,
    out pending int, out collected int, out skipped int)
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    told notify.email[];
    collectors text[];
    jobs bigint[];
begin
    with chosen as materialized (
        select distinct r.name as username
          from unnest(recipients) r(name)
         where r.name is distinct from tell.actor
    ), judged as materialized (
        select c.username, coalesce(s.locale, 'en') as locale, a.address,
               coalesce(case when s.enabled is not false and p.enabled is null
                              and (of_type.system_required or of_type.default_enabled) then null  -- as most of them
                             else notify.objection(s.enabled, of_type.system_required, p.enabled,
                                                   of_type.default_enabled) end,
                        case when a.address is null then 'no address' end,
                        case when x.address is not null then 'suppressed' end) as skipped,
               s.delivery_mode = 'digest' and not of_type.system_required as is_digest
          from chosen c
          left join notify.user_settings s on s.username = c.username
          left join notify.user_preference p on p.username = c.username and p.event_type = of_type.code
         cross join lateral (select coalesce(s.email, case when strpos(c.username, '@') > 0
                                                            and notify.is_address(c.username) then c.username end)
                                    as address) a
          left join notify.suppression x on x.address = lower(a.address)
    ), numbered as materialized (
        select nextval('notify.email_id_seq') as id, j.* from judged j order by j.username
    )
    select coalesce(array_agg((n.id, of_event, of_type.code, at, n.username, n.address, n.locale, null,
                               n.skipped)::notify.email order by n.id)
                        filter (where n.skipped is not null or n.is_digest is not true), '{}'),
           array_agg(n.username order by n.username) filter (where n.skipped is null and n.is_digest)
      into told, collectors from numbered n;
    -- What is collected gets its rows with its digest: the two are made under one lock.
    collected := notify.collect(of_event, of_type.code, at, collectors);

    jobs := notify.enqueue_emails(of_type, at, array(select t from unnest(told) t where t.skipped is null));
    with sent as materialized (
        select t.id, j.job_id
          from (select t.id, row_number() over (order by t.id) as place from unnest(told) t where t.skipped is null) t
          join unnest(jobs) with ordinality j(job_id, place) on j.place = t.place
    ), stored as (
        insert into notify.email (id, event_id, event_type, emitted_at, username, address, locale, job_id, skipped)
        overriding system value
        select t.id, t.event_id, t.event_type, t.emitted_at, t.username, t.address, t.locale, s.job_id, t.skipped
          from unnest(told) t
          left join sent s on s.id = t.id
    ), waiting as (
        insert into notify.pending (email_id, job_id, emitted_at)
        select s.id, s.job_id, at from sent s
    )
    select count(s.id), count(*) filter (where t.skipped is not null) into pending, skipped
      from unnest(told) t
      left join sent s on s.id = t.id;
end
$$;

-- Jobs for these emails, in their order. A key costs a place among the blocked: only where there is a cap to hold.
create or replace function notify.enqueue_emails(of_type notify.event_type, at timestamptz, told notify.email[])
returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    has_cap constant boolean := exists (select from millrace.queue q
                                         where q.name = of_type.queue and q.key_rate is not null);
begin
    if cardinality(told) = 0 then
        perform millrace.queue_id(of_type.queue);
        return '{}';
    elsif has_cap and not of_type.system_required then
        return array(select millrace.enqueue(of_type.queue, 'notify.send', jsonb_build_object('email', t.id),
                                             of_type.priority::int, concurrency_key => left('to:' || t.username, 200),
                                             expires_at => at + of_type.expires_after)
                       from unnest(told) with ordinality t(id, event_id, event_type, emitted_at, username, address,
                                                           locale, job_id, skipped, place)
                      order by t.place);
    end if;
    return millrace.enqueue_many(of_type.queue, 'notify.send',
                                 array(select jsonb_build_object('email', t.id)
                                         from unnest(told) with ordinality t(id, event_id, event_type, emitted_at,
                                                                             username, address, locale, job_id, skipped,
                                                                             place)
                                        order by t.place),
                                 of_type.priority::int, expires_at => at + of_type.expires_after);
end
$$;

create or replace function notify.cl_comment_created(
    cl_link text, author text, reviewers text[], actor text, comment text, dedup_key text default null,
    out event bigint, out is_new boolean, out pending int, out collected int, out skipped int)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    line constant text := chr(10);
begin
    perform notify.raise_bad('cl_comment_created', case
        when cl_link is null or cl_link = '' or length(cl_link) > 2000 or cl_link ~ '[[:cntrl:]]'
          or cl_link !~ '^https?://[^/]'
            then 'cl_link: an http or https address of up to 2000 characters'
        when not notify.is_username(author) then 'author: a username'
        when not notify.is_username(actor) then 'actor: a username'
        when comment is null or comment = '' or octet_length(comment) > 262144 then 'comment: 1 to 262144 bytes'
        when reviewers is null or array_ndims(reviewers) > 1
          or exists (select from unnest(reviewers) r(name) where not notify.is_username(r.name))
            then 'reviewers: an array of usernames, empty for none'
    end);
    select e.event, e.is_new, e.pending, e.collected, e.skipped
      into event, is_new, pending, collected, skipped
      from notify.emit(
               'cl.comment.created', actor, author || reviewers, format('%s commented on a change list', actor),
               concat(actor, ' commented:', line, line, comment, line, line, cl_link, line),
               format('<p>%s commented:</p><blockquote style="white-space: pre-wrap">%s</blockquote>'
                      '<p><a href="%s">%s</a></p>', notify.html_escape(actor), notify.html_escape(comment),
                      notify.html_escape(cl_link), notify.html_escape(cl_link)),
               jsonb_build_object('cl_link', cl_link, 'author', author, 'actor', actor, 'comment', comment),
               dedup_key) e;
end
$$;
