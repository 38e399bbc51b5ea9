/* lease: what claim, heartbeat, reap, settle, close and the crash of either side do to one another.
 *
 * Any number of things may lie between two steps of one process; a lease runs out whenever the model likes. A worker
 * is no better than it must be: it settles whatever fence it was ever given, however late.
 *
 * What is left out: priorities, payloads, batches (one job per claim), snoozed and released outcomes (to the lease they
 * are a failure that is not counted), replay. Random bits of a fence do not repeat within a session.
 *
 * Step      of the model           in sql/queue           in worker/
 * Step      worker: open           open_session           engine/heartbeat.cpp Heartbeat::open_session
 * Step      worker: claim          claim                  engine/claimer.cpp Claimer::claim
 * Step      worker: close          close_session          engine/heartbeat.cpp Heartbeat::close_retired
 * Step      worker: retire         -                      engine/heartbeat.cpp Heartbeat::retire
 * Step      heartbeat              heartbeat              engine/heartbeat.cpp Heartbeat::beat
 * Step      attempt: settle        settle_many            engine/completer.cpp Completer::settle
 * Step      attempt: repeat        settled_as             engine/reconnecting.hpp Reconnecting::repeat
 * Step      attempt: effects       complete               engine/executor.cpp Executor::run_in_transaction
 * Step      attempt: doubt         assert_lease           engine/executor.cpp Executor::resolve_doubt
 * Step      reaper                 reap                   engine/maintenance.cpp Maintenance::reap
 * Step      reaper: take_back      take_back              -
 * Step      promoter               promote                engine/maintenance.cpp Maintenance::promote
 * Step      operator               cancel                 -
 *
 * Promise   not_in_exactly_one_table           a job is in ready, scheduled, running, finished or dead_letter
 * Promise   stale_fence_settles                a settle counts only for the claim that holds the job
 * Promise   two_settles                        one attempt at most is told that its outcome is the job's last
 * Promise   acknowledged_settle_is_lost        what a worker was told is settled stays so, whatever crashes
 * Promise   settled_but_told_lost              no attempt whose outcome counts is told that it does not
 * Promise   left_under_a_cleared_session       no job is running under a session that nobody looks at any more
 * Promise   renewed_lease_is_reaped            a session whose heartbeat was accepted is not ended by reap before it
 *                                              has run out again
 * Promise   completed_without_effects          of a transactional handler: completed means that its effects are there
 * Promise   effects_twice                      and only once
 * Promise   every_job_is_settled               each job ends, when misfortunes do (weak fairness)
 *
 * Proof     the server crashes once, and one worker is in trouble   -DLOSSES=0
 * Proof     an answer is lost, and two workers are in trouble       -DCRASHES=0 -DTROUBLES=2
 * Proof     the server crashes, and an answer is lost               -DTROUBLES=0
 * Proof     two jobs, an answer is lost, and one worker is in trouble  -DJOBS=2 -DCRASHES=0 -DSESSIONS=2 -DLIFE=1
 * Proof     effects in the settling transaction, an answer is lost  -DTRANSACTIONAL -DCRASHES=0
 * Proof     effects in the settling transaction, the server crashes  -DTRANSACTIONAL -DTROUBLES=0
 * Proof     every_job_is_settled, after a worker in trouble         -DLIVENESS -DCRASHES=0 -DLOSSES=0 -DSESSIONS=2
 * Proof     every_job_is_settled, after a lost answer               -DLIVENESS -DCRASHES=0 -DTROUBLES=0
 * Proof     every_job_is_settled, after a crash of the server       -DLIVENESS -DLOSSES=0 -DTROUBLES=0 -DSESSIONS=2
 *
 * Broken    SETTLE_WITHOUT_FENCE               stale_fence_settles  -DCRASHES=0 -DLOSSES=0
 *           the holder is not looked at, only whether the job is running
 * Broken    FENCE_FROM_A_SEQUENCE              stale_fence_settles  -DLOSSES=0 -DTROUBLES=0
 *           a crash that loses the claim rewinds the sequence too
 * Broken    FENCE_IS_THE_SESSION               stale_fence_settles  -DLOSSES=0 -DTROUBLES=0
 *           without random bits, a lost claim and the next one of that session look the same
 * Broken    SESSION_OPENED_ASYNCHRONOUSLY      stale_fence_settles  -DLOSSES=0 -DTROUBLES=0
 *           its id is given to another worker after a crash
 * Broken    SETTLE_ASYNCHRONOUSLY              acknowledged_settle_is_lost  -DLOSSES=0 -DTROUBLES=0
 *           the answer is out before the settle is on disk
 * Broken    ACKNOWLEDGED_BEFORE_COMMIT         acknowledged_settle_is_lost  -DLOSSES=0 -DTROUBLES=0
 *           the completer counts what it has only sent
 * Broken    REMEMBERED_WITHOUT_FENCE           two_settles  -DCRASHES=0 -DLOSSES=0
 *           whoever asks about a finished job is told that it was he
 * Broken    NOT_REMEMBERED                     settled_but_told_lost  -DCRASHES=0 -DTROUBLES=0
 *           a settle that is repeated finds no row and nothing else
 * Broken    CLAIM_WITHOUT_SESSION_LOCK         left_under_a_cleared_session  -DCRASHES=0 -DLOSSES=0
 *           the session may be ended between the look at it and the claim's commit
 * Broken    CLOSE_WITHOUT_SESSION_LOCK         left_under_a_cleared_session  -DCRASHES=0 -DLOSSES=0
 *           the same, from the side of close_session
 * Broken    REAP_WITHOUT_SESSION_LOCK          left_under_a_cleared_session  -DCRASHES=0 -DLOSSES=0
 *           the same, from the side of reap
 * Broken    REAP_CLEARS_AT_ONCE                left_under_a_cleared_session  -DCRASHES=0
 *           a row that was skipped because a settle held it is forgotten when that settle fails
 * Broken    HEARTBEAT_REVIVES                  left_under_a_cleared_session  -DCRASHES=0 -DLOSSES=0
 *           claims go on under a session that reap has done with
 * Broken    REAP_WITHOUT_RECHECK               renewed_lease_is_reaped  -DCRASHES=0 -DLOSSES=0
 *           a heartbeat may come between the look at the lease and the lock
 * Broken    CLAIM_WITHOUT_DELETE               not_in_exactly_one_table  -DCRASHES=0 -DLOSSES=0
 *           the row of ready stays
 * Broken    CANCEL_WITHOUT_THE_ROW             not_in_exactly_one_table  -DCRASHES=0 -DLOSSES=0
 *           it looks first and writes later, whoever has claimed the job meanwhile
 * Broken    EFFECTS_APART                      effects_twice              -DTRANSACTIONAL  -DCRASHES=0 -DLOSSES=0
 *           the effects are committed before the settle, which may be refused
 * Broken    DOUBT_SETTLED_AS_MEANT             completed_without_effects  -DTRANSACTIONAL  -DCRASHES=0 -DTROUBLES=0
 *           a commit in doubt is followed by a plain settle, although the effects may have been rolled back
 * Broken    LOST_CLAIM_NOT_RETIRED             every_job_is_settled       -DLIVENESS -DCRASHES=0 -DTROUBLES=0
 *           heartbeats keep jobs that nobody knows of
 * Broken    SETTLE_NOT_REPEATED                every_job_is_settled       -DLIVENESS -DCRASHES=0 -DTROUBLES=0
 *           heartbeats keep a job whose only settle did not arrive
 * Broken    ENDED_SESSIONS_NOT_REAPED          every_job_is_settled       -DLIVENESS -DCRASHES=0 -DSESSIONS=2
 *           what one call of reap had to leave is left for good
 */
