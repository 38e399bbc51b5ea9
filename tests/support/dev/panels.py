"""The panels of both dashboards, in their order: what is asked of Prometheus, of PostgreSQL, or of both.

A panel without `queries` is on the dashboard in SQL alone, one without `sql` on that of the metrics alone. What a
metric means, the list in docs/metrics.md says; what an answer in SQL means, `says`.

Where a worker serves several databases, its numbers have the label `database`: what is shown for each queue, kind or
worker is shown for each database, too. Elsewhere there is no such label, and the same query is as it would be without.
"""

import dataclasses

QUEUES = 'queue=~"$queue"'


@dataclasses.dataclass
class Panel:
    title: str
    queries: tuple = ()  # (PromQL, legend)
    unit: str = "short"
    sql: str = ""
    says: str = ""


def quantiles(histogram, label="queue", where=f"{{{QUEUES}}}"):
    by = f"{label}, database, le" if label else "le"
    legend = f"{{{{{label}}}}} {{{{database}}}} " if label else ""
    return tuple((f"histogram_quantile({q}, sum by ({by}) (rate({histogram}_bucket{where}[$__rate_interval])))",
                  legend + name) for q, name in ((0.5, "half"), (0.99, "99 %")))


def rates(*counters):
    return tuple((f"sum(rate({name}[$__rate_interval]))", name.removeprefix("millrace_").removesuffix("_total"))
                 for name in counters)


def increases(*counters):
    return tuple((f"sum(increase({name}[$__rate_interval]))", name.removeprefix("millrace_").removesuffix("_total"))
                 for name in counters)


