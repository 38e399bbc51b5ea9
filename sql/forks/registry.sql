-- registry, add_fork, enable_fork, disable_fork: which forks are kept up to date, and from where.
--
-- Arguments  repo          org/name, as people call it
--            origin_url    where the fork is fetched from and pushed to; null for the provider github
--            upstream_url  where the news come from; null for the provider github
--            branches      1 … 100 names, those of the fork and of its upstream alike
--            provider      git: any remote; github: GitHub's own interface
--            queue         of its jobs; it must exist
--            digest_group  whose digest tells of it
-- Locks      the fork's row.
-- Raises     MR003 unknown_queue, MR005 bad_argument, MR020 unknown_fork, MR021 fork_exists.
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
    remote constant text := 'https, ssh or git://host/path without credentials, file:///path or /path;'
        ' required by the provider git';
    wrong text;
    added int;
begin
    wrong := case
        when repo is null or repo !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}/[A-Za-z0-9_.-]{1,100}$' or repo ~ '/[.]{1,2}$'
            then 'repo: org/name, each of A-Z, a-z, 0-9, "_", "." and "-"'
        when provider is null or provider not in ('git', 'github') then 'provider: git or github'
        when provider = 'git' and not forks.is_remote(origin_url) then 'origin_url: ' || remote
        when provider = 'git' and not forks.is_remote(upstream_url) then 'upstream_url: ' || remote
        when provider = 'github' and num_nonnulls(origin_url, upstream_url) > 0
            then 'origin_url: null, and upstream_url too; the provider github finds them by the name'
        when branches is null or array_ndims(branches) is distinct from 1 or cardinality(branches) > 100
          or exists (select from unnest(branches) b where not forks.is_branch(b))
          or (select count(distinct b) from unnest(branches) b) < cardinality(branches)
            then 'branches: 1 to 100 different names of branches, up to 200 bytes each'
        when digest_group is null or digest_group !~ '^[a-z0-9][a-z0-9_.-]{0,47}$'
            then 'digest_group: 1 to 48 of a-z, 0-9, "_", "." and "-", beginning with a letter or digit'
    end;
    if wrong is not null then
        raise exception using errcode = 'MR005', message = 'add_fork: bad ' || split_part(wrong, ':', 1),
            hint = 'Allowed for ' || wrong || '.';
    end if;
    perform millrace.queue_id(queue);

    insert into forks.fork as f (repo, provider, origin_url, upstream_url, branches, enabled, queue, digest_group,
                                 created_at)
    values (add_fork.repo, add_fork.provider, add_fork.origin_url, add_fork.upstream_url, add_fork.branches, true,
            add_fork.queue, add_fork.digest_group, millrace.now())
    on conflict on constraint fork_repo_key do nothing
    returning f.id into added;
    if added is null then
        raise exception using errcode = 'MR021', message = format('fork %L exists', repo),
            hint = 'Use it as it is, or enable it: select forks.enable_fork(repo).';
    end if;
    perform millrace.audit('forks.add_fork', jsonb_build_object('repo', repo), 1);
    return added;
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
select f.repo, f.provider, f.origin_url, f.upstream_url, f.branches, f.enabled, f.queue, f.digest_group, f.created_at
  from forks.fork f;
