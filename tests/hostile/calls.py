"""Every function that a role may execute: a call of it that is fine, and the domain of each argument.

<words> in angle brackets are filled in from fixture.py. A function answers `reads` when a fine call changes no row, and
`writes` when it does; the latter is rolled back.
"""

import collections

import domains as d
import notify_rules
import schedule_rules
from values import DAY, YEAR, quote

Call = collections.namedtuple("Call", "answers arguments")
READS, WRITES = "reads", "writes"


def reads(**arguments):
    return Call(READS, arguments)


def writes(**arguments):
    return Call(WRITES, arguments)


POLICY = {"priority": ("5", d.between("priority", 0, 9)), "run_at": ("null", d.run_at), "delay": ("null", d.delay),
          "max_attempts": ("null", d.unless_null(d.max_attempts)), "timeout": ("null", d.timeout),
          "traceparent": ("null", d.traceparent), "wake": ("true", d.anything)}
RETRIES = {"retry_delays": ("null", d.unless_null(d.retry_delays)), "expires_at": ("null", d.expires_at)}
TIES = {"concurrency_key": ("null", d.concurrency_key), "batch": ("null", d.unless_null(d.unknown_batch)),
        "after_batch": ("null", d.unless_null(d.unknown_batch))}
LEASE = {"fence": ("<fence>", d.lost_lease), "job_id": ("<running>", d.lost_lease)}
# Shown to settle_many, a null is no pair of arrays; any other is a lease that is not held.
SETTLE = {"fence": ("<fence>", lambda fence: d.bad("fences") if fence is None else d.lost_lease(fence)),
          "job_id": ("<running>", lambda job: d.bad("job_ids") if job is None else d.lost_lease(job))}
ERROR = ("'it broke'", d.error)
SERVICE = '{"organization": "a", "pipeline": "b", "branch": "main", "token_env": "PIPELINE_T"}'
PIPELINE = ("'mono/main'", d.unknown_pipeline_queue)
OLD_PIPELINE = ("'old/main'", d.either(lambda name: name == "old/main", ("MR003", "unknown pipeline queue")))
MANY = {"queue": ("'mail'", d.unknown_queue), "filter": ("'{\"all\": true}'", d.chosen),
        "max_jobs": ("1000", d.between("max_jobs", 1, 10000)), "dry_run": ("false", d.anything)}
WHY = ("null", d.unless_null(d.sized("reason", 1000)))
ANY_TEXT, ANY_NUMBER = ("'x'", d.anything), ("1", d.anything)
SHA = "'" + "a" * 40 + "'"