#ifndef JOBS
#define JOBS 1
#endif
#ifndef SESSIONS
#define SESSIONS 3  /* the last one lives for ever, so that somebody does */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2  /* of which nobody knows yet what became of them */
#endif
#ifndef LIFE
#define LIFE 2      /* max_attempts */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef LOSSES
#define LOSSES 1    /* answers that do not arrive */
#endif
#ifndef TROUBLES
#define TROUBLES 1  /* leases that run out, workers that die or are drained */
#endif
#define WORKERS 2

#define READY 1
#define SCHEDULED 2
#define RUNNING 4
#define FINISHED 8
#define DEAD_LETTER 16
#define CANCELLED 32
#define COMPLETED 1
#define FAILED 2
#define bit_of(n) (1 << (n))

typedef Tables {
    byte table[JOBS] = READY;  /* which of them hold the job */
    byte used[JOBS];       /* attempts */
    byte fence[JOBS];      /* of the row of running, and its session */
    byte session[JOBS];
    byte holder[JOBS];     /* ghost: 1 + the attempt that the claim was for */
    byte finished_by[JOBS];            /* the fences that the rows remember */
    byte failed_by[JOBS * LIFE];
    byte effects[JOBS];    /* of the handler's own, in the same database */
    byte counted;          /* ghost: attempts whose outcome counts, while they do not know */
    byte ended;            /* sessions, as bits */
    byte cleared;
    byte next_session = 1;
    byte sequence
}
Tables db, disk;           /* what everybody sees, and what a crash leaves */

