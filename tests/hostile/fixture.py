"""A database of its own with a job in every state, a fork and a pipeline; and the checksums of all its tables."""

import contextlib
import os
import uuid

import psycopg2
import psycopg2.extensions

SCHEMAS = ("millrace", "forks", "pipeline", "notify")
PRODUCT_ROLES = ("millrace_enqueuer", "millrace_worker", "millrace_operator", "millrace_viewer")
STRANGER = "pg_monitor"  # any role that has nothing to do with the queues

# Ids begin beyond all that values.py makes, so that no generated number is one of them.
SETTING = """
alter sequence millrace.job_id restart 7700000;
alter table millrace.worker alter id restart with 7700000;
alter table millrace.batch alter id restart with 7700000;
select millrace.adopt();
select millrace.create_queue(q) from unnest('{mail,pipeline,forks}'::text[]) q;
select millrace.create_queue('small', max_payload_bytes => 100);
update notify.event_type set queue = 'mail';
update notify.house set digest_queue = 'mail';
select forks.add_fork('acme/site', '/srv/site.git', '/srv/upstream.git');
select forks.add_fork('acme/idle', '/srv/idle.git', '/srv/upstream.git');
select forks.disable_fork('acme/idle');
select forks.configure_group(g, '{"managed": []}') from unnest('{busy,done,told}'::text[]) g;
select forks.add_fork('acme/' || g, '/srv/a.git', '/srv/upstream.git', digest_group => g)
  from unnest('{busy,done,told}'::text[]) g;
alter table forks.run alter id restart with 7700000;
select forks.start_run(g) from unnest('{busy,done,told}'::text[]) g;
update forks.run set finished_at = started_at where digest_group = 'done';
select millrace.create_schedule('yearly', '0 0 29 2 *', 'mail', 'noop');
select pipeline.create_queue('mono/main', '/srv/mono.git', 'main', '{make,all}', time_limit => '10 minutes');
select pipeline.create_queue('mono/idle', '/srv/mono.git', 'idle', '{make}');
select pipeline.ingest('mono/main', 'head-1');
select pipeline.create_queue('old/main', '/srv/old.git', 'main', '{make,all}');
select pipeline.ingest('old/main', 'old-1');
update pipeline.request set state = 'failed', build_strategy = 'full' where queue = 'old/main';
select pipeline.create_fact('old/main', 'old-1', '', 1, 1);
select pipeline.create_build('mono/main', 'build-1', 1, '');
select pipeline.trigger_command('mono/main', 1, '', null, 'head-1');
select pipeline.update_queue('mono/main', 0, null, version, 1) from pipeline.get_queue('mono/main');
"""

TABLES = """
select format('%%I.%%I', n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = any (%s) and c.relkind in ('r', 'p') and not c.relispartition order by 1"""


def connect(database, role=None):
    connection = psycopg2.connect(dbname=database)
    connection.autocommit = True
    if role:
        run(connection, f"set role {role}")
    return connection


def run(connection, statement, *arguments):
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments or None)
        return cursor.fetchall() if cursor.description else []


class Database:
    def __init__(self, name):
        self.name = name
        self.owner = connect(name)
        run(self.owner, SETTING)
        self.tables = [table for table, in run(self.owner, TABLES, list(SCHEMAS))]
        self.words = self.jobs_in_every_state()
        while self.one("select millrace.follow_up_all()"):  # what is left to do would be done by whatever is tried first
            pass

    def one(self, statement):
        return run(self.owner, statement)[0][0]

    def jobs_in_every_state(self):
        """What stands for the words in angle brackets."""
        session = self.one("select millrace.open_session('alder', '{mail}', lease => '1 hour')")
        closed = self.one("select millrace.open_session('birch', '{mail}')")
        run(self.owner, f"select millrace.close_session({closed})")
        words = {"session": session, "closed_session": closed, "version": 1,
                 "batch": self.one("select millrace.create_batch('mail')"),
                 "closed_batch": self.one("select millrace.create_batch('mail')")}
        run(self.owner, f"select millrace.close_batch({words['closed_batch']})")
        for state in ("done", "dead", "running"):
            run(self.owner, "select millrace.enqueue('mail', 'noop')")
            words[state], fence = run(self.owner, f"select job_id, fence from millrace.claim({session}, 'mail')")[0]
            if state == "done":
                run(self.owner, f"select millrace.complete({fence}, {words[state]})")
                words["spent_fence"] = fence
            elif state == "dead":
                run(self.owner, f"select millrace.discard({fence}, {words[state]}, 'it broke')")
        words["fence"] = fence
        for group in ("busy", "done", "told"):
            words[f"{group}_run"] = self.one(f"select id from forks.run where digest_group = '{group}'")
        run(self.owner, f"update millrace.batch set finished_at = closed_at, callback_job = {words['running']}"
                        f" where id = (select batch_id from forks.run where id = {words['told_run']})")
        run(self.owner, "insert into forks.run_step (run_id, step, target, branch, fork_id, job_id)"
                        f" select {words['done_run']}, 'search', 'up/done', 'main', f.id, {words['running']}"
                        "   from forks.fork f where f.repo = 'acme/done'")
        words["waiting"] = self.one("select millrace.enqueue('mail', 'noop')")
        words["scheduled"] = self.one("select millrace.enqueue('mail', 'noop', delay => '1 day')")
        return {word: str(value) for word, value in words.items()}

    def filled(self, text):
        for word, value in self.words.items():
            text = text.replace(f"<{word}>", value)
        return text

    @contextlib.contextmanager
    def clone(self):
        """The name of another database, of the template alone."""
        name = f"{self.name}_clone"
        admin = connect("postgres")
        run(admin, f"create database {name} template {os.environ['MILLRACE_TEST_TEMPLATE']}")
        try:
            yield name
        finally:
            run(admin, f"drop database {name} with (force)")
            admin.close()

    def checksums(self):
        sums = " union all ".join(f"select '{table}', md5(coalesce(string_agg(t::text, ';' order by t::text), '')) "
                                  f"from {table} t" for table in self.tables)
        return dict(run(self.owner, sums))


@contextlib.contextmanager
def database():
    name = f"millrace_hostile_{uuid.uuid4().hex[:12]}"
    admin = connect("postgres")
    run(admin, f"create database {name} template {os.environ['MILLRACE_TEST_TEMPLATE']}")
    made = None
    try:
        made = Database(name)
        yield made
    finally:
        if made:
            made.owner.close()
        run(admin, f"drop database {name} with (force)")
        admin.close()
