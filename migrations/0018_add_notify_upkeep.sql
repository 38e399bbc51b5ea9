-- What the upkeep of notifications knows from one time to the next. Workers do it among their chores, whatever queues
-- they serve; before, it was the job of a schedule, which goes.

set local role millrace_owner;

alter table notify.house
    add column kept_up_at timestamptz not null default '-infinity',
    add column pending_from bigint not null default 0;     -- the first email that waited when it was last looked

with outdated as (
    select s.id from millrace.schedule s where s.name = 'notify.upkeep' and s.kind = 'notify.upkeep'
), runs as (
    delete from millrace.schedule_run r using outdated o where r.schedule_id = o.id
), dues as (
    delete from millrace.schedule_due d using outdated o where d.schedule_id = o.id
)
delete from millrace.schedule s using outdated o where s.id = o.id;
