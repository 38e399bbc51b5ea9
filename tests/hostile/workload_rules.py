"""The refusals of fork synchronisation and of the pipeline by hand, in the form of rules.py."""

from calls import SERVICE
from rules import SHA, interval_rules, of
from values import quote

BAD_BRANCHES = {
    "null": None, "empty": "", "HEAD": "HEAD", "an at sign": "@", "an option": "--upload-pack=x", "a dash": "-x",
    "a range": "a..b", "a reflog": "a@{1}", "a space": "a b", "a line feed": "a\n", "an escape": "a\x1b[2J",
    "a colon": "a:b",
    "a caret": "a^", "a tilde": "a~1", "a wildcard": "a*", "a backslash": "a\\b", "a leading slash": "/a",
    "a trailing slash": "a/", "two slashes": "a//b", "a hidden component": "a/.b", "a trailing dot": "a.",
    "a lock": "a.lock/b", "201 bytes": "b" * 201, "201 bytes of few characters": "ä" * 101,
}
BAD_REMOTES = {
    "null": None, "empty": "", "relative": "a.git", "a password": "https://u:p@example.org/a.git",
    "a user": "https://u@example.org/a.git", "a transport that runs programs": "ext::sh -c id",
    "a helper": "ftp://example.org/a.git", "an option": "--upload-pack=x",
    "an option as host": "ssh://-oProxyCommand=x/a",
    "two slashes alone": "//host/share", "a space": "https://example.org/a b", "a line feed": "/srv/a.git\n",
    "scp's form": "git@example.org:a.git", "no host": "https:///a.git", "no path": "https://example.org/",
    "2001 bytes": "/" + "a" * 2000, "a scheme in capitals": "HTTPS://example.org/a.git",
}


def text(value):
    return "null" if value is None else quote(value)


def fork_rules():
    add = "forks.add_fork"
    urls = "'/srv/a.git', '/srv/b.git'"
    repos = {"null": None, "empty": "", "no slash": "acme", "two slashes": "a/b/c", "a traversal": "a/..",
             "a dot": "a/.", "a leading dash": "-a/b", "a space": "a/b c", "a quote": "a/b'", "a line feed": "a/b\n",
             "a look-alike": "\u0430cme/site", "an organisation of 101": "a" * 101 + "/b", "no name": "a/"}
    rules = of(add, *(("repo", rule, f"{text(repo)}, {urls}", "MR005", "bad repo") for rule, repo in repos.items()),
               ("repo", "taken", f"'acme/site', {urls}", "MR021", "'acme/site' exists"),
               ("provider", "null", f"'a/b', {urls}, provider => null", "MR005", "bad provider"),
               ("provider", "unknown", f"'a/b', {urls}, provider => 'svn'", "MR005", "bad provider"),
               ("origin_url", "beside github", f"'a/b', {urls}, provider => 'github'", "MR005", "bad origin_url"),
               ("queue", "null", f"'a/b', {urls}, queue => null", "MR003", "unknown queue null"),
               ("queue", "unknown", f"'a/b', {urls}, queue => 'nowhere'", "MR003", "unknown queue"),
               ("digest_group", "null", f"'a/b', {urls}, digest_group => null", "MR005", "bad digest_group"),
               ("digest_group", "unknown", f"'a/b', {urls}, digest_group => 'none'", "MR022", "unknown digest group 'none'"),
               ("digest_group", "in capitals", f"'a/b', {urls}, digest_group => 'A'", "MR005", "bad digest_group"),
               *(("origin_url", rule, f"'a/b', {text(url)}, '/srv/b.git'", "MR005", "bad origin_url")
                 for rule, url in BAD_REMOTES.items()),
               *(("upstream_url", rule, f"'a/b', '/srv/a.git', {text(url)}", "MR005", "bad upstream_url")
                 for rule, url in BAD_REMOTES.items()),
               *(("branches", rule, f"'a/b', {urls}, array[{text(name)}]::text[]", "MR005", "bad branches")
                 for rule, name in BAD_BRANCHES.items()),
               ("branches", "no array", f"'a/b', {urls}, null", "MR005", "bad branches"),
               ("branches", "none", f"'a/b', {urls}, '{{}}'", "MR005", "bad branches"),
               ("branches", "one twice", f"'a/b', {urls}, '{{main,main}}'", "MR005", "bad branches"),
               ("branches", "two dimensions", f"'a/b', {urls}, '{{{{main}},{{next}}}}'", "MR005", "bad branches"),
               ("branches", "101", f"'a/b', {urls}, array(select 'b' || n from generate_series(1, 101) n)", "MR005",
                "bad branches"))
    for verb in ("enable_fork", "disable_fork", "sync_now"):
        rules += of(f"forks.{verb}", ("repo", "null", "null", "MR020", "unknown fork NULL"),
                    ("repo", "unknown", "'acme/none'", "MR020", "unknown fork 'acme/none'"))
    return rules + of("forks.sync_now", ("repo", "disabled", "'acme/idle'", "MR007", "is disabled"),
                      ("branch", "empty", "'acme/site', ''", "MR005", "bad branch"),
                      ("branch", "not listed", "'acme/site', 'next'", "MR005", "bad branch"))