/* Locks, and what lives outside the database. */
byte claiming, ending;     /* sessions locked FOR KEY SHARE, FOR UPDATE */
byte settling;             /* rows of running that a settle has deleted and not committed */
byte leases;               /* sessions whose lease has not run out */
byte dead;                 /* sessions whose worker has died */
byte draining;             /* sessions that shall be closed */
byte retired;              /* sessions with a claim in doubt: closed when the jobs that are known are settled */
byte current[WORKERS];
byte fence_of[ATTEMPTS], job_of[ATTEMPTS], session_of[ATTEMPTS];  /* no fence: free for the next claim */
bit lags;                  /* the disk, behind what everybody sees */
byte epoch;                /* crashes */
byte losses, troubles;
bit told[JOBS];            /* an attempt heard that the job ended by it */

bool not_in_exactly_one_table, stale_fence_settles, two_settles, acknowledged_settle_is_lost, settled_but_told_lost,
     left_under_a_cleared_session, renewed_lease_is_reaped, completed_without_effects, effects_twice;

#define must(holds, breach) if :: holds :: else -> breach = true; assert(!breach) fi

#define has(j, t) (db.table[j] == (t))
#define ends(t) ((t) == FINISHED || (t) == DEAD_LETTER || (t) == CANCELLED)

inline copy(from, to) {
    k = 0;
    do
    :: k < JOBS ->
        to.table[k] = from.table[k]; to.used[k] = from.used[k]; to.fence[k] = from.fence[k];
        to.session[k] = from.session[k]; to.holder[k] = from.holder[k]; to.finished_by[k] = from.finished_by[k];
        to.effects[k] = from.effects[k]; k++
    :: else -> break
    od;
    k = 0;
    do
    :: k < JOBS * LIFE -> to.failed_by[k] = from.failed_by[k]; k++
    :: else -> break
    od;
    k = 0;
    to.counted = from.counted; to.ended = from.ended; to.cleared = from.cleared;
    to.next_session = from.next_session; to.sequence = from.sequence
}

inline check_tables() {
    k = 0;
    do
    :: k < JOBS ->
        must(db.table[k] != 0 && (db.table[k] & (db.table[k] - 1)) == 0, not_in_exactly_one_table);
        must(!(db.table[k] & RUNNING) || !(db.cleared & bit_of(db.session[k])), left_under_a_cleared_session);
        must(db.effects[k] <= 1, effects_twice);
#ifdef TRANSACTIONAL
        must(!has(k, FINISHED) || db.effects[k] == 1, completed_without_effects);
#endif
        k++
    :: else -> break
    od;
    k = 0
}

/* A synchronous commit puts every commit before it on disk as well. */
inline commit_durably() { check_tables(); copy(db, disk); lags = 0 }
inline commit_asynchronously() { check_tables(); lags = 1 }

inline move(j, to) {
    db.table[j] = (db.table[j] & ~RUNNING & ~READY & ~SCHEDULED) | to;
    db.fence[j] = 0; db.session[j] = 0; db.holder[j] = 0
}

inline take_back(j) {
    if
    :: db.used[j] < LIFE -> move(j, READY)
    :: else -> move(j, DEAD_LETTER)
    fi
}

/* ------------------------------------------------------------------------------------------------------------- */

/* Of an ended session none of this matters any more; fewer states. */
inline forget(s) { leases = leases & ~bit_of(s); draining = draining & ~bit_of(s); retired = retired & ~bit_of(s) }

