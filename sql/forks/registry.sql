-- registry, add_fork, change_fork, enable_fork, disable_fork: which forks are kept up to date, and from where.
--
-- Arguments  repo          org/name, as people call it
--            origin_url    where the fork is fetched from and pushed to; null for the provider github
--            upstream_url  where the news come from; null for the provider github
--            branches      1 … 100 names, those of the fork and of its upstream alike
--            provider      git: any remote; github: GitHub's own interface
--            queue         of its jobs; it must exist
--            digest_group  whose digest tells of it; it must exist
--            changes       a JSON object; what is not given stays. Its keys: the arguments above but repo, and
--                          enabled                      false: no jobs, and those that wait record `skipped`
--                          upstream_org, upstream_repo  the upstream by its name; both or none
--                          upstream_track               the branch on which migrations are merged
--                          install_forward_port         whether it gets the group's managed file
--                          rebase_onto, rebase_globs    a branch, and up to 20 patterns of branches to be rebased on it
-- Locks      the fork's row.
-- Raises     MR003 unknown_queue, MR005 bad_argument, MR020 unknown_fork, MR021 fork_exists,
--            MR022 unknown_digest_group.
-- Rows       1, and one of operator_action.

-- Git's own rules (git-check-ref-format), and no name that git would take for an option or for HEAD. Patterns have no
-- backslash: with standard_conforming_strings off, which a caller may set, it would vanish from them.
create or replace function forks.is_branch(name text)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(octet_length(name) between 1 and 200
                and name !~ '[[:cntrl:] ~^:?*[]' and strpos(name, chr(92)) = 0  -- with a meaning of their own
                and name !~ '[.][.]|@[{]|//|^/|/$|[.]$|^-|^(@|HEAD)$'
                and name !~ '(^|/)[.]|[.]lock(/|$)', false)                     -- components
$$;

-- A branch with * in place of any text.
create or replace function forks.is_glob(pattern text)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$ select forks.is_branch(replace(pattern, '*', 'a')) $$;

-- A password or token in an address would be in every dump of this database. Git finds them elsewhere.
create or replace function forks.is_remote(url text)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(octet_length(url) <= 2000 and url !~ '[[:cntrl:][:space:]]'
                and url ~ ('^((https?://|git://|ssh://([A-Za-z0-9._~]+@)?)'
                           '([[][0-9A-Fa-f:.]+[]]|[A-Za-z0-9][A-Za-z0-9.-]*)(:[0-9]{1,5})?/.|(file://)?/[^/])'),
                    false)
$$;

-- What is wrong with a fork, as `argument: what is allowed`; null: nothing.
create or replace function forks.fork_problem(f forks.fork)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    remote constant text := 'https, ssh or git://host/path without credentials, file:///path or /path;'
        ' required by the provider git';
    name_of_one constant text := '^[A-Za-z0-9_.-]{1,100}$';
