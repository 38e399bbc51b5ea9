-- What the race specs share: verbs that print no fence and no time, so that their output is the same every time.

create schema race;
create table race.held (session int, job_id bigint, fence bigint);

-- Everything as after the installation: each permutation begins here.
create function race.reset() returns void language plpgsql as $$
begin
    truncate millrace.job, millrace.ready, millrace.scheduled, millrace.running, millrace.finished, millrace.dead_letter,
             millrace.attempt_failure, millrace.settle_receipt, millrace.queue_delta, millrace.operator_action, race.held;
    truncate millrace.worker restart identity;
    delete from millrace.queue;
    alter sequence millrace.job_id restart;
    update millrace.low_water set seen = '{}', delta_low = '0', delta_pending = '{}';
    perform millrace.create_queue('q', max_attempts => 3);
    perform millrace.open_session('one', '{q}'), millrace.open_session('two', '{q}');
end $$;

-- The ids that session n was handed; their fences are remembered for it.
create function race.claim(session int, amount int default 1) returns bigint[] language sql as $$
    with claimed as (select job_id, fence from millrace.claim(session, 'q', amount)),
         noted as (insert into race.held select session, job_id, fence from claimed)
    select coalesce(array_agg(job_id order by job_id), '{}') from claimed
$$;

-- Session n settles a job with the fence it was handed.
create function race.settle(session int, job bigint, outcome text default 'completed') returns text language sql as $$
    select case when millrace.settle_many(array[job], array_agg(h.fence), array[outcome], array['e'], array['0'::interval])
                     = '{}' then 'held' else 'lost' end
      from race.held h where h.session = settle.session and h.job_id = job
$$;

-- The lease of session n has run out.
create function race.expire(session int) returns void language sql as $$
    update millrace.worker set lease_expires_at = millrace.now() - interval '1 s' where id = session
$$;

create view race.states as select id, state, attempt from millrace.jobs order by id;