MILLRACE = {
    "now": reads(),
    "enqueue": writes(queue=("'mail'", d.unknown_queue), kind=("'noop'", d.kind), payload=("'{}'", d.payload(1048576)),
                      **POLICY, **TIES, **RETRIES),
    "enqueue_many": writes(queue=("'mail'", d.unknown_queue), kind=("'noop'", d.kind), payloads=("'{1}'", d.payloads),
                           **POLICY, **TIES, **RETRIES),
    "enqueue_unique": writes(
        queue=("'mail'", d.unknown_queue), kind=("'noop'", d.kind), payload=("'{}'", d.payload(1048576)),
        unique_key=("'k'", d.sized("unique_key", 200, least=1)),
        unique_until=("null", d.unless_null(d.one_of("unique_until", "started", "finished"))),
        unique_for=("null", d.unless_null(d.span("unique_for", 0, 10 * YEAR, above=0))), replaces=("'{}'", d.replaces),
        **POLICY, concurrency_key=("null", d.concurrency_key), **RETRIES),
    "create_batch": writes(
        queue=("'mail'", d.unknown_queue), kind=("null", d.unless_null(d.kind)), payload=("'{}'", d.batch_payload),
        priority=("5", d.between("priority", 0, 9))),
    "close_batch": writes(batch=("<batch>", d.unknown_batch)),
    "configure_queue": writes(name=("'mail'", d.unknown_queue), changes=("'{\"max_attempts\": 3}'", d.changes)),
    "configure_kind": writes(kind=("'noop'", d.kind), changes=("'{\"max_attempts\": 3}'", d.changes)),
    "pause_queue": writes(name=("'mail'", d.unknown_queue)),
    "resume_queue": writes(name=("'mail'", d.unknown_queue)),
    "pause_kind": writes(kind=("'noop'", d.kind)),
    "resume_kind": writes(kind=("'noop'", d.kind)),
    "limit_key": writes(queue=("'mail'", d.unknown_queue), key=("'k'", d.sized("key", 200, least=1)),
                        max_held=("2", d.unless_null(d.between("max_held", 1, 1000000))),
                        rate=("'14 per second'", d.rate), burst=("20", d.unless_null(d.between("burst", 1, 100000)))),
    "follow_up_all": writes(),
    "poke": reads(queue=("'mail'", d.unknown_queue)),
    "create_queue": writes(
        name=("'fresh'", d.new_queue), max_attempts=("10", d.max_attempts), timeout=("null", d.timeout),
        retry_base=("'1 second'", d.span("retry_base", 0, DAY, above=0)),
        retry_cap=("'30 days'", d.span("retry_cap", 1, 30 * DAY)),
        max_payload_bytes=("1000", d.between("max_payload_bytes", 2, 67108864)),
        retention=("'7 days'", d.span("retention", DAY, 10 * YEAR)),
        max_running=("null", d.unless_null(d.between("max_running", 1, 1000000))),
        key_limit=("1", d.between("key_limit", 1, 1000000)),
        dead_letter_retention=("null", d.unless_null(d.span("dead_letter_retention", DAY, 10 * YEAR)))),
    "open_session": writes(
        name=("'alder'", d.sized("name", 200, least=1)), queues=("'{mail}'", d.session_queues),
        host=("null", d.unless_null(d.sized("host", 255))), pid=("null", d.anything),
        version=("null", d.unless_null(d.sized("version", 100))), lease=("'30 seconds'", d.span("lease", 1, 3600)),
        kinds=("null", d.session_kinds)),
    "heartbeat": writes(session=("<session>", d.ended_session), draining=("false", d.anything)),
    "close_session": writes(session=("<session>", d.ended_session)),
    "claim": writes(session=("<session>", d.ended_session), queue=("'mail'", d.unknown_queue),
                    max_jobs=("1", d.between("max_jobs", 1, 10000)), **{"async": ("false", d.anything)}),
    "complete": writes(**SETTLE, result=("null", d.result)),
    "fail": writes(**SETTLE, error=ERROR, retry_in=("null", d.unless_null(d.span("delays", 0, 10 * YEAR)))),
    "snooze": writes(**SETTLE, delay=("'1 minute'", d.span("delays", 0, 10 * YEAR))),
    "discard": writes(**SETTLE, error=ERROR),
    "settle_many": writes(
        job_ids=("array[<running>]", d.settled_ids), fences=("array[<fence>]", d.fences),
        outcomes=("null", d.outcomes),
        errors=("null", d.one_for_the_job("errors", lambda _text: True)),
        delays=("null", d.one_for_the_job("delays", lambda _delay: True)),
        results=("null", d.one_for_the_job("results", lambda _result: True)), successors=("null", d.successors)),
    "settled_as": reads(fence=("<fence>", d.anything), job_id=("<running>", d.anything)),
    "assert_lease": reads(**LEASE),
    "cancel_requests": reads(session=("<session>", d.anything)),
    "set_progress": writes(**LEASE, percent=("50", d.between("percent", 0, 100)),
                           message=("null", d.unless_null(d.sized("message", 1000)))),
    "log_line": writes(**LEASE, text=("'began'", d.sized("text", 2000, least=1))),
    "raise_signal": writes(queue=("'mail'", d.unknown_queue)),
    "next_token": reads(queue=("'mail'", d.unknown_queue)),
    "lower_signal": writes(queue=("'mail'", d.unknown_queue)),
    "promote": writes(max_jobs=("1", d.between("max_jobs", 1, 10000)), since=("null", d.anything)),
    "reap": writes(max_jobs=("1", d.between("max_jobs", 1, 10000)), since=("null", d.anything)),
    "advance_low_water": writes(queues=("null", d.queues)),
    "fold_counts": writes(),
    "maintain_partitions": writes(days_ahead=("7", d.between("days_ahead", 1, 60))),
    "prune": writes(max_rows=("1", d.between("max_rows", 1, 100000))),
    "queue_overview": reads(),
    "installation_id": reads(),
    "register_schema": writes(kind=("'noop'", d.kind), schema=("'{\"type\": \"object\"}'", d.schema)),
    "payload_schemas": reads(
        kinds=("null", d.unless_null(d.either(lambda kinds: len(kinds.items) <= 1000, d.bad("kinds")))),
        known=("null", d.anything)),
    "explain_job": reads(job_id=("<waiting>", d.unknown_job)),
    "doctor": reads(),
    "horizon_overview": reads(),
    "retry": writes(job_id=("<scheduled>", d.unknown_job)),
    "replay": writes(job_id=("<dead>", d.unknown_job)),
    "cancel": writes(job_id=("<waiting>", d.unknown_job), reason=WHY),
    "retry_many": writes(**MANY), "replay_many": writes(**MANY),
    "cancel_many": writes(**MANY, reason=WHY), "discard_many": writes(**MANY, reason=WHY),
    "adopt": writes(),
}