begin
    return case
        when f.repo is null or f.repo !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}/[A-Za-z0-9_.-]{1,100}$'
          or f.repo ~ '/[.]{1,2}$'
            then 'repo: org/name, each of A-Z, a-z, 0-9, "_", "." and "-"'
        when f.provider is null or f.provider not in ('git', 'github') then 'provider: git or github'
        when f.provider = 'git' and not forks.is_remote(f.origin_url) then 'origin_url: ' || remote
        when f.provider = 'git' and not forks.is_remote(f.upstream_url) then 'upstream_url: ' || remote
        when f.provider = 'github' and num_nonnulls(f.origin_url, f.upstream_url) > 0
            then 'origin_url: null, and upstream_url too; the provider github finds them by the name'
        when f.branches is null or array_ndims(f.branches) is distinct from 1 or cardinality(f.branches) > 100
          or exists (select from unnest(f.branches) b where not forks.is_branch(b))
          or (select count(distinct b) from unnest(f.branches) b) < cardinality(f.branches)
            then 'branches: 1 to 100 different names of branches, up to 200 bytes each'
        when f.digest_group is null or f.digest_group !~ '^[a-z0-9][a-z0-9_.-]{0,47}$'
            then 'digest_group: 1 to 48 of a-z, 0-9, "_", "." and "-", beginning with a letter or digit'
        when f.enabled is null then 'enabled: true or false'
        when f.upstream_org !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'
            then 'upstream_org: 1 to 100 of A-Z, a-z, 0-9, "_", "." and "-"; or null'
        when f.upstream_repo !~ name_of_one or f.upstream_repo ~ '^[.]{1,2}$'
          or num_nulls(f.upstream_org, f.upstream_repo) = 1
            then 'upstream_repo: 1 to 100 of A-Z, a-z, 0-9, "_", "." and "-", together with upstream_org; or null'
        when f.upstream_track is not null and not forks.is_branch(f.upstream_track)
            then 'upstream_track: the name of a branch; or null'
        when f.install_forward_port is null then 'install_forward_port: true or false'
        when f.rebase_onto is not null and not forks.is_branch(f.rebase_onto)
            then 'rebase_onto: the name of a branch; or null'
        when f.rebase_globs is null or array_ndims(f.rebase_globs) > 1 or cardinality(f.rebase_globs) > 20
          or exists (select from unnest(f.rebase_globs) g where not coalesce(forks.is_glob(g), false))
          or f.rebase_globs <> '{}' and f.rebase_onto is null
            then 'rebase_globs: up to 20 names of branches, * for any text; with rebase_onto'
    end;
end
$$;

create or replace function forks.check_fork(caller text, f forks.fork)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    wrong constant text := forks.fork_problem(f);
begin
    if wrong is not null then
        raise exception using errcode = 'MR005', message = caller || ': bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    perform millrace.queue_id(f.queue);
    if not exists (select from forks.digest_group g where g.name = f.digest_group) then
        perform forks.raise_unknown_group(f.digest_group);
    end if;
end
$$;

create or replace function forks.add_fork(
    repo text,
    origin_url text default null,
    upstream_url text default null,
    branches text[] default '{main}',
    provider text default 'git',
    queue text default 'forks',
    digest_group text default 'default')
returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted forks.fork := forks.blank_fork(repo);
    added int;
begin
    wanted.origin_url := origin_url;
    wanted.upstream_url := upstream_url;
    wanted.branches := branches;
    wanted.provider := provider;
    wanted.queue := queue;
    wanted.digest_group := digest_group;
    perform forks.check_fork('add_fork', wanted);
    added := forks.insert_fork(wanted);
    if added is null then
        raise exception using errcode = 'MR021', message = format('fork %L exists', repo),
            hint = 'Use it as it is, or enable it: select forks.enable_fork(repo).';
    end if;
    perform millrace.audit('forks.add_fork', jsonb_build_object('repo', repo), 1);
    return added;
end
$$;

-- With everything that has a default.
create or replace function forks.blank_fork(repo text)
returns forks.fork
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_populate_record(null::forks.fork, jsonb_build_object(
        'repo', repo, 'provider', 'git', 'enabled', true, 'queue', 'forks', 'digest_group', 'default',
        'install_forward_port', false, 'rebase_globs', '[]'::jsonb))
$$;

-- Null when there is one of that name.
create or replace function forks.insert_fork(f forks.fork)
returns int
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into forks.fork (repo, provider, origin_url, upstream_url, branches, enabled, queue, digest_group,
                            created_at, upstream_org, upstream_repo, upstream_track, install_forward_port,
                            rebase_onto, rebase_globs)
    values (f.repo, f.provider, f.origin_url, f.upstream_url, f.branches, f.enabled, f.queue, f.digest_group,
            millrace.now(), f.upstream_org, f.upstream_repo, f.upstream_track, f.install_forward_port, f.rebase_onto,
            f.rebase_globs)
    on conflict on constraint fork_repo_key do nothing
    returning id
$$;

create or replace function forks.update_fork(f forks.fork)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update forks.fork k
       set (provider, origin_url, upstream_url, branches, enabled, queue, digest_group, upstream_org, upstream_repo,
            upstream_track, install_forward_port, rebase_onto, rebase_globs)
         = (f.provider, f.origin_url, f.upstream_url, f.branches, f.enabled, f.queue, f.digest_group, f.upstream_org,
            f.upstream_repo, f.upstream_track, f.install_forward_port, f.rebase_onto, f.rebase_globs)
     where k.repo = f.repo