#define known(a, s) (fence_of[a] != 0 && session_of[a] == (s))
#if ATTEMPTS == 2
#define any_known(s) (known(0, s) || known(1, s))
#define has_room (fence_of[0] == 0 || fence_of[1] == 0)
#define free_attempt (fence_of[0] == 0 -> 0 : 1)
#define is_in_use(f) ((f) == fence_of[0] || (f) == fence_of[1])
#else
#define any_known(s) (known(0, s) || known(1, s) || known(2, s))
#define has_room (fence_of[0] == 0 || fence_of[1] == 0 || fence_of[2] == 0)
#define free_attempt (fence_of[0] == 0 -> 0 : (fence_of[1] == 0 -> 1 : 2))
#define is_in_use(f) ((f) == fence_of[0] || (f) == fence_of[1] || (f) == fence_of[2])
#endif
#define row_under(j, s) (has(j, RUNNING) && db.session[j] == (s))
#if JOBS == 2
#define is_claimable (has(0, READY) || has(1, READY))
#define pick_ready(j) if :: has(0, READY) -> j = 0 :: has(1, READY) && !has(0, READY) -> j = 1 :: else -> j = JOBS fi
#define waits_for_settle(s) ((row_under(0, s) && (settling & 1)) || (row_under(1, s) && (settling & 2)))
#else
#define is_claimable has(0, READY)
#define pick_ready(j) if :: has(0, READY) -> j = 0 :: else -> j = JOBS fi
#define waits_for_settle(s) (row_under(0, s) && (settling & 1))
#endif
#define me (_pid - WORKERS)
#ifdef HEARTBEAT_REVIVES
#define is_over(s) false
#else
#define is_over(s) (db.ended & bit_of(s))
#endif
#ifdef CLOSE_WITHOUT_SESSION_LOCK
#define is_claiming(s) false
#else
#define is_claiming(s) (claiming & bit_of(s))
#endif
#define beats(s) (s != 0 && !((leases | dead | ending) & bit_of(s)) && !is_over(s))
#define closes(s) (s != 0 && ((draining & bit_of(s)) || ((retired & bit_of(s)) && !any_known(s))) && \
                   !((dead | db.ended | ending) & bit_of(s)) && !is_claiming(s))

active [WORKERS] proctype worker() {
    byte s, nonce, seen, j, k;
    bit is_lost;        /* the claim's answer will not arrive */

end_without_session:
    atomic {
        db.next_session <= SESSIONS ->
        d_step {
            s = db.next_session; db.next_session++;             leases = leases | bit_of(s); current[_pid] = s;
#ifdef SESSION_OPENED_ASYNCHRONOUSLY
            commit_asynchronously()
#else
            commit_durably()
#endif
        }
    };

end_serving:
    atomic {
        if
        :: is_claimable && has_room && !((draining | retired | dead | db.ended | ending | claiming) & bit_of(s)) ->
#ifndef CLAIM_WITHOUT_SESSION_LOCK
            claiming = claiming | bit_of(s);
#endif
            seen = epoch;
            if
            :: true
            :: losses < LOSSES && s < SESSIONS ->
                losses++; is_lost = 1;
#ifndef LOST_CLAIM_NOT_RETIRED
                retired = retired | bit_of(s)
#endif
            fi
        :: ((dead | db.ended) & bit_of(s)) && !((claiming | ending) & bit_of(s)) && db.next_session <= SESSIONS ->
            current[_pid] = 0; goto end_without_session
        fi
    };

    d_step {
        if
        :: seen == epoch && has_room ->
            claiming = claiming & ~bit_of(s);
            pick_ready(j)
        :: seen == epoch && !has_room -> claiming = claiming & ~bit_of(s); j = JOBS
        :: else ->  /* the connection broke, with the server, and with it went the lock */
            j = JOBS;
            retired = retired | (s < SESSIONS -> bit_of(s) : 0)
        fi;
        if
        :: j < JOBS ->
#ifdef SESSION_OPENED_ASYNCHRONOUSLY
            nonce++;  /* no two of one worker's are alike; of another worker's fences it cannot know */
#else
            do  /* random bits: none that somebody could still show */
            :: is_in_use(s * 8 + nonce) -> nonce++
            :: else -> break
            od;
#endif
#ifdef FENCE_FROM_A_SEQUENCE
            db.sequence++;
#endif
#ifdef CLAIM_WITHOUT_DELETE
            db.table[j] = db.table[j] | RUNNING;
#else
            db.table[j] = (db.table[j] & ~READY) | RUNNING;
#endif
            db.used[j]++; db.session[j] = s;
#if defined(FENCE_FROM_A_SEQUENCE)
            db.fence[j] = db.sequence;
#elif defined(FENCE_IS_THE_SESSION)
            db.fence[j] = s * 8;
#else
            db.fence[j] = s * 8 + nonce;
#endif
            if
            :: is_lost || (dead & bit_of(s)) -> db.holder[j] = 0
            :: else ->
                j = (j << 4) + free_attempt;
                db.holder[j >> 4] = (j & 15) + 1;
                fence_of[j & 15] = db.fence[j >> 4]; job_of[j & 15] = j >> 4; session_of[j & 15] = s
            fi;
            commit_asynchronously()
        :: else
        fi;
#ifndef SESSION_OPENED_ASYNCHRONOUSLY
        nonce = 0;
#endif
        j = 0; is_lost = 0; seen = 0
    };
    goto end_serving
}

