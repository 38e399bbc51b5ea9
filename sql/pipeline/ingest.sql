-- ingest: asks for the validation of a head, once however often it is reported.
--
--     (nothing) ──► accepted, and a job that processes it
--
-- Whoever finds the commit owned by a request is given that request, and nothing is enqueued. Requests are minted under
-- the lock of the pipeline queue's row, so that two reporters of one head mint one.
--
-- poll: enqueues the job that asks the source control for the head and ingests that.
--
-- Arguments  uri     as the source control mints it, up to 2,000 bytes
-- Locks      the row of pipeline.queue, unless the head is known.
-- Raises     MR003 unknown_queue, MR005 bad_argument.
-- Rows       4 of the pipeline, and those of one enqueue.

create or replace function pipeline.ingest(queue text, uri text)
returns bigint  -- the request's number
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known bigint;
    stages text;
begin
    perform pipeline.known_queue(queue);
    if uri is null or uri = '' or octet_length(uri) > 2000 then
        raise exception using errcode = 'MR005', message = 'ingest: bad uri',
            hint = 'Allowed for uri: 1 to 2000 bytes, as the source control writes them.';
    end if;
    perform pipeline.note_look(queue);
    select u.request into known from pipeline.request_uri u where u.queue = ingest.queue and u.uri = ingest.uri;
    if found then
        return known;
    end if;
    select q.job_queue into stages from pipeline.queue q where q.name = ingest.queue for update;
    select u.request into known from pipeline.request_uri u where u.queue = ingest.queue and u.uri = ingest.uri;
    if found then
        return known;  -- minted by whoever had the lock
    end if;

    update pipeline.queue q set latest_request = q.latest_request + 1, version = q.version + 1
     where q.name = ingest.queue
    returning q.latest_request into known;
    insert into pipeline.request (queue, number, uri, accepted_at)
    values (ingest.queue, known, ingest.uri, millrace.now());
    insert into pipeline.request_uri (queue, uri, request) values (ingest.queue, ingest.uri, known);
    perform millrace.enqueue(stages, 'pipeline.process', jsonb_build_object('queue', ingest.queue, 'request', known));
    return known;
end
$$;

-- Somebody has an eye on the branch: a gate may ask how long ago. Once a second is often enough; who notes it at the
-- same time is not waited for.
create or replace function pipeline.note_look(queue text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select
                 from pipeline.look l
                where l.queue = note_look.queue and l.at > millrace.now() - interval '1 s') then
        return;
    end if;
    perform from pipeline.look l where l.queue = note_look.queue for update skip locked;
    if found then
        update pipeline.look l set at = millrace.now() where l.queue = note_look.queue;
    end if;
end
$$;

create or replace function pipeline.poll(queue text)
returns bigint  -- the job's id
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    polled constant pipeline.queue := pipeline.known_queue(queue);
begin
    return millrace.enqueue(polled.job_queue, 'pipeline.ingest', jsonb_build_object('queue', polled.name));
end
$$;