$$;

create or replace function forks.change_fork(repo text, changes jsonb)
returns jsonb  -- what has changed: {"branches": {"from": …, "to": …}}
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    old forks.fork;
    new forks.fork;
    changed jsonb;
begin
    perform forks.check_keys('change_fork', 'changes', changes, array_remove(forks.fork_keys(), 'repo'));
    select f.* into old from forks.fork f where f.repo = change_fork.repo for no key update;
    if not found then
        perform forks.raise_unknown_fork(repo);
    end if;
    begin
        new := jsonb_populate_record(old, changes);
    exception when data_exception then
        raise exception using errcode = 'MR005', message = format('change_fork: bad changes: %s', sqlerrm),
            hint = 'Lists as JSON arrays, the rest as text or booleans: ''{"branches": ["16.0", "17.0"]}''.';
    end;
    perform forks.check_fork('change_fork', new);
    changed := forks.changed(to_jsonb(old), to_jsonb(new));
    if changed <> '{}' then
        perform forks.update_fork(new);
        perform millrace.audit('forks.change_fork', jsonb_build_object('repo', repo, 'changed', changed), 1);
    end if;
    return changed;
end
$$;

create or replace function forks.fork_keys()
returns text[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select '{repo,branches,provider,origin_url,upstream_url,queue,digest_group,enabled,upstream_org,upstream_repo,
             upstream_track,install_forward_port,rebase_onto,rebase_globs}'::text[]
$$;

-- What two versions of a row differ in.
create or replace function forks.changed(old jsonb, new jsonb)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_object_agg(n.key, jsonb_build_object('from', old -> n.key, 'to', n.value)), '{}')
      from jsonb_each(new) n
     where n.value is distinct from coalesce(old -> n.key, 'null')
$$;

-- An object, with no other keys than these. `named` is what the caller calls it.
create or replace function forks.check_keys(caller text, named text, object jsonb, known text[])
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    stranger text;
begin
    if object is null or jsonb_typeof(object) <> 'object' then
        raise exception using errcode = 'MR005', message = format('%s: bad %s', caller, named),
            hint = format('Allowed for %s: a JSON object with the keys %s.', named, array_to_string(known, ', '));
    end if;
    select k into stranger from jsonb_object_keys(object) k where k <> all (known) order by k limit 1;
    if found then
        raise exception using errcode = 'MR005',
            message = format('%s: bad %s: no key %L', caller, named, left(stranger, 100)),
            hint = format('Allowed for %s: the keys %s.', named, array_to_string(known, ', '));
    end if;
end
$$;

create or replace function forks.set_enabled(repo text, enabled boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update forks.fork f set enabled = set_enabled.enabled where f.repo = set_enabled.repo;
    if not found then
        perform forks.raise_unknown_fork(repo);
    end if;
    perform millrace.audit(case when enabled then 'forks.enable_fork' else 'forks.disable_fork' end,
                           jsonb_build_object('repo', repo), 1);
end
$$;

create or replace function forks.enable_fork(repo text)
returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select forks.set_enabled(repo, true) $$;

-- Its jobs that wait already will record `skipped`.
create or replace function forks.disable_fork(repo text)
returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ select forks.set_enabled(repo, false) $$;

create or replace function forks.raise_unknown_fork(repo text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'MR020', message = format('unknown fork %L', left(repo, 200)),
        hint = 'Add it with select forks.add_fork(…), or correct the name: the view forks.registry lists them.';
end
$$;

set local client_min_messages = warning;
drop view if exists forks.registry;
reset client_min_messages;

create view forks.registry as
select f.repo, f.provider, f.origin_url, f.upstream_url, f.branches, f.enabled, f.queue, f.digest_group, f.created_at,
       f.upstream_org, f.upstream_repo, f.upstream_track, f.install_forward_port, f.rebase_onto, f.rebase_globs
  from forks.fork f;