FORKS = {
    "add_fork": writes(
        repo=("'acme/fresh'", d.repo), origin_url=("'/srv/a.git'", d.remote("origin_url")),
        upstream_url=("'/srv/b.git'", d.remote("upstream_url")), branches=("'{main}'", d.branches),
        provider=("'git'", d.one_of("provider", "git")), queue=("'forks'", d.unknown_queue),
        digest_group=("'default'", lambda name: d.matching("digest_group", d.QUEUE_NAME)(name)
                      or d.unknown_group(name))),
    "change_fork": writes(repo=("'acme/site'", d.unknown_fork), changes=("'{\"upstream_track\": \"x\"}'", d.changes)),
    "configure_group": writes(name=("'fresh'", d.matching("name", d.QUEUE_NAME)),
                              changes=("'{\"subject_prefix\": \"Acme\"}'", d.changes)),
    "import_forks": writes(document=("'{\"groups\": [{\"name\": \"fresh\"}]}'", d.document),
                           dry_run=("false", d.anything)),
    "export_forks": reads(),
    "start_run": writes(digest_group=("'default'", d.unknown_group)),
    "begin_run": writes(digest_group=("'default'", d.unknown_group)),
    "cancel_run": writes(run=("<busy_run>", d.unknown_run), reason=WHY),
    "resume_run": writes(run=("<done_run>", d.unknown_run)),
    "plan_run": reads(digest_group=("'default'", d.unknown_group)),
    "run_steps": reads(of_run=("<done_run>", d.anything)),
    "next_stage": writes(job_id=("<running>", d.never("MR007", "does not lead")), run=("<told_run>", d.unknown_run)),
    "step_target": reads(job_id=("<running>", d.anything)),
    "intend_step": writes(**LEASE, intended=("'created'", d.one_of("intended", "created", "updated"))),
    "record_step": writes(
        **LEASE, state=("'done'", d.unless_null(d.one_of("state", "done", "failed"))),
        detail=("null", d.unless_null(d.sized("detail", 4000))), items=("'[]'", d.items)),
    "run_items": reads(of_run=("<busy_run>", d.anything)),
    "digest_content": reads(run=("<busy_run>", d.unknown_run)),
    "pause_token": writes(token=("'x'", d.sized("token", 300, least=1)),
                          seconds=("1", d.between("seconds", 0, 86400))),
    "token_wait": reads(token=ANY_TEXT),
    "take_place": writes(**LEASE, token=("'x'", d.sized("token", 300, least=1))),
    "limit_token": writes(token=("'x'", d.sized("token", 300, least=1)), places=("8", d.between("places", 1, 1000))),
    "record_digest": writes(
        job_id=("<running>", d.never("MR007", "does not make the digest")), run=("<told_run>", d.unknown_run),
        subject=("'x'", d.subject), text=("'x'", d.sized("text", 400000, least=1, unit=d.byte_length)),
        html=("'x'", d.sized("html", 400000, least=1, unit=d.byte_length)),
        failures=("1", d.between("failures", 0, 2**31 - 1))),
    "enable_fork": writes(repo=("'acme/site'", d.unknown_fork)),
    "disable_fork": writes(repo=("'acme/site'", d.unknown_fork)),
    "sync_now": writes(repo=("'acme/site'", d.unknown_fork),
                       branch=("null", d.unless_null(d.either(lambda name: name == "main", d.bad("branch"))))),
    "sync_target": reads(repo=("'acme/site'", d.anything), branch=("'main'", d.anything), job_id=("1", d.anything)),
    "intend_push": writes(**LEASE, before_sha=(SHA, d.commit("before_sha")), after_sha=(SHA, d.commit("after_sha"))),
    "withdraw_push": writes(**LEASE),
    "record_sync": writes(
        job_id=("<running>", d.not_null("job_id")), repo=("'acme/site'", d.unknown_fork), branch=("'main'", d.branch),
        state=("'current'", d.one_of("state", "updated", "current", "conflict", "skipped", "failed")),
        before_sha=("null", d.unless_null(d.commit("before_sha"))),
        after_sha=("null", d.unless_null(d.commit("after_sha"))),
        detail=("null", d.unless_null(d.sized("detail", 4000))),
        run=("null", d.unless_null(d.between("run", 1, 7800000))),  # the last one, or one that has gone
        ahead=("null", d.unless_null(lambda number: d.between("ahead", 0, 10**9)(number) or d.bad("subjects"))),
        behind=("null", d.unless_null(lambda number: d.between("behind", 0, 10**9)(number) or d.bad("subjects"))),
        subjects=("null", d.unless_null(d.never("MR005", "bad subjects")))),
}

