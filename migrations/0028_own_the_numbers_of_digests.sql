-- The sequence of digests belongs to the column that it numbers, as an identity's does: adopt() finds them all alike.

set local role millrace_owner;

alter sequence notify.digest_id owned by notify.digest.id;