/* The thread that renews a worker's sessions, and closes those that are retired or drained. */
active [WORKERS] proctype heartbeat() {
    byte s, j, k, seen;
end:
    do
    :: d_step {
        beats(current[me]) ->
        s = current[me];
        leases = leases | bit_of(s);
        db.ended = db.ended & ~bit_of(s);
        commit_durably();
        s = 0 }
    :: atomic {
        closes(current[me]) -> s = current[me]; ending = ending | bit_of(s); seen = epoch };
        d_step {  /* settle_many in it waits for whoever has deleted a row of the session and not committed */
            seen != epoch || !waits_for_settle(s) ->
            if
            :: seen == epoch ->
                ending = ending & ~bit_of(s);
                j = 0;
                do
                :: j < JOBS ->
                    if
                    :: has(j, RUNNING) && db.session[j] == s -> db.used[j]--; move(j, READY)
                    :: else
                    fi;
                    j++
                :: else -> break
                od;
                db.ended = db.ended | bit_of(s); db.cleared = db.cleared | bit_of(s);
                forget(s);
                commit_durably()
            :: else  /* the connection broke; it is tried again */
            fi;
            s = 0; j = 0; seen = 0
        }
    od
}

#undef me
#define me (_pid - 2 * WORKERS)
#define job job_of[me]
#define is_held (has(job, RUNNING) && db.fence[job] == fence_of[me])
#define is_dead (dead & bit_of(session_of[me]))

/* The answer that the settle counts. */
inline hear_settled() {
    if
    :: ends(db.table[job]) && outcome == COMPLETED ->
        must(!told[job], two_settles);
        told[job] = 1
    :: else
    fi
}

inline settle_row() {
    must(db.holder[job] == me + 1, stale_fence_settles);
    db.counted = db.counted | bit_of(me);
    if
    :: outcome == COMPLETED -> db.finished_by[job] = fence_of[me]; move(job, FINISHED)
    :: else ->
        db.failed_by[job * LIFE + db.used[job] - 1] = fence_of[me];
        if
        :: db.used[job] < LIFE -> move(job, SCHEDULED)
        :: else -> move(job, DEAD_LETTER)
        fi
    fi
}

inline look_in_memory() {
    remembered = 0;
#if defined(NOT_REMEMBERED)
    skip;
#elif defined(REMEMBERED_WITHOUT_FENCE)
    remembered = (outcome == COMPLETED && has(job, FINISHED));
#else
    if
    :: outcome == COMPLETED -> remembered = (db.finished_by[job] == fence_of[me])
    :: else ->
        k = 0;
        do
        :: k < LIFE -> remembered = remembered || db.failed_by[job * LIFE + k] == fence_of[me]; k++
        :: else -> break
        od;
        k = 0
    fi;
#endif
    if
    :: remembered -> hear_settled()
    :: else -> must(!(db.counted & bit_of(me)), settled_but_told_lost)
    fi;
    remembered = 0
}

#if defined(TRANSACTIONAL) && !defined(EFFECTS_APART)
#define BRINGS_EFFECTS 1
#else
#define BRINGS_EFFECTS 0
#endif

