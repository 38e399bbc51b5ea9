-- registry.sql: forks are added, enabled, disabled; what is refused, above all as a name or an address.
set client_min_messages = warning;
create extension if not exists pgtap;
begin;
\ir ../support/sql/fake_clock.sql
select plan(121);

set local role millrace_operator;
select millrace.create_queue('forks') as queue \gset
select millrace.create_queue('slow') as slow \gset
select forks.add_fork('acme/widget', '/srv/widget.git', 'https://example.org/up/widget.git') as fork \gset
select forks.configure_group('weekly') \g /dev/null
select lives_ok($$select forks.add_fork('acme/.github', 'ssh://git@example.org:2222/a', 'file:///srv/b', '{16.0,17.0}',
                                        'git', 'slow', 'weekly')$$, 'all arguments');
select lives_ok($$select forks.add_fork('acme/hub', provider => 'github')$$, 'a fork on GitHub needs no addresses');
select row_eq($$ select repo, provider, origin_url, upstream_url, branches, enabled, queue, digest_group, created_at
                   from forks.registry where repo = 'acme/widget' $$,
              row('acme/widget'::text, 'git'::text, '/srv/widget.git'::text, 'https://example.org/up/widget.git'::text,
                  '{main}'::text[], true, 'forks'::text, 'default'::text, millrace.now()), 'a fork has the defaults');
select row_eq($$ select branches, queue, digest_group from forks.registry where repo = 'acme/.github' $$,
              row('{16.0,17.0}'::text[], 'slow'::text, 'weekly'::text), 'or what it was given');
reset role;

-- Git is the judge of names of branches: every one of these, as it says.
select ok(forks.is_branch(name), 'a branch: ' || name)
  from unnest('{main,17.0,feature/x,a-b,a.b,a@b,@a,"a{b",HEADS,head,a.lockx,x/HEAD,größe}'::text[]) name;
select ok(forks.is_branch(repeat('a', 200)), 'a branch of 200 bytes');
select ok(not forks.is_branch(name), 'no branch: ' || coalesce(quote_literal(name), 'null'))
  from unnest(array['', '-x', '--force', '.a', 'a/.b', 'a..b', 'a.', '/a', 'a/', 'a//b', 'a.lock', 'a.lock/b', '@',
                    'a@{b', 'HEAD', 'a b', 'a~1', 'a^', 'a:b', 'a?', 'a*', 'a[b', E'a\\b', E'a\nb', E'a\tb', E'a\x7fb',
                    null, repeat('a', 201)]) name;

select ok(forks.is_remote(url), 'an address: ' || url)
  from unnest(array['https://example.org/a.git', 'http://localhost:8080/a', 'ssh://git@example.org/a',
                    'git://10.0.0.1/a', 'https://[::1]:80/a', 'file:///srv/a', '/srv/a']) url;
select ok(not forks.is_remote(url), 'no address: ' || coalesce(quote_literal(url), 'null'))
  from unnest(array['', null, 'widget.git', '../widget', '//srv/a', '-oProxyCommand=x', '--upload-pack=x',
                    'ext::sh -c x', 'fd::3', 'https://bot:secret@example.org/a', 'https://token@example.org/a',
                    'https://example.org', 'ftp://example.org/a', 'ssh://-oProxyCommand=x/a', 'ssh://-x@/a',
                    'git@example.org:a', 'file://host/a', E'/srv/a\n', 'https://example.org/a b',
                    '/' || repeat('a', 2000)]) url;

select throws_ok('select forks.add_fork(' || arguments || ')', 'MR005', 'add_fork: bad ' || named, arguments)
  from (values ($$null$$, 'repo'), ($$'widget'$$, 'repo'), ($$'acme/..', '/a', '/b'$$, 'repo'),
               ($$'../widget', '/a', '/b'$$, 'repo'), ($$'-acme/widget', '/a', '/b'$$, 'repo'),
               ($$'a/b/c', '/a', '/b'$$, 'repo'), ($$E'a/b\n', '/a', '/b'$$, 'repo'),
               ($$'a/b', null, '/b'$$, 'origin_url'), ($$'a/b', '/a'$$, 'upstream_url'),
               ($$'a/b', 'ext::sh', '/b'$$, 'origin_url'), ($$'a/b', '/a', '/b', provider => 'svn'$$, 'provider'),
               ($$'a/b', '/a', null, provider => 'github'$$, 'origin_url'), ($$'a/b', '/a', '/b', '{}'$$, 'branches'),
               ($$'a/b', '/a', '/b', '{a,a}'$$, 'branches'), ($$'a/b', '/a', '/b', '{a,null}'$$, 'branches'),
               ($$'a/b', '/a', '/b', '{--mirror}'$$, 'branches'), ($$'a/b', '/a', '/b', null$$, 'branches'),
               ($$'a/b', '/a', '/b', digest_group => 'A'$$, 'digest_group')) bad(arguments, named);
