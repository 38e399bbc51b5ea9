-- greenness: is this commit green, and which is the latest that is?
--
-- A commit without a fact is not green: absence never opens a gate.
--
-- Arguments  project  '' for the whole repository
-- Locks      none.
-- Raises     MR003 unknown_queue.

create or replace function pipeline.is_green(queue text, uri text, project text default '')
returns boolean
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pipeline.known_queue(queue);
    return exists (select
                     from pipeline.validation_fact f
                    where f.queue = is_green.queue and f.uri = is_green.uri and f.project = is_green.project
                      and f.degree = 0);
end
$$;

-- By the order of ingestion, not by that of the verdicts: what was validated late does not pass for newer.
create or replace function pipeline.latest_green(queue text, project text default '')
returns text  -- the URI; null: nothing has been green
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    asked constant pipeline.queue := pipeline.known_queue(queue);
begin
    if project = '' then
        return asked.last_green_uri;
    end if;
    return (select f.uri
              from pipeline.validation_fact f
             where f.queue = latest_green.queue and f.project = latest_green.project and f.degree = 0
             order by f.request desc
             limit 1);
end
$$;
