"""Jobs without a concurrency key, alone and beside twice as many that wait for two keys; then jobs of many keys."""

from contestants import PAYLOAD, Millrace
from crew import MillraceCrew
from measures import median

TITLES = {"alone": "jobs without a key", "beside": "the same beside twice as many of two keys, limit 1",
          "keys": "as many of 10,000 keys, limit 1"}
DONE = """select count(*) {of}
            from millrace.finished f join millrace.job j on j.id = f.job_id and j.stored_on = f.stored_on
           where {which}"""
RATE = "/ extract(epoch from max(f.finished_at) - min(f.claimed_at))"


def fill_keyed(server, many, keys):
    in_one_go = min(keys, 100)
    server.sql(f"""do $$ begin
        for i in 1 .. {many // 1000} loop
            perform millrace.enqueue_many('work', 'noop',
                                          array_fill('{PAYLOAD}'::jsonb, array[{1000 // in_one_go}]),
                                          concurrency_key => format('key %s', (i * 100 + k) % {keys}))
               from generate_series(1, {in_one_go}) k;
            commit;
        end loop;
    end $$;""")


def once(bench, what, jobs):
    server, millrace = bench.server, Millrace(bench.server)
    millrace.reset()
    if what == "beside":
        fill_keyed(server, 2 * jobs, 2)
    if what == "keys":
        fill_keyed(server, jobs, 10_000)
    else:
        millrace.fill(jobs)
    which = "true" if what == "keys" else "j.concurrency_key is null"
    crew = MillraceCrew(server, 1, 64)
    try:
        crew.wait_for(lambda: server.look("select completed from millrace.queues") >= jobs
                      and server.look(DONE.format(of="", which=which)) >= jobs, "doing the jobs")
    finally:
        crew.stop()
    return float(server.look(DONE.format(of=RATE, which=which)))


def measure(bench):
    jobs = max(1000, bench.jobs // 4000 * 1000)
    rates = {what: [] for what in TITLES}
    for run in range(bench.runs):
        for what in TITLES:
            bench.progress.say(f"keys: {TITLES[what]}, run {run + 1} of {bench.runs}")
            rates[what].append(once(bench, what, jobs))
    bench.progress.clear()
    alone = median(rates["alone"])
    return [{"what": f"{jobs:,} {TITLES[what]}", "key": what, "jobs_per_second": median(rates[what]),
             "of_free": median(rates[what]) / alone} for what in TITLES], {}
