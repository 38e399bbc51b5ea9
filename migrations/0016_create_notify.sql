-- Notifications: which events there are, who wants to hear of them, what was said to whom, and what became of it.
--
--     event ─► email ─► pending ─► delivery        by the email's own job
--                 └───► collected ─► digest_member, pending ─► delivery        by the user's digest
--
-- Rows of event, email and delivery are written once; pending and collected are rows that are inserted and deleted, and
-- whoever deletes one has the right to go on with its email. Settings change when people change them.

create schema notify authorization millrace_owner;
comment on schema notify is 'millrace: what users hear by mail, and what they want to hear';

set local role millrace_owner;

grant usage on schema notify to millrace_enqueuer, millrace_worker, millrace_operator, millrace_viewer;

-- One row: what holds for all of them.
create table notify.house (
    singleton    boolean primary key default true check (singleton),
    digest_queue text not null default 'email',
    retention    interval not null default '90 days',
    looked_at    bigint not null default 0                 -- the email at which the next record_ends() begins
);
insert into notify.house default values;

create table notify.category (
    name   text primary key,
    sender text                                            -- address, or "Name <address>"; null: the worker's default
);

create table notify.event_type (
    code            text primary key,
    category        text not null references notify.category,
    description     text not null,
    priority        smallint not null,
    queue           text not null,                         -- of its jobs
    system_required boolean not null,
    default_enabled boolean not null,
    expires_after   interval                               -- null: it is worth sending however late
);

create table notify.template (
    event_type text not null references notify.event_type on delete cascade,
    locale     text not null,
    subject    text not null,
    body_text  text not null,
    body_html  text,
    changed_at timestamptz not null,
    primary key (event_type, locale)
);

create table notify.user_settings (
    username      text primary key,
    email         text,
    enabled       boolean not null default true,
    delivery_mode text not null default 'realtime' check (delivery_mode in ('realtime', 'digest')),
    digest_hour   smallint not null default 8 check (digest_hour between 0 and 23),
    time_zone     text not null default 'UTC',
    locale        text not null default 'en'
);
create index user_settings_email on notify.user_settings (lower(email));

create table notify.user_preference (
    username   text not null,
    event_type text not null references notify.event_type on delete cascade,
    enabled    boolean not null,
    primary key (username, event_type)
);

create table notify.suppression (
    address       text primary key,                        -- in lower case
    reason        text not null,
    suppressed_at timestamptz not null
);

-- Bounces that may have been for once.
create table notify.bounce (
    address    text not null,
    bounced_at timestamptz not null,
    reason     text not null
);
create index bounce_address on notify.bounce (address, bounced_at);

create table notify.event (
    id         bigint primary key generated always as identity,
    event_type text not null,
    emitted_at timestamptz not null,
    expires_at timestamptz,
    actor      text,
    subject    text,                                       -- null, with the bodies: erased
    body_text  text,
    body_html  text,
    data       jsonb,
    dedup_key  text,
    constraint event_dedup unique (event_type, dedup_key)
);
create index event_at on notify.event (emitted_at);
create index event_actor on notify.event (actor) where actor is not null;

create table notify.email (
    id         bigint primary key generated always as identity,
    event_id   bigint not null,
    event_type text not null,
    emitted_at timestamptz not null,
    username   text,                                       -- null, with the address: erased
    address    text,
    locale     text not null,
    job_id     bigint,                                     -- null: skipped at once, or for a digest
    skipped    text                                        -- why nothing was to be sent
);
create index email_username on notify.email (username, id);
create index email_event on notify.email (event_id);
create index email_type on notify.email (event_type, id);
create index email_at on notify.email (emitted_at, id);
create index email_skipped on notify.email (id) where skipped is not null;

-- Not yet delivered, and a job has it.
create table notify.pending (
    email_id   bigint primary key,
    job_id     bigint not null,
    emitted_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create index pending_job on notify.pending (job_id);

-- Waits for the user's next digest.
create table notify.collected (
    username text not null,
    email_id bigint not null,
    primary key (username, email_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 1);
create unique index collected_email on notify.collected (email_id);

create sequence notify.digest_id;

create table notify.digest (
    id       bigint primary key,
    username text,
    job_id   bigint not null
);
create index digest_username on notify.digest (username);
create unique index digest_job on notify.digest (job_id);

-- What a digest has taken on, once and for all.
create table notify.digest_member (
    digest_id bigint not null,
    email_id  bigint not null unique,
    primary key (digest_id, email_id)
);

create table notify.delivery (
    email_id      bigint primary key,
    job_id        bigint not null,
    outcome       text not null check (outcome in ('sent', 'skipped', 'failed', 'cancelled', 'expired')),
    recorded_at   timestamptz not null,
    reason        text,
    message_id    text,
    reply         text,                                    -- of the mail server
    redirected_to text                                     -- instead of the user's address
);
create index delivery_otherwise on notify.delivery (outcome, email_id) where outcome <> 'sent';
create index delivery_failed on notify.delivery (job_id) where outcome = 'failed';

-- Who hears of a queue's dead letters, and up to when they have been told of.
create table notify.queue_owner (
    queue       text primary key,
    username    text not null,
    told_before timestamptz not null,
    told_at     timestamptz
);

insert into notify.category (name) values ('change-lists'), ('queues'), ('digest');
insert into notify.event_type (code, category, description, priority, queue, system_required, default_enabled)
values ('cl.comment.created', 'change-lists', 'Somebody has commented on a change list of yours, or that you review', 5,
        'email', false, true),
       ('queue.dead_letter', 'queues', 'Jobs of a queue that you own have become dead letters', 4, 'email', false,
        true),
       ('notify.digest', 'digest', 'What has been collected for your digest', 5, 'email', false, true);
