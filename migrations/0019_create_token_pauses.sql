-- Forks of the provider github: what they record, and until when a token is to rest.

set local role millrace_owner;
set local client_min_messages = warning;  -- a new installation has nothing to drop

-- GitHub says that it has updated a branch, and not from which commit to which.
alter table forks.sync_result drop constraint sync_result_updated_has_commits;

-- Until when a forge does not want to hear of a token.
create table forks.token_pause (
    token text primary key,  -- what it is called, nothing of itself
    until timestamptz not null
);

-- Its successor has one more column.
drop function if exists forks.sync_target(text, text, bigint);