ROWS = {
    "Queues": (
        Panel("Jobs by state", ((f'max by (queue, state, database) (millrace_queue_depth{{{QUEUES},state!="dead"}})',
                                 "{{queue}} {{state}} {{database}}"),),
              sql="select name as queue, available, scheduled, blocked, running, dead from millrace.queues order by 1",
              says="Jobs of each queue; those that have ended are not among them, but for the dead letters."),
        Panel("Age of the oldest available job",
              ((f"max by (queue, database) (millrace_queue_oldest_age_seconds{{{QUEUES}}})",
                "{{queue}} {{database}}"),), "s",
              sql="select name as queue, oldest_at, oldest_age::text as age from millrace.queues\n"
                  " where oldest_at is not null order by oldest_at",
              says="Since the oldest available job was enqueued. A queue without one is not shown."),
        Panel("Dead letters", ((f'max by (queue, database) (millrace_queue_depth{{{QUEUES},state="dead"}})',
                                "{{queue}} {{database}}"),),
              sql="select job_id, queue, kind, attempt, left(error, 100) as error, discarded_at\n"
                  "  from millrace.dead_letters order by discarded_at desc limit 20",
              says="The last twenty jobs that failed for good: somebody has to look."),
        Panel("Paused and limited queues", says="Queues that somebody has paused or limited.",
              sql="select name as queue, paused_at, max_running, rate, next_token_at from millrace.queues\n"
                  " where paused_at is not null or max_running is not null or rate is not null order by 1"),
    ),
    "Jobs": (
        Panel("Attempts that ended",
              ((f"sum by (queue, outcome, database) (rate(millrace_jobs_total{{{QUEUES}}}[$__rate_interval]))",
                "{{queue}} {{outcome}} {{database}}"),), "ops",
              sql="select name as queue, enqueued, completed, failed, cancelled from millrace.queues order by 1",
              says="Since the queue was created. failed counts attempts, the others jobs."),
        Panel("Share of attempts that fail, by kind",
              (("sum by (queue, kind, database)"
                ' (rate(millrace_jobs_total{' + QUEUES + ',outcome="failed"}[$__rate_interval]))'
                f" / sum by (queue, kind, database) (rate(millrace_jobs_total{{{QUEUES}}}[$__rate_interval]))",
                "{{queue}} {{kind}} {{database}}"),), "percentunit"),
        Panel("Wait until the first attempt", quantiles("millrace_job_wait_seconds"), "s"),
        Panel("Run time", quantiles("millrace_job_run_seconds"), "s",
              sql="select id, queue, kind, attempt, worker, claimed_at, deadline from millrace.running_jobs\n"
                  " order by claimed_at limit 20",
              says="The twenty attempts that have run for longest."),
        Panel("Stuck jobs", says="Attempts that will not end by themselves.",
              sql="select id, queue, kind, cause, since, worker, remedy from millrace.stuck_jobs order by since"),
        Panel("Kinds that workers can run", (("max by (kind, database) (millrace_kind_available)",
                                              "{{kind}} {{database}}"),),
              sql="select kind, live_workers, paused_at from millrace.kinds order by 1",
              says="How many workers that live would take a job of each kind."),
        Panel("Kinds aside", says="Kinds of which jobs wait because nobody handles them, or because they are paused.",
              sql="select queue, kind, handled_by, paused_at, oldest_at from millrace.kinds_aside order by oldest_at"),
        Panel("Jobs that became available", increases("millrace_jobs_promoted_total", "millrace_jobs_reaped_total")),
        Panel("Schedules", says="The twenty schedules that are due next, and what keeps one from enqueueing.",
              sql="select name as schedule, queue, kind, paused, next_run_at, last_fired_at, error\n"
                  "  from millrace.schedules order by next_run_at limit 20"),
    ),
    "Workers": (
        Panel("Workers by version", (("sum by (version) (millrace_build_info)", "{{version}}"),),
              sql="select name, host, version, state, queues, heartbeat_at, lease_expires_at from millrace.workers\n"
                  " where state <> 'closed' order by heartbeat_at desc limit 50",
              says="Those that live, and those that were lost."),
        Panel("Age of the heartbeats", (("max by (instance, database) (millrace_heartbeat_age_seconds)",
                                         "{{instance}} {{database}}"),), "s"),
        Panel("Leases and deadlines",
              increases("millrace_leases_lost_total", "millrace_attempts_timed_out_total")),
        Panel("Duration of claims", quantiles("millrace_claim_seconds"), "s"),
        Panel("Jobs of a claim",
              (("sum by (queue, database) (rate(millrace_claim_batch_size_sum{" + QUEUES + "}[$__rate_interval]))"
                " / sum by (queue, database) (rate(millrace_claim_batch_size_count{" + QUEUES + "}[$__rate_interval]))",
                "{{queue}} {{database}}"),)),
        Panel("Wake-ups", rates("millrace_notify_wakeups_total"), "ops"),
        Panel("Spans of traces", (("sum by (fate) (rate(millrace_trace_spans_total[$__rate_interval]))", "{{fate}}"),),
              "ops"),
    ),
    "Mail": (
        Panel("Deliveries", (("sum by (verdict) (rate(millrace_mail_deliveries_total[$__rate_interval]))",
                              "{{verdict}}"),), "ops"),
        Panel("Notifications", (
            *rates("millrace_notifications_sent_total"),
            ("sum by (reason) (rate(millrace_notifications_skipped_total[$__rate_interval]))", "skipped: {{reason}}"),
            ("sum by (reason) (rate(millrace_notifications_failed_total[$__rate_interval]))", "failed: {{reason}}")),
              "ops"),
        Panel("From emit to the mail server", quantiles("millrace_notification_seconds", "", ""), "s"),
        Panel("Age of the oldest notification", (("max by (database) (millrace_notifications_oldest_age_seconds)",
                                                  "oldest {{database}}"),), "s"),
        Panel("Requests of the API", (
            ("sum by (resource, status) (rate(millrace_api_requests_total[$__rate_interval]))",
             "{{resource}} {{status}}"),), "ops"),
    ),
    "Forks": (
        Panel("Branches that were synchronised",
              (("sum by (result) (rate(millrace_fork_branches_total[$__rate_interval]))", "{{result}}"),), "ops",
              sql="select fork, branch, state, detail, at from forks.results\n"
                  " where state in ('conflict', 'failed') order by at desc limit 20",
              says="The last twenty branches at which somebody has to look."),
    ),
    "Pipeline": (
        Panel("Requests", (("max by (pipeline_queue, state, database) (millrace_pipeline_requests)",
                            "{{pipeline_queue}} {{state}} {{database}}"),)),
        Panel("Age of the last green commit",
              (("time() - max by (pipeline_queue, database) (millrace_pipeline_last_green_commit_timestamp_seconds)",
                "{{pipeline_queue}} {{database}}"),), "s"),
        Panel("Undetected break, and validation of a head", (
            ("max by (pipeline_queue, database) (millrace_pipeline_break_undetected_seconds)",
             "{{pipeline_queue}} {{database}} undetected"),
            ("max by (pipeline_queue, database) (millrace_pipeline_validation_seconds)",
             "{{pipeline_queue}} {{database}} validation")), "s"),
        Panel("Operations of the stores",
              (("sum by (store, outcome) (rate(millrace_pipeline_store_operations_total[$__rate_interval]))",
                "{{store}} {{outcome}}"),), "ops"),
        Panel("Mean time of an operation",
              (("sum by (store) (rate(millrace_pipeline_store_seconds_total[$__rate_interval]))"
                " / sum by (store) (rate(millrace_pipeline_store_operations_total[$__rate_interval]))", "{{store}}"),),
              "s"),
    ),
    "Database": (
        Panel("Reachable", (("min by (instance, database) (millrace_database_reachable)",
                             "{{instance}} {{database}}"),)),
        Panel("Connections opened anew",
              (("sum by (instance, database) (increase(millrace_db_reconnects_total[$__rate_interval]))",
                "{{instance}} {{database}}"),)),
        Panel("Findings of the doctor", says="What is wrong with the installation, and what to do about it.",
              sql="select severity, finding, about, detail, remedy from millrace.doctor() order by rank"),
        Panel("Who pins the vacuum horizon", says="Whoever keeps dead rows from being removed, the oldest first.",
              sql="select rank, holder, name, application, state, since, transactions, remedy\n"
                  "  from millrace.horizon_holders order by rank limit 20"),
        Panel("What takes the disk", says="Tables by their size; rows are PostgreSQL's estimates.",
              sql="select relation, total_bytes, live_rows, dead_rows, days, oldest_day, last_autovacuum_at\n"
                  "  from millrace.storage order by total_bytes desc limit 20"),
    ),
}