def group_rules():
    def row(argument, rule, changes):
        return argument, rule, f"'fresh', '{changes}'", "MR005", f"bad {argument}"
    rows = [row("recipients", rule, f'{{"recipients": {given}}}') for rule, given in (
        ("null", "null"), ("no address", '["ada"]'), ("two addresses in one", '["a@b, c@d"]'), ("a null", "[null]"),
        ("a header", '["a@b\\r\\nBcc: c@d"]'), ("one twice", '["a@b", "a@b"]'), ("a name", '["Ada <a@b>"]'))]
    rows += [row("subject_prefix", "empty", '{"subject_prefix": ""}'),
             row("subject_prefix", "two lines", '{"subject_prefix": "a\\nb"}'),
             row("cron", "no expression", '{"cron": "60 * * * *"}'),
             row("time_zone", "null", '{"time_zone": null}'), row("time_zone", "unknown", '{"time_zone": "CET"}'),
             row("template_path", "without a template", '{"template_path": "a"}'),
             row("managed", "null", '{"managed": null}'), row("managed", "an empty pattern", '{"managed": [""]}'),
             row("retention_days", "null", '{"retention_days": null}'),
             row("retention_days", "0", '{"retention_days": 0}'),
             row("retention_days", "more than ten years", '{"retention_days": 3651}'),
             row("changes", "an unknown key", '{"recipient": []}'), row("changes", "a text", '{"recipients": "a@b"}')]
    rows += [row("template_path", rule, f'{{"template": "x", "template_path": "{path}"}}') for rule, path in (
        ("absolute", "/etc/passwd"), ("that climbs", "a/../../b"), ("a directory", "a/"), ("a line feed", "a\\nb"))]
    return of("forks.configure_group", *rows,
              ("queue", "unknown", "'fresh', '{\"queue\": \"nowhere\"}'", "MR003", "unknown queue"),
              ("email_queue", "unknown", "'fresh', '{\"recipients\": [\"a@b\"], \"email_queue\": \"nowhere\"}'", "MR003",
               "unknown queue")
              ) + of("forks.change_fork", *(
                  (argument, rule, f"'acme/site', '{changes}'", sqlstate, word) for argument, rule, changes, sqlstate, word in (
                      ("changes", "an unknown key", '{"repo": "a/b"}', "MR005", "no key 'repo'"),
                      ("changes", "a text", '{"branches": "main"}', "MR005", "bad changes"),
                      ("enabled", "null", '{"enabled": null}', "MR005", "bad enabled"),
                      ("upstream_org", "a path", '{"upstream_org": "a/b", "upstream_repo": "c"}', "MR005", "bad upstream_org"),
                      ("upstream_repo", "alone", '{"upstream_repo": "c"}', "MR005", "bad upstream_repo"),
                      ("upstream_repo", "that climbs", '{"upstream_org": "a", "upstream_repo": ".."}', "MR005",
                       "bad upstream_repo"),
                      ("upstream_track", "an option", '{"upstream_track": "--all"}', "MR005", "bad upstream_track"),
                      ("rebase_onto", "an option", '{"rebase_onto": "-i"}', "MR005", "bad rebase_onto"),
                      ("rebase_globs", "alone", '{"rebase_globs": ["a*"]}', "MR005", "bad rebase_globs"),
                      ("install_forward_port", "null", '{"install_forward_port": null}', "MR005",
                       "bad install_forward_port"),
                      ("digest_group", "unknown", '{"digest_group": "none"}', "MR022", "unknown digest group 'none'"),
                      ("queue", "unknown", '{"queue": "nowhere"}', "MR003", "unknown queue 'nowhere'")))
              ) + of("forks.import_forks", *(
                  ("document", rule, f"'{document}', false", "MR005", word) for rule, document, word in (
                      ("an unknown list", '{"fork": []}', "no key 'fork'"), ("no list", '{"forks": {}}', "bad document"),
                      ("an unknown key", '{"forks": [{"repo": "a/b", "branch": "x"}]}', "bad forks[0].branch"),
                      ("no repo", '{"forks": [{"branches": ["x"]}]}', "bad forks[0].repo"),
                      ("no branches", '{"forks": [{"repo": "a/b", "provider": "github"}]}', "bad forks[0].branches"),
                      ("one twice", '{"groups": [{"name": "a"}, {"name": "a"}]}', "bad groups[1].name"),
                      ("a number", '{"forks": [7]}', "bad forks[0]"))))