select throws_ok($$select forks.add_fork('a/b', '/a', '/b', queue => 'nowhere')$$, 'MR003', null,
                 'its queue must exist');
select throws_ok($$select forks.add_fork('a/b', '/a', '/b', digest_group => 'monthly')$$, 'MR022',
                 'unknown digest group ''monthly''', 'and its group');
select throws_ok($$select forks.add_fork('acme/widget', '/a', '/b')$$, 'MR021', 'fork ''acme/widget'' exists',
                 'a fork is added once');

set local role millrace_operator;
select forks.disable_fork('acme/widget');
select is((select enabled from forks.registry where repo = 'acme/widget'), false, 'a fork is disabled');
select forks.enable_fork('acme/widget');
select is((select enabled from forks.registry where repo = 'acme/widget'), true, 'and enabled again');
select throws_ok($$select forks.disable_fork('acme/gadget')$$, 'MR020', 'unknown fork ''acme/gadget''',
                 'one that there is');

-- change_fork
select is(forks.change_fork('acme/widget', '{"branches": ["main", "17.0"], "upstream_org": "up", "upstream_repo": "w",
                                             "rebase_onto": "main", "rebase_globs": ["feature/*", "fix-*"]}')
          - 'rebase_globs' - 'rebase_onto',
          '{"branches": {"from": ["main"], "to": ["main", "17.0"]}, "upstream_org": {"from": null, "to": "up"},
            "upstream_repo": {"from": null, "to": "w"}}', 'a change says what it changed');
select row_eq($$ select branches, upstream_org, upstream_repo, rebase_onto, rebase_globs, origin_url
                   from forks.registry where repo = 'acme/widget' $$,
              row('{main,17.0}'::text[], 'up'::text, 'w'::text, 'main'::text, '{feature/*,fix-*}'::text[],
                  '/srv/widget.git'::text), 'what is not given stays');
select is(forks.change_fork('acme/widget', '{"upstream_org": "up"}'), '{}', 'or says that nothing has changed');
select throws_ok(format('select forks.change_fork(%L, %L)', 'acme/widget', changes), 'MR005', message, changes)
  from (values (null, 'change_fork: bad changes'), ('[]', 'change_fork: bad changes'),
               ('{"repo": "a/b"}', 'change_fork: bad changes: no key ''repo'''),
               ('{"branch": "a"}', 'change_fork: bad changes: no key ''branch'''),
               ('{"branches": []}', 'change_fork: bad branches'), ('{"branches": null}', 'change_fork: bad branches'),
               ('{"enabled": null}', 'change_fork: bad enabled'),
               ('{"upstream_repo": null}', 'change_fork: bad upstream_repo'),
               ('{"upstream_org": "a/b"}', 'change_fork: bad upstream_org'),
               ('{"upstream_repo": ".."}', 'change_fork: bad upstream_repo'),
               ('{"upstream_track": "-x"}', 'change_fork: bad upstream_track'),
               ('{"install_forward_port": null}', 'change_fork: bad install_forward_port'),
               ('{"rebase_onto": "a b"}', 'change_fork: bad rebase_onto'),
               ('{"rebase_onto": null}', 'change_fork: bad rebase_globs'),
               ('{"rebase_globs": ["*", "../*"]}', 'change_fork: bad rebase_globs'),
               ('{"rebase_globs": [null]}', 'change_fork: bad rebase_globs')) bad(changes, message);
select throws_like($$select forks.change_fork('acme/widget', '{"branches": "main"}')$$,
                   'change_fork: bad changes: %', 'a list is a list');
select throws_ok($$select forks.change_fork('acme/widget', '{"queue": "nowhere"}')$$, 'MR003', null, 'a known queue');
select throws_ok($$select forks.change_fork('acme/widget', '{"digest_group": "monthly"}')$$, 'MR022', null,
                 'a known group');
select throws_ok($$select forks.change_fork('acme/gadget', '{}')$$, 'MR020', null, 'a known fork');
reset role;
select results_eq($$ select action, detail->>'repo' from millrace.operator_action
                      where action like 'forks.%able_fork' order by 1 $$,
                  $$ values ('forks.disable_fork', 'acme/widget'), ('forks.enable_fork', 'acme/widget') $$,
                  'the book says who did it');

select * from finish();
rollback;