active [ATTEMPTS] proctype attempt() {
    byte seen, outcome, k;
    bit remembered, brings_effects;

end_free:
#ifdef EFFECTS_APART
    atomic {
        fence_of[me] != 0 && outcome == 0 && !is_dead ->
        outcome = COMPLETED;
        d_step { db.effects[job]++; commit_durably() }
    };
#endif
end_settle:
    atomic {
        fence_of[me] != 0 && (is_dead || !(settling & bit_of(job))) ->
        if
        :: outcome == 0 -> outcome = COMPLETED; brings_effects = BRINGS_EFFECTS
        :: outcome == 0 -> outcome = FAILED
        :: outcome != 0
        fi;
        if
        :: is_dead -> goto gone
#ifdef SETTLE_WITHOUT_FENCE
        :: !is_dead && has(job, RUNNING) -> settling = settling | bit_of(job); seen = epoch
#else
        :: !is_dead && is_held -> settling = settling | bit_of(job); seen = epoch
#endif
        :: else ->
            /* no row is deleted: what a transaction has written besides goes back */
            if
            :: brings_effects -> goto gone
            :: else -> d_step { look_in_memory() }; goto gone
            fi
        fi
    };
#ifdef ACKNOWLEDGED_BEFORE_COMMIT
    d_step { if :: outcome == COMPLETED -> told[job] = 1 :: else fi };
#endif
    atomic {
        if
        :: seen != epoch  /* the server crashed, and with it went the lock */
        :: else ->
            settling = settling & ~bit_of(job);
            if
            :: d_step {
                settle_row();
                db.effects[job_of[me]] = db.effects[job_of[me]] + brings_effects;
#ifdef SETTLE_ASYNCHRONOUSLY
                commit_asynchronously()
#else
                commit_durably()
#endif
                };
                if
                :: is_dead -> goto gone
                :: !is_dead -> d_step { hear_settled() }; goto gone
                :: !is_dead && losses < LOSSES -> losses++
                fi
            :: losses < LOSSES -> losses++  /* it was rolled back */
            fi
        fi;
        seen = 0
    };
#ifdef SETTLE_NOT_REPEATED
    goto gone;
#endif
#if defined(TRANSACTIONAL) && !defined(DOUBT_SETTLED_AS_MEANT)
    /* Is the job still ours, the commit did not take place, and neither did the effects. */
    atomic {
        is_dead || !(settling & bit_of(job)) ->
        if
        :: !is_dead && brings_effects && is_held -> outcome = FAILED
        :: else
        fi;
        brings_effects = 0
    };
#else
    brings_effects = 0;
#endif
    goto end_settle;

gone:  /* nobody asks for this fence any more: what is remembered of it is dropped, there are fewer states so */
    atomic {
        d_step {
            db.counted = db.counted & ~bit_of(me); disk.counted = disk.counted & ~bit_of(me);
            db.finished_by[job] = (db.finished_by[job] == fence_of[me] -> 0 : db.finished_by[job]);
            disk.finished_by[job] = (disk.finished_by[job] == fence_of[me] -> 0 : disk.finished_by[job]);
            k = 0;
            do
            :: k < JOBS * LIFE ->
                db.failed_by[k] = (db.failed_by[k] == fence_of[me] -> 0 : db.failed_by[k]);
                disk.failed_by[k] = (disk.failed_by[k] == fence_of[me] -> 0 : disk.failed_by[k]);
                k++
            :: else -> break
            od;
            k = 0; outcome = 0; seen = 0; brings_effects = 0;
            fence_of[me] = 0; session_of[me] = 0; job_of[me] = 0
        };
        goto end_free
    }
}

#undef job
#undef me

#define lost_session(s) (!(db.cleared & bit_of(s)) && (s) < db.next_session && (ended_too(s) || !(leases & bit_of(s))))
#ifdef ENDED_SESSIONS_NOT_REAPED
#define ended_too(s) false
#define reapable(s) (lost_session(s) && !(db.ended & bit_of(s)))
#else
#define ended_too(s) (db.ended & bit_of(s))
#define reapable(s) lost_session(s)
#endif
#if SESSIONS > 2
#define any_reapable (reapable(1) || reapable(2) || reapable(3))
#else
#define any_reapable (reapable(1) || reapable(2))
#endif

#ifdef REAP_WITHOUT_SESSION_LOCK
#define is_locked(s) (ending & bit_of(s))
#else
#define is_locked(s) ((ending | claiming) & bit_of(s))
#endif
#ifdef REAP_WITHOUT_RECHECK
#define has_recovered(s) false
#else
#define has_recovered(s) (!reapable(s))
#endif

#ifdef REAP_CLEARS_AT_ONCE
#define clears_at_once true
#else
#define clears_at_once false
#endif
#define next_found (found & 2 -> 1 : (found & 4 -> 2 : (found & 8 -> 3 : 0)))