def run_rules():
    rules = of("forks.start_run", ("digest_group", "busy", "'busy'", "MR023", "is active"))
    for verb in ("start_run", "begin_run", "plan_run"):
        rules += of(f"forks.{verb}", ("digest_group", "unknown", "'none'", "MR022", "unknown digest group 'none'"))
    for verb in ("cancel_run", "resume_run", "digest_content"):
        rules += of(f"forks.{verb}", ("run", "null", "null", "MR024", "unknown run null"),
                    ("run", "unknown", "4711", "MR024", "unknown run 4711"))
    rules += of("forks.pause_token", ("token", "null", "null, 1", "MR005", "bad token"),
                ("token", "301 characters", "repeat('t', 301), 1", "MR005", "bad token"),
                ("seconds", "null", "'t', null", "MR005", "bad seconds"),
                ("seconds", "negative", "'t', -1", "MR005", "bad seconds"),
                ("seconds", "more than a day", "'t', 86401", "MR005", "bad seconds"))
    rules += of("forks.limit_token", ("token", "null", "null, 1", "MR005", "bad token"),
                ("token", "301 characters", "repeat('t', 301), 1", "MR005", "bad token"),
                ("places", "null", "'t', null", "MR005", "bad places"), ("places", "0", "'t', 0", "MR005", "bad places"),
                ("places", "1001", "'t', 1001", "MR005", "bad places"))
    rules += of("forks.take_place", ("token", "null", "<fence>, <running>, null", "MR005", "bad token"),
                ("token", "301 characters", "<fence>, <running>, repeat('t', 301)", "MR005", "bad token"),
                ("fence", "null", "null, <running>, 't'", "MR001", "fence null"),
                ("fence", "of an earlier claim", "<spent_fence>, <running>, 't'", "MR001", "does not hold"),
                ("job_id", "null", "<fence>, null, 't'", "MR001", "job null"))
    said = "'s', 't', 'h', 0"
    return rules + of(
        "forks.cancel_run", ("run", "finished", "<done_run>", "MR007", "has finished"),
        ("reason", "1001 characters", "<busy_run>, repeat('x', 1001)", "MR005", "bad reason")
    ) + of("forks.resume_run", ("run", "active", "<busy_run>", "MR007", "has not finished")) + of(
        "forks.record_digest", ("run", "null", f"<running>, null, {said}", "MR024", "unknown run null"),
        ("run", "that has finished", f"<running>, <done_run>, {said}", "MR007", "does not make the digest"),
        ("job_id", "null", f"null, <told_run>, {said}", "MR007", "job null does not make"),
        ("job_id", "another", f"<dead>, <told_run>, {said}", "MR007", "does not make the digest"),
        ("subject", "two lines", "<running>, <told_run>, E's\\n', 't', 'h', 0", "MR005", "bad subject"),
        ("text", "empty", "<running>, <told_run>, 's', '', 'h', 0", "MR005", "bad text"),
        ("html", "null", "<running>, <told_run>, 's', 't', null, 0", "MR005", "bad html"),
        ("failures", "negative", "<running>, <told_run>, 's', 't', 'h', -1", "MR005", "bad failures"))


def step_rules():
    items = {"null": "null", "an object": "'{}'", "a number": "'[7]'", "no number": '\'[{"item": "x", "state": "found"}]\'',
             "0": '\'[{"item": "0", "state": "found"}]\'', "another state": '\'[{"item": "7", "state": "rebased"}]\'',
             "a list as name": '\'[{"item": ["7"], "state": "found"}]\'',
             "1001": "(select jsonb_agg(jsonb_build_object('item', n, 'state', 'found')) from generate_series(1, 1001) n)",
             "4001 characters": "jsonb_build_array(jsonb_build_object('item', 7, 'state', 'found', 'detail',"
                                " repeat('d', 4001)))"}
    rules = of("forks.record_step", *(("items", rule, f"<fence>, <running>, 'done', null, {given}", "MR005", "bad items")
                                      for rule, given in items.items()))
    for verb, word in (("record_step", "done"), ("intend_step", "created")):
        rules += of(f"forks.{verb}", ("fence", "null", f"null, <running>, '{word}'", "MR001", "fence null"),
                    ("fence", "of an earlier claim", f"<spent_fence>, <running>, '{word}'", "MR001", "does not hold"),
                    ("job_id", "null", f"<fence>, null, '{word}'", "MR001", "job null"))
    return rules + of(
        "forks.record_step", ("state", "of another step", "<fence>, <running>, 'created'", "MR005", "bad state"),
        ("detail", "4001 characters", "<fence>, <running>, 'done', repeat('d', 4001)", "MR005", "bad detail")
    ) + of(
        "forks.intend_step", ("intended", "null", "<fence>, <running>, null", "MR005", "bad intended"),
        ("intended", "unknown", "<fence>, <running>, 'unchanged'", "MR005", "bad intended")
    ) + of(
        "forks.next_stage", ("run", "null", "<running>, null", "MR024", "unknown run null"),
        ("run", "unknown", "<running>, 4711", "MR024", "unknown run 4711"),
        ("run", "that has finished", "<running>, <done_run>", "MR007", "does not lead"),
        ("job_id", "null", "null, <told_run>", "MR007", "job null does not lead"),
        ("job_id", "another", "<dead>, <told_run>", "MR007", "does not lead"))


