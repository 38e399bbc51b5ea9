-- When a commit was made, so that the age of the last green can be told, and how long a break went undetected.

set local role millrace_owner;

alter table pipeline.request
    add column committed_at timestamptz;  -- by the clock of whoever made the commit; null: nobody has asked

-- It gets one more argument.
set local client_min_messages = warning;  -- a new installation has nothing to drop
drop function if exists pipeline.update_request(text, bigint, text, text, text, bigint, bigint);
reset client_min_messages;
