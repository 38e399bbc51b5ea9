-- The login roles of an installation, an example to copy: who enqueues, who works, who is on call, and who only looks.
-- Run it by psql after `millrace migrate up`, as a superuser. (Who may create roles and has migrated is enough up to
-- PostgreSQL 15; later ones let others hand out what they administer, and no role of the server's own.)
--
--     psql -X -d shop -v prefix=shop -f config/roles.sql
--
-- It may be run again: a role that is there gets what it lacks, and keeps what else it has. Nobody gets a password
-- here: \password shop_worker, or whatever pg_hba.conf asks for instead. docs/roles.md says what each may do.

\set ON_ERROR_STOP on
\if :{?prefix}
\else
    \set prefix shop
\endif
\set app :prefix _app
\set worker :prefix _worker
\set oncall :prefix _oncall
\set viewer :prefix _viewer

begin;

select format('create role %I login', wanted.name)
  from unnest(array[:'app', :'worker', :'oncall', :'viewer']) wanted(name)
 where not exists (select from pg_roles r where r.rolname = wanted.name) \gexec

-- The application. Who sleeps in a transaction keeps rows from being removed, for everybody.
grant millrace_enqueuer to :"app";
alter role :"app" set idle_in_transaction_session_timeout = '5min';

-- Workers, and `millrace serve`. What handlers do to tables of your own is for you to grant. The limits of people and
-- applications are not for them: their statements end by themselves.
grant millrace_worker to :"worker";
alter role :"worker" set default_transaction_isolation = 'read committed';
alter role :"worker" set idle_in_transaction_session_timeout = 0;
alter role :"worker" set statement_timeout = 0;

-- Who is called at night: sees what other sessions do, and may end it. Not a superuser's.
grant millrace_operator, pg_monitor, pg_signal_backend to :"oncall";

-- `millrace doctor` by its timer, and Grafana: no question of theirs may take long.
grant millrace_viewer to :"viewer";
alter role :"viewer" set statement_timeout = '1min';

-- So that the doctor sees who holds what up, whoever asks it.
grant pg_read_all_stats to millrace_owner;

commit;