def sync_rules():
    commits = {"empty": "", "short": "a" * 39, "too long": "a" * 41, "in capitals": "A" * 40, "a word": "HEAD",
               "a line behind it": SHA + "\n", "an option": "--all"}
    rules = []
    for argument, before, after in (("before_sha", "%s", quote(SHA)), ("after_sha", quote(SHA), "%s")):
        for rule, commit in commits.items():
            given = f"{before}, {after}" % quote(commit)
            rules += of("forks.intend_push", (argument, rule, f"<fence>, <running>, {given}", "MR005",
                                              f"bad {argument}"))
            rules += of("forks.record_sync", (argument, rule, f"<running>, 'acme/site', 'main', 'updated', {given}",
                                              "MR005",
                                              f"bad {argument}"))
        rules += of("forks.intend_push", (argument, "null", f"<fence>, <running>, {before}, {after}" % "null", "MR005",
                                          f"bad {argument}"))
    pair = f"'{SHA}', '{SHA}'"
    rules += of("forks.intend_push", ("fence", "null", f"null, <running>, {pair}", "MR001", "fence null"),
                ("fence", "of an earlier claim", f"<spent_fence>, <running>, {pair}", "MR001", "does not hold"),
                ("job_id", "null", f"<fence>, null, {pair}", "MR001", "job null"))
    rules += of("forks.withdraw_push", ("fence", "null", "null, <running>", "MR001", "fence null"),
                ("fence", "of an earlier claim", "<spent_fence>, <running>", "MR001", "does not hold"),
                ("job_id", "null", "<fence>, null", "MR001", "job null"))
    return rules + of(
        "forks.record_sync", ("job_id", "null", "null, 'acme/site', 'main', 'current'", "MR005", "bad job_id"),
        ("repo", "null", "1, null, 'main', 'current'", "MR020", "unknown fork"),
        ("repo", "unknown", "1, 'acme/none', 'main', 'current'", "MR020", "unknown fork"),
        *(("branch", rule, f"1, 'acme/site', {text(name)}, 'current'", "MR005", "bad branch")
          for rule, name in BAD_BRANCHES.items()),
        ("state", "null", "1, 'acme/site', 'main', null", "MR005", "bad state"),
        ("state", "unknown", "1, 'acme/site', 'main', 'done'", "MR005", "bad state"),
        ("state", "updated without commits", "1, 'acme/site', 'main', 'updated'", "MR005", "bad state"),
        ("detail", "4001 characters", "1, 'acme/site', 'main', 'failed', null, null, repeat('d', 4001)", "MR005",
         "bad detail"),
        ("run", "unknown", "1, 'acme/site', 'main', 'current', run => 7800001", "MR005", "bad run"),
        ("run", "0", "1, 'acme/site', 'main', 'current', run => 0", "MR005", "bad run"),
        ("ahead", "of a failure", "1, 'acme/site', 'main', 'failed', ahead => 0, behind => 0, subjects => '{}'", "MR005",
         "bad ahead"),
        ("subjects", "missing", "1, 'acme/site', 'main', 'current', ahead => 0, behind => 0", "MR005", "bad subjects"),
        ("subjects", "more than ahead", "1, 'acme/site', 'main', 'current', ahead => 0, behind => 0, subjects => '{a}'",
         "MR005", "bad subjects"))