REQUEST = ("1", d.either(lambda number: number == 1, d.bad("request")))
REASON, LOG = ("'because'", d.anything), ("null", d.anything)
VERSIONS = {"old_version": ("<version>", d.anything), "new_version": ("9", d.not_null("new_version"))}
TEXT_OF_2000 = d.sized("uri", 2000, least=1, unit=d.byte_length)
STATES = ("accepted", "processing", "succeeded", "failed", "cancelled", "superseded")

PIPELINES = {
    "ingest": writes(queue=PIPELINE, uri=("'head-9'", TEXT_OF_2000)),
    "poll": writes(queue=PIPELINE),
    "is_green": reads(queue=PIPELINE, uri=ANY_TEXT, project=("''", d.anything)),
    "latest_green": reads(queue=PIPELINE, project=("''", d.anything)),
    "greenness": reads(queue=PIPELINE, uri=ANY_TEXT),
    "coverage": reads(queue=PIPELINE, uri=ANY_TEXT),
    "gate": reads(queue=PIPELINE, commit=("'head-1'", d.sized("commit", 2000, least=1, unit=d.byte_length)),
                  project=("''", d.not_null("project")),
                  max_age=("null", d.unless_null(d.max_age))),
    "configure_queue": writes(name=PIPELINE, settings=("'{\"max_concurrent\": 2}'", d.settings)),
    "settings_of": reads(queue=PIPELINE),
    "apply": writes(
        document=("'{\"queues\": [{\"name\": \"a\", \"remote\": \"/a\", \"ref\": \"m\", \"command\": [\"x\"]}]}'",
                  d.document), dry_run=("false", d.anything)),
    "export": reads(),
    "overview": reads(),
    "revalidate": writes(queue=OLD_PIPELINE, uri=("'old-1'", d.either(lambda uri: uri == "old-1", d.bad("uri"))),
                         reason=("'why'", d.sized("reason", 1000, least=1))),
    "verdict": reads(degree=("0", d.anything), is_flaky=("false", d.anything)),
    "roll_up": reads(queue=("'mono/main'", d.anything), request=ANY_NUMBER),
    "analyze_request": writes(queue=PIPELINE, request=("1", d.either(lambda number: number == 1, d.bad("build"))),
                              build=("'build-1'", d.either(lambda id: id == "build-1", d.bad("build")))),
    "settle_project": writes(queue=PIPELINE, request=ANY_NUMBER, project=("'web'", d.anything),
                             state=("'failed'", d.one_of("state", "recorded", "cancelled", "failed"))),
    "announce": writes(queue=OLD_PIPELINE, request=REQUEST,
                       project=("''", d.either(lambda project: project == "", d.bad("request")))),
    "bisect_step": writes(queue=PIPELINE, request=ANY_NUMBER),
    "rerun_build": writes(queue=PIPELINE, id=("'build-1'", d.anything)),
    "set_target_graph": writes(queue=("'mono/main'", d.anything), id=("'build-1'", d.anything),
                               graph=("'{\"targets\": []}'", d.never("MR005", "bad graph"))),
    "hook_delivery": reads(event=ANY_TEXT, sink=ANY_TEXT),
    "tell": writes(event=ANY_TEXT, sink=ANY_TEXT),
    "note_promotion": writes(queue=PIPELINE, uri=ANY_TEXT,
                             outcome=("'moved'", d.one_of("outcome", "moved", "was_there", "vanished"))),
    "create_queue": writes(
        name=("'fresh/main'", d.matching("name", "[a-z0-9][a-z0-9_./-]{0,99}")),
        remote=("'/srv/a.git'", d.remote("remote")), ref=("'main'", d.either(d.is_branch, d.bad("ref"))),
        command=("'{make}'", d.command), job_queue=("'pipeline'", d.unknown_queue),
        time_limit=("'10 minutes'", d.span("time_limit", 1, 30 * DAY)),
        max_concurrent=("1", d.between("max_concurrent", 1, 100)),
        max_validation=("'30 days'", d.max_validation),
        poll_accepted=("'1 second'", d.span("poll_accepted", 0.01, 3600)),
        poll_running=("'1 second'", d.span("poll_running", 0.01, 3600))),
    "get_queue": reads(name=("'mono/main'", d.anything)),
    "lock_queue": reads(name=("'mono/main'", d.anything)),
    "update_queue": writes(
        name=("'mono/main'", d.anything),
        last_green_request=("1", d.last_green_request),
        last_green_uri=("'head-1'", d.not_null("last_green_uri")), **VERSIONS),
    "get_request": reads(queue=("'mono/main'", d.anything), number=ANY_NUMBER),
    "update_request": writes(
        queue=("'mono/main'", d.anything), number=ANY_NUMBER, state=("'accepted'", d.one_of("state", *STATES)),
        build_strategy=("null", d.unless_null(d.one_of("build_strategy", "full", "incremental_since_green"))),
        base_uri=("null", d.anything), **VERSIONS, committed_at=("null", d.committed_at)),
    "note_history": writes(queue=("'mono/main'", d.anything), number=ANY_NUMBER, uris=("'{head-0}'", d.history)),
    "supersede_before": writes(queue=("'mono/main'", d.anything), number=ANY_NUMBER),
    "count_processing": reads(queue=("'mono/main'", d.anything)),
    "latest_accepted": reads(queue=("'mono/main'", d.anything)),
    "create_build": writes(
        queue=PIPELINE, id=("'build-9'", d.sized("id", 600, least=1, unit=d.byte_length)), request=REQUEST,
        project=("''", d.project), run=("1", d.between("run", 1, 2**31)),
        commit=("null", d.unless_null(d.sized("commit", 2000, least=1, unit=d.byte_length)))),
    "get_build": reads(queue=("'mono/main'", d.anything), id=("'build-1'", d.anything)),
    "build_of": reads(queue=("'mono/main'", d.anything), request=ANY_NUMBER, project=("''", d.anything),
                      run=ANY_NUMBER),
    "update_build": writes(
        queue=("'mono/main'", d.anything), id=("'build-1'", d.anything),
        status=("'running'", d.one_of("status", "accepted", "running", "succeeded", "failed", "cancelled")),
        reason=REASON, log_location=LOG, **VERSIONS),
    "create_fact": writes(queue=PIPELINE, uri=("'head-1'", TEXT_OF_2000), project=("'web'", d.project),
                          degree=("1", d.degree), request=REQUEST,
                          is_flaky=("false", d.not_null("is_flaky"))),
    "get_fact": reads(queue=("'mono/main'", d.anything), uri=ANY_TEXT, project=("''", d.anything)),
    "trigger_command": writes(
        queue=PIPELINE, request=("1", d.between("request", 1, 2**63)), project=("''", d.project),
        base_uri=("null", d.unless_null(d.sized("base_uri", 2000, unit=d.byte_length))),
        head_uri=("'head-1'", d.sized("head_uri", 2000, least=1, unit=d.byte_length)),
        run=("1", d.between("run", 1, 2**31))),
    "start_command": writes(queue=("'mono/main'", d.anything), id=("'command/1'", d.anything)),
    "finish_command": writes(
        queue=("'mono/main'", d.anything), id=("'command/1'", d.anything),
        status=("'failed'", d.one_of("status", "succeeded", "failed")), reason=REASON, exit_code=("1", d.anything),
        log_tail=("''", d.unless_null(d.sized("log_tail", 1048576, unit=d.byte_length))),
        target_graph=("null", d.anything)),
    "append_command_log": writes(
        queue=("'mono/main'", d.anything), id=("'command/1'", d.anything), attempt=("1", d.anything),
        start_byte=("0", d.between("start_byte", 0, 2**63)),
        text=("'said'", d.sized("text", 1048576, least=1, unit=d.byte_length))),
    "read_command_log": reads(
        queue=("'mono/main'", d.anything), id=("'command/1'", d.anything), after_attempt=("null", d.anything),
        after_byte=("null", d.anything), most=("100", d.anything)),
    "command_runs_of": reads(id=("'command/1'", d.anything), queue=("'mono/main'", d.anything)),
    "runner_settings": reads(queue=("'mono/main'", d.anything)),
    "use_service": writes(
        queue=("'mono/idle'", d.unknown_pipeline_queue), runner=("'buildkite'", d.one_of("runner", "github_actions", "buildkite")),
        settings=(quote(SERVICE), d.service_settings)),
    "limit_command": writes(
        queue=PIPELINE, memory_limit=("null", d.unless_null(d.between("memory_limit", 1048576, 2**63))),
        output_limit=("65536", d.between("output_limit", 65536, 1073741824)),
        disk_limit=("null", d.unless_null(d.between("disk_limit", 1048576, 2**63)))),
    "cancel_command": writes(queue=("'mono/main'", d.anything), id=("'command/1'", d.anything)),
    "command_status": reads(queue=("'mono/main'", d.anything), id=("'command/1'", d.anything)),
}

MILLRACE |= {name: Call(WRITES if changes else READS, arguments)
             for name, (changes, arguments) in schedule_rules.CALLS.items()}
NOTIFY = {name: Call(WRITES if changes else READS, arguments)
          for name, (changes, arguments) in notify_rules.CALLS.items()}
CALLS = {f"{schema}.{name}": call
         for schema, calls in (("millrace", MILLRACE), ("forks", FORKS), ("pipeline", PIPELINES), ("notify", NOTIFY))
         for name, call in calls.items()}