active proctype reaper() {
    byte s, j, k, seen, left, found;

end:
    do
    :: atomic {  /* the look at all sessions */
        found == 0 && any_reapable ->
        found = (reapable(1) -> 2 : 0) | (reapable(2) -> 4 : 0) | (SESSIONS > 2 && reapable(3) -> 8 : 0);
        seen = epoch }
    :: atomic {
        found != 0 ->
        s = next_found;
        if
        :: seen != epoch || is_locked(s) || has_recovered(s) -> found = found & ~bit_of(s); s = 0  /* skipped */
        :: else -> ending = ending | bit_of(s)
        fi };
        d_step {
            if
            :: s != 0 && seen == epoch ->
                ending = ending & ~bit_of(s);
                must((db.ended & bit_of(s)) || !(leases & bit_of(s)), renewed_lease_is_reaped);
                db.ended = db.ended | bit_of(s);
                forget(s);
                do
                :: j < JOBS ->
                    if
                    :: row_under(j, s) && (settling & bit_of(j)) -> left = 1
                    :: row_under(j, s) && !(settling & bit_of(j)) -> take_back(j)
                    :: else
                    fi;
                    j++
                :: else -> break
                od;
                if
                :: !left || clears_at_once -> db.cleared = db.cleared | bit_of(s)
                :: else
                fi;
                commit_durably()
            :: else
            fi;
            found = found & ~bit_of(s); s = 0; j = 0; left = 0;
            seen = (found -> seen : 0)
        }
    od
}

active proctype promoter() {
    byte j, k;
end:
    do
    :: atomic { has(0, SCHEDULED) -> d_step { move(0, READY); commit_durably() } }
#if JOBS == 2
    :: atomic { has(1, SCHEDULED) -> d_step { move(1, READY); commit_durably() } }
#endif
    od
}

/* Cancels a job that waits, or does not. */
active proctype operator() {
    byte k;
end_without_cancel:
    if
    :: d_step {
        has(0, READY) || has(0, SCHEDULED) ->
#ifdef CANCEL_WITHOUT_THE_ROW
        skip };
        d_step { db.table[0] = (db.table[0] & ~READY & ~SCHEDULED) | CANCELLED; commit_durably() }
#else
        move(0, CANCELLED); commit_durably() }
#endif
#ifdef LIVENESS
    :: true
#endif
    fi
}

/* Time passes: who cannot renew a lease loses it. */
active proctype clock() {
end:
    do
    :: atomic { (dead & leases & ~db.ended) != 0 -> leases = leases & ~(dead & ~db.ended) }
    od
}

#if JOBS == 2
#define jobs_end (ends(db.table[0]) && ends(db.table[1]))
#else
#define jobs_end ends(db.table[0])
#endif
#ifdef LIVENESS
ltl every_job_is_settled { <> [] jobs_end }

/* Fairness looks at endless runs only: one that comes to a halt must go on. */
active proctype time() { do :: true -> true od }
#endif

#define in_luck (troubles < TROUBLES)
#define mortal ((1 << SESSIONS) - 1)  /* all sessions but the last */
#define opened ((1 << db.next_session) - 2)

active proctype misfortune() {
    byte k;
end:
    do
    :: d_step {
        epoch < CRASHES ->
        copy(disk, db);
        claiming = 0; ending = 0; settling = 0; lags = 0;
        epoch++;
        k = 0;
        do
        :: k < JOBS -> must(!told[k] || ends(db.table[k]), acknowledged_settle_is_lost); k++
        :: else -> break
        od;
        k = 0 }
#define trouble(s) \
    :: d_step { (in_luck && (opened & mortal & leases & ~db.ended & bit_of(s))) -> \
        leases = leases & ~bit_of(s); troubles++ } \
    :: d_step { (in_luck && (opened & mortal & ~dead & ~db.ended & bit_of(s))) -> \
        dead = dead | bit_of(s); troubles++ } \
    :: d_step { (in_luck && (opened & mortal & ~draining & ~dead & ~db.ended & bit_of(s))) -> \
        draining = draining | bit_of(s); troubles++ }
    trouble(1)
    trouble(2)
    :: d_step { lags -> copy(db, disk); lags = 0 }  /* the log's writer was there */
#ifdef LIVENESS
    :: break  /* they end */
#endif
    od
}