def pipeline_queue_rules():
    create = "pipeline.create_queue"
    fine = "'q', '/srv/a.git', 'main', '{make}'"
    names = {"null": None, "empty": "", "in capitals": "Q", "a leading slash": "/q", "a leading dot": "../q",
             "101 characters": "q" * 101, "a line feed": "q\n"}
    commands = {"null": "null", "empty": "'{}'", "a null": "'{make,NULL}'", "no program": "'{\"\"}'",
                "two dimensions": "'{{make},{all}}'", "1001 words": "array_fill('a'::text, '{1001}')",
                "more than 64 KiB": "array[repeat('a', 65537)]"}
    rules = of(create, *(("name", rule, f"{text(name)}, '/srv/a.git', 'main', '{{make}}'", "MR005", "bad name")
                         for rule, name in names.items()),
               ("name", "taken", "'mono/main', '/srv/a.git', 'main', '{make}'", "MR008", "exists"),
               *(("remote", rule, f"'q', {text(url)}, 'main', '{{make}}'", "MR005", "bad remote")
                 for rule, url in BAD_REMOTES.items()),
               *(("ref", rule, f"'q', '/srv/a.git', {text(name)}, '{{make}}'", "MR005", "bad ref")
                 for rule, name in BAD_BRANCHES.items()),
               *(("command", rule, f"'q', '/srv/a.git', 'main', {command}", "MR005", "bad command")
                 for rule, command in commands.items()),
               ("job_queue", "unknown", f"{fine}, 'nowhere'", "MR003", "unknown queue"),
               ("max_concurrent", "0", f"{fine}, max_concurrent => 0", "MR005", "bad max_concurrent"),
               ("max_concurrent", "101", f"{fine}, max_concurrent => 101", "MR005", "bad max_concurrent"))
    ranges = {"time_limit": {"0": "0", "more than max_validation": "3 hours"},
              "max_validation": {"more than 30 days": "31 d"},
              "poll_accepted": {"9 ms": "9 ms", "more than an hour": "61 min"},
              "poll_running": {"9 ms": "9 ms", "more than an hour": "61 min"}}
    for argument, texts in ranges.items():
        rules += interval_rules(create, argument, f"{fine}, {argument} => %s", texts)
    return rules


BAD_SERVICES = {
    "null": "'buildkite', null", "a list": "'buildkite', '[]'", "a number": "'buildkite', '{\"branch\": 1}'",
    "a token": "'buildkite', " + quote(SERVICE.replace("token_env", "token")),
    "the password of the database": "'buildkite', " + quote(SERVICE.replace("PIPELINE_T", "PGPASSWORD")),
    "an organization that climbs": "'buildkite', " + quote(SERVICE.replace('"a"', '"a/.."')),
    "a branch that is an option": "'buildkite', " + quote(SERVICE.replace("main", "-x")),
    "a user in the address": "'buildkite', " + quote(SERVICE.replace("{", '{"base_url": "https://a@b", ')),
    "a slash at the end": "'buildkite', " + quote(SERVICE.replace("{", '{"base_url": "https://a/", ')),
    "of another runner": "'github_actions', " + quote(SERVICE),
}


