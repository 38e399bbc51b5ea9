-- Which requests before it a head holds, so that no verdict is told of a commit that a rewrite of history has dropped.

set local role millrace_owner;

alter table pipeline.request
    add column holds bigint[];  -- numbers of requests that are in its history after its base; null: nobody has asked