def stage_rules():
    run = "'mono/main', 'command/1'"
    queue = "'mono/main'"
    rules = []
    for verb, rest in (("ingest", ", 'u'"), ("poll", ""), ("is_green", ", 'u'"), ("latest_green", ""),
                       ("create_build", ", 'b', 1, ''"), ("create_fact", ", 'u', '', 0, 1"),
                       ("trigger_command", ", 1, '', null, 'u'")):
        rules += of(f"pipeline.{verb}", ("queue", "null", f"null{rest}", "MR003", "unknown pipeline queue null"),
                    ("queue", "unknown", f"'nowhere'{rest}", "MR003", "unknown pipeline queue 'nowhere'"))
    long_uri = "repeat('\U0001f600', 501)"  # 2004 bytes, more than an index would hold were there no limit
    return rules + of(
        "pipeline.ingest", ("uri", "null", f"{queue}, null", "MR005", "bad uri"),
        ("uri", "empty", f"{queue}, ''", "MR005", "bad uri"),
        ("uri", "2004 bytes", f"{queue}, {long_uri}", "MR005", "bad uri")
    ) + of(
        "pipeline.create_build", ("id", "null", f"{queue}, null, 1, ''", "MR005", "bad id"),
        ("id", "empty", f"{queue}, '', 1, ''", "MR005", "bad id"),
        ("id", "601 bytes", f"{queue}, repeat('i', 601), 1, ''", "MR005", "bad id"),
        ("request", "null", f"{queue}, 'b', null, ''", "MR005", "bad request"),
        ("request", "never ingested", f"{queue}, 'b', 99, ''", "MR005", "bad request"),
        ("project", "null", f"{queue}, 'b', 1, null", "MR005", "bad project"),
        ("project", "501 bytes", f"{queue}, 'b', 1, repeat('p', 501)", "MR005", "bad project")
    ) + of(
        "pipeline.create_fact", ("uri", "null", f"{queue}, null, '', 0, 1", "MR005", "bad uri"),
        ("uri", "2004 bytes", f"{queue}, {long_uri}, '', 0, 1", "MR005", "bad uri"),
        ("project", "null", f"{queue}, 'u', null, 0, 1", "MR005", "bad project"),
        ("degree", "null", f"{queue}, 'u', '', null, 1", "MR005", "bad degree"),
        ("degree", "no number", f"{queue}, 'u', '', 'NaN', 1", "MR005", "bad degree"),
        ("degree", "negative", f"{queue}, 'u', '', -0.00001, 1", "MR005", "bad degree"),
        ("degree", "more than 1", f"{queue}, 'u', '', 1.00001, 1", "MR005", "bad degree"),
        ("degree", "infinite", f"{queue}, 'u', '', 'Infinity', 1", "MR005", "bad degree"),
        ("degree", "a part of the whole repository", f"{queue}, 'u', '', 0.5, 1", "MR005", "bad degree"),
        ("request", "never ingested", f"{queue}, 'u', '', 0, 99", "MR005", "bad request")
    ) + of(
        "pipeline.update_build", ("status", "null", f"{queue}, 'build-1', null, '', '', 1, 2", "MR005", "bad status"),
        ("status", "unknown", f"{queue}, 'build-1', 'done', '', '', 1, 2", "MR005", "bad status"),
        ("new_version", "null", f"{queue}, 'build-1', 'running', '', '', 1, null", "MR005", "bad new_version")
    ) + of(
        "pipeline.update_request", ("state", "null", f"{queue}, 1, null, null, null, 1, 2", "MR005", "bad state"),
        ("state", "unknown", f"{queue}, 1, 'done', null, null, 1, 2", "MR005", "bad state"),
        ("state", "skipped", f"{queue}, 1, 'succeeded', null, null, 1, 2", "MR007", "cannot become succeeded"),
        ("build_strategy", "unknown", f"{queue}, 1, 'processing', 'x', null, 1, 2", "MR005", "bad build_strategy"),
        ("base_uri", "with a full build", f"{queue}, 1, 'processing', 'full', 'u', 1, 2", "MR005", "bad base_uri"),
        ("base_uri", "missing", f"{queue}, 1, 'processing', 'incremental_since_green', null, 1, 2", "MR005",
         "bad base_uri"),
        ("new_version", "null", f"{queue}, 1, 'processing', null, null, 1, null", "MR005", "bad new_version"),
        ("committed_at", "infinite", f"{queue}, 1, 'accepted', null, null, 1, 2, 'infinity'", "MR005", "bad committed_at")
    ) + of(
        "pipeline.note_history", ("uris", "null", f"{queue}, 1, null", "MR005", "bad uris"),
        ("uris", "1001", f"{queue}, 1, array_fill('u'::text, '{{1001}}')", "MR005", "bad uris")
    ) + of(
        "pipeline.update_queue", ("last_green_request", "null", f"{queue}, null, 'u', 1, 2", "MR005",
                                  "bad last_green_request"),
        ("last_green_request", "of the future", f"{queue}, 2, 'u', 1, 2", "MR005", "bad last_green_request"),
        ("last_green_request", "backwards", f"{queue}, -1, null, 1, 2", "MR007", "cannot become -1"),
        ("last_green_uri", "missing", f"{queue}, 1, null, 1, 2", "MR005", "bad last_green_uri"),
        ("last_green_uri", "of nothing", f"{queue}, 0, 'u', 1, 2", "MR005", "bad last_green_uri"),
        ("new_version", "null", f"{queue}, 1, 'u', 1, null", "MR005", "bad new_version")
    ) + of(
        "pipeline.trigger_command", ("request", "null", f"{queue}, null, '', null, 'u'", "MR005", "bad request"),
        ("request", "0", f"{queue}, 0, '', null, 'u'", "MR005", "bad request"),
        ("project", "null", f"{queue}, 1, null, null, 'u'", "MR005", "bad project"),
        ("project", "501 bytes", f"{queue}, 1, repeat('p', 501), null, 'u'", "MR005", "bad project"),
        ("head_uri", "null", f"{queue}, 1, '', null, null", "MR005", "bad head_uri"),
        ("base_uri", "2001 bytes", f"{queue}, 1, '', repeat('u', 2001), 'u'", "MR005", "bad base_uri")
    ) + of(
        "pipeline.finish_command", ("status", "null", f"{queue}, 'command/1', null, '', 0, ''", "MR005", "bad status"),
        ("status", "cancelled", f"{queue}, 'command/1', 'cancelled', '', 0, ''", "MR005", "bad status"),
        ("log_tail", "more than a MiB", f"{queue}, 'command/1', 'failed', '', 0, repeat('x', 1048577)", "MR005",
         "bad log_tail")
    ) + of(
        "pipeline.append_command_log", ("text", "null", f"{run}, 1, 0, null", "MR005", "bad text"),
        ("text", "empty", f"{run}, 1, 0, ''", "MR005", "bad text"),
        ("text", "more than a MiB", f"{run}, 1, 0, repeat('x', 1048577)", "MR005", "bad text"),
        ("start_byte", "null", f"{run}, 1, null, 'x'", "MR005", "bad start_byte"),
        ("start_byte", "-1", f"{run}, 1, -1, 'x'", "MR005", "bad start_byte")
    ) + of(
        "pipeline.limit_command", ("queue", "null", "null", "MR003", "unknown pipeline queue null"),
        ("queue", "unknown", "'nowhere'", "MR003", "unknown pipeline queue 'nowhere'"),
        ("memory_limit", "less than a MiB", f"{queue}, 1048575", "MR005", "bad memory_limit"),
        ("output_limit", "null", f"{queue}, null, null", "MR005", "bad output_limit"),
        ("output_limit", "less than 64 KiB", f"{queue}, null, 65535", "MR005", "bad output_limit"),
        ("output_limit", "more than a GiB", f"{queue}, null, 1073741825", "MR005", "bad output_limit"),
        ("disk_limit", "less than a MiB", f"{queue}, null, 65536, 1048575", "MR005", "bad disk_limit")
    ) + of(
        "pipeline.use_service", ("queue", "null", "null, 'buildkite', '{}'", "MR003", "unknown pipeline queue null"),
        ("queue", "unknown", "'nowhere', 'buildkite', '{}'", "MR003", "unknown pipeline queue 'nowhere'"),
        ("runner", "null", f"{queue}, null, '{{}}'", "MR005", "bad runner"),
        ("runner", "unknown", f"{queue}, 'jenkins', '{{}}'", "MR005", "bad runner"),
        *(("settings", label, f"{queue}, {text}", "MR005", "bad settings") for label, text in BAD_SERVICES.items()),
        ("queue", "with a build", f"{queue}, 'buildkite', {quote(SERVICE)}", "MR007", "cannot be changed"))


def follow_up_rules():
    """What comes after a verdict, and how pipeline queues are configured."""
    queue = "'mono/main'"
    rules = []
    for verb, rest in (("greenness", ", 'u'"), ("coverage", ", 'u'"), ("gate", ", 'u'"), ("configure_queue", ", '{}'"),
                       ("settings_of", ""), ("revalidate", ", 'u', 'why'"), ("analyze_request", ", 1, 'build-1'"),
                       ("settle_project", ", 1, 'web', 'failed'"), ("announce", ", 1, ''"), ("bisect_step", ", 1"),
                       ("rerun_build", ", 'build-1'"), ("note_promotion", ", 'u', 'moved'")):
        argument = "name" if verb == "configure_queue" else "queue"
        rules += of(f"pipeline.{verb}", (argument, "null", f"null{rest}", "MR003", "unknown pipeline queue null"),
                    (argument, "unknown", f"'nowhere'{rest}", "MR003", "unknown pipeline queue 'nowhere'"))
    entry = '{"name": "a", "remote": "/a", "ref": "m", "command": ["x"]'
    return rules + of(
        "pipeline.gate", ("commit", "null", f"{queue}, null", "MR005", "bad commit"),
        ("commit", "empty", f"{queue}, ''", "MR005", "bad commit"),
        ("project", "null", f"{queue}, 'head-1', null", "MR005", "bad project"),
        ("max_age", "0", f"{queue}, 'head-1', '', '0'", "MR005", "bad max_age"),
        ("max_age", "negative", f"{queue}, 'head-1', '', '-1 s'", "MR005", "bad max_age")
    ) + of(
        "pipeline.configure_queue", ("settings", "null", f"{queue}, null", "MR005", "bad settings"),
        ("settings", "a list", f"{queue}, '[]'", "MR005", "bad settings"),
        ("settings", "unknown", f"{queue}, '{{\"colour\": 1}}'", "MR005", "no key 'colour'"),
        ("settings", "no queue for the jobs", f"{queue}, '{{\"job_queue\": \"nowhere\"}}'", "MR003", "unknown queue")
    ) + of(
        "pipeline.apply", ("document", "null", "null", "MR005", "bad document"),
        ("document", "a list", "'[]'", "MR005", "bad document"),
        ("document", "another list", "'{\"forks\": []}'", "MR005", "bad document"),
        ("document", "an entry that is none", "'{\"queues\": [7]}'", "MR005", "bad queues[0].name"),
        ("document", "an unknown key", f"'{{\"queues\": [{entry}, \"colour\": 1}}]}}'", "MR005",
         "bad queues[0].colour")
    ) + of(
        "pipeline.revalidate", ("uri", "null", f"{queue}, null, 'why'", "MR005", "bad uri"),
        ("uri", "never reported", f"{queue}, 'nowhere', 'why'", "MR005", "bad uri"),
        ("reason", "null", f"{queue}, 'head-1', null", "MR005", "bad reason"),
        ("reason", "empty", f"{queue}, 'head-1', ''", "MR005", "bad reason"),
        ("reason", "1001 characters", f"{queue}, 'head-1', repeat('r', 1001)", "MR005", "bad reason"),
        ("uri", "still waiting", f"{queue}, 'head-1', 'why'", "MR007", "is being validated")
    ) + of(
        "pipeline.analyze_request", ("build", "null", f"{queue}, 1, null", "MR005", "bad build"),
        ("build", "unknown", f"{queue}, 1, 'nowhere'", "MR005", "bad build"),
        ("request", "another one's", f"{queue}, 2, 'build-1'", "MR005", "bad build")
    ) + of(
        "pipeline.settle_project", ("state", "null", f"{queue}, 1, 'web', null", "MR005", "bad state"),
        ("state", "unknown", f"{queue}, 1, 'web', 'pending'", "MR005", "bad state")
    ) + of(
        "pipeline.announce", ("request", "null", f"{queue}, null, ''", "MR005", "bad request"),
        ("request", "without a verdict", f"{queue}, 1, ''", "MR005", "bad request"),
        ("project", "null", f"{queue}, 1, null", "MR005", "bad request")
    ) + of(
        "pipeline.set_target_graph", ("graph", "null", f"{queue}, 'build-1', null", "MR005", "bad graph"),
        ("graph", "a list", f"{queue}, 'build-1', '[]'", "MR005", "bad graph"),
        ("graph", "targets that are no list", f"{queue}, 'build-1', '{{\"targets\": 1}}'", "MR005", "bad graph")
    ) + of(
        "pipeline.note_promotion", ("outcome", "null", f"{queue}, 'u', null", "MR005", "bad outcome"),
        ("outcome", "unknown", f"{queue}, 'u', 'lost'", "MR005", "bad outcome")
    ) + of(
        "pipeline.create_build", ("run", "null", f"{queue}, 'b', 1, '', null", "MR005", "bad run"),
        ("run", "0", f"{queue}, 'b', 1, '', 0", "MR005", "bad run"),
        ("commit", "empty", f"{queue}, 'b', 1, '', 1, ''", "MR005", "bad commit"),
        ("commit", "2001 bytes", f"{queue}, 'b', 1, '', 1, repeat('u', 2001)", "MR005", "bad commit")
    ) + of(
        "pipeline.create_fact", ("is_flaky", "null", f"{queue}, 'u', '', 1, 1, null", "MR005", "bad is_flaky"),
        ("is_flaky", "and green", f"{queue}, 'u', '', 0, 1, true", "MR005", "bad is_flaky")
    ) + of(
        "pipeline.trigger_command", ("run", "null", f"{queue}, 1, '', null, 'u', null", "MR005", "bad run"),
        ("run", "0", f"{queue}, 1, '', null, 'u', 0", "MR005", "bad run"))


RULES = (fork_rules() + group_rules() + run_rules() + step_rules() + sync_rules() + pipeline_queue_rules() + stage_rules()
         + follow_up_rules())

LEGAL = [
    ("forks.add_fork", "a branch in Cyrillic", "forks.add_fork('a/b', '/srv/a', '/srv/b', '{основная}')"),
    ("forks.add_fork", "a path that climbs", "forks.add_fork('a/b', '/srv/../srv/a', 'file:///srv/b')"),
    ("forks.add_fork", "an IPv6 host", "forks.add_fork('a/b', 'ssh://git@[::1]:22/a.git', 'git://[::1]/a.git')"),
    ("forks.sync_target", "nulls", "forks.sync_target(null, null, null)"),
    ("pipeline.create_queue", "a name that climbs", "pipeline.create_queue('a/../b', '/srv/a', 'main', '{make}')"),
    ("pipeline.create_queue", "a program that is an option", "pipeline.create_queue('q', '/srv/a', 'main', '{-x}')"),
    ("pipeline.update_build", "a build that there is not", "pipeline.update_build('no', 'no', 'failed', '', '', 1, 2)"),
    ("pipeline.create_fact", "broken by a hair", "pipeline.create_fact('mono/main', 'head-1', 'web', 1e-300, 1)"),
]
