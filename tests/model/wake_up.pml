/* wake_up: how a worker that sleeps hears of a job, though producers notify only while somebody says that he sleeps.
 *
 * A job is only `available`, a worker has one slot. The early re-claims (5 ms, doubling up to the poll interval) are
 * EARLY steps that may come at any time; the poll is a switch of its own, POLL. Without it a worker that has used up
 * its early re-claims sleeps until it is notified. One worker may get a job that never ends.
 *
 * What holds without the poll: no job waits for ever, whatever connections are lost, and though the worker that has
 * lowered the flag may never come back from its job, if a producer that saw the flag down commits before the last early
 * re-claim of whoever raised it since. That is needed: see LONG_TRANSACTION.
 * What holds with it: no job waits for ever, also without that, and if notifications of enqueue are lost; a lost
 * connection is tried with one producer only, whose job cannot wait for a worker that has another.
 *
 * Step      of the model           in sql/queue           in worker/
 * Step      producer: look         enqueue                -
 * Step      producer: commit       enqueue_many           -
 * Step      producer: poke         poke                   -
 * Step      notify_all             wake                   -
 * Step      claimer: claim         claim                  engine/claimer.cpp Claimer::claim
 * Step      claimer: raise         raise_signal           engine/claim_rhythm.cpp ClaimRhythm::after_nothing
 * Step      claimer: lower         lower_signal           engine/claim_rhythm.cpp ClaimRhythm::after_jobs
 * Step      claimer: sleep         -                      engine/claim_rhythm.cpp ClaimRhythm::sleep
 * Step      claimer: forget        -                      engine/claim_rhythm.cpp ClaimRhythm::forget
 * Step      wakener                -                      engine/wakener.cpp Wakener::listen
 * Step      bell                   -                      engine/bell.hpp ring
 *
 * Promise   job_waits_for_ever     when nothing can happen any more, no committed job is available
 * Promise   no_job_waits           at last no job is available (weak fairness)
 *
 * Proof     without the poll
 * Proof     without the poll, a connection lost              -DPRODUCERS=1 -DCUTS=2
 * Proof     no_job_waits, with the poll and lost notifications
 *           -DPOLL -DDROPS -DLONG_TRANSACTION
 * Proof     no_job_waits, with the poll and a lost connection
 *           -DPOLL -DDROPS -DLONG_TRANSACTION -DPRODUCERS=1 -DCUTS=1
 *
 * Broken    LONG_TRANSACTION               job_waits_for_ever  -DPRODUCERS=1
 *           without the poll: it looked before the flag was raised and commits after the last early re-claim
 * Broken    LOWERED_WITHOUT_SAYING_SO      job_waits_for_ever
 *           a sleeper that the lowering wakes finds nothing and sleeps on, its flag down
 * Broken    DROPS                          job_waits_for_ever  -DPRODUCERS=1
 *           without the poll: a notification is lost
 * Broken    NO_EARLY_RECLAIM               job_waits_for_ever  -DPRODUCERS=1
 *           one claim after the flag was raised may come before the commit of a producer that saw it down
 * Broken    NO_CLAIM_AFTER_RAISING         job_waits_for_ever  -DPRODUCERS=1
 *           nor is there that one
 * Broken    LOWERED_SILENTLY               job_waits_for_ever
 *           who sleeps is not told that nobody will wake him
 * Broken    NO_CLAIM_AFTER_LISTEN          job_waits_for_ever  -DPRODUCERS=1
 *           a job that was notified before LISTEN is not looked for after it
 * Broken    NO_CLAIM_AFTER_RECONNECT       job_waits_for_ever     -DCUTS=2 -DPRODUCERS=1
 *           nor one that was notified while the connection was lost
 * Broken    BELL_FORGETS                   job_waits_for_ever  -DPRODUCERS=1
 *           a ring while the claimer is on its way to sleep is lost
 * Broken    NOTIFIED_BEFORE_COMMIT         job_waits_for_ever  -DPRODUCERS=1
 *           the sleeper looks before there is a job
 * Broken    POKED_BEFORE_COMMIT            job_waits_for_ever  -DPRODUCERS=1
 *           so does whom an early poke wakes
 * Broken    POLLED_WITHOUT_A_CLAIM         no_job_waits           -DPOLL -DDROPS -DPRODUCERS=1
 *           the poll only looks whether it was notified
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef CUTS
#define CUTS 0      /* connections lost */
#endif
#ifdef NO_EARLY_RECLAIM
#define EARLY 0
#endif
#ifdef NO_CLAIM_AFTER_RAISING
#define EARLY 0
#endif
#ifndef EARLY
#define EARLY 1
#endif

byte available;             /* jobs, committed */
bit raised;                 /* the queue's flag */
byte unaware;               /* producers that saw it down and have not committed */
bit listens[WORKERS];
bit notified[WORKERS];      /* on its way */
bit told_lowered[WORKERS];  /* and that says that the flag is down */
bit bell[WORKERS];
bit asks_for_flag[WORKERS]; /* it rang for that */
bit sleeps[WORKERS];
byte cuts;
bit has_endless_job;
bool job_waits_for_ever;
#define must(holds, breach) if :: holds :: else -> breach = true; assert(!breach) fi

inline notify_all() {
    notified[0] = notified[0] | listens[0];
    notified[1] = notified[1] | listens[1]
}

inline ring(w) {
#ifdef BELL_FORGETS
    bell[w] = sleeps[w]
#else
    bell[w] = 1
#endif
}

inline ring_and_ask(w) {
    ring(w);
#ifndef LOWERED_WITHOUT_SAYING_SO
    asks_for_flag[w] = 1
#endif
}

/* One transaction with one job; the poke is one of its own. */
active [PRODUCERS] proctype producer() {
    bit wakes, saw_it_raised;

    atomic {  /* it notifies, or it pokes later */
        if
        :: wakes = 1; saw_it_raised = raised; unaware = unaware + !saw_it_raised
        :: wakes = 0
        fi
#ifdef NOTIFIED_BEFORE_COMMIT
        ; if
        :: wakes && saw_it_raised -> notify_all()
        :: else
        fi
#endif
#ifdef POKED_BEFORE_COMMIT
        ; if
        :: !wakes && raised -> notify_all()
        :: else
        fi
#endif
    };
    atomic {
        available++;
        if
        :: wakes ->
            unaware = unaware - !saw_it_raised;
            if
#ifndef NOTIFIED_BEFORE_COMMIT
            :: saw_it_raised -> notify_all()
#endif
#ifdef DROPS
            :: saw_it_raised
#endif
            :: else
            fi;
            goto done
        :: else
        fi
    };
#ifndef POKED_BEFORE_COMMIT
    atomic {
        if
        :: raised -> notify_all()
        :: else
        fi
    };
#endif
done:
    skip
}

#define w (_pid - PRODUCERS)

active [WORKERS] proctype claimer() {
    byte early;             /* re-claims since the last job */
    bit flag_is_up;         /* as far as it knows */
    bit is_ready_to_sleep;  /* the flag was raised, and a claim after it was empty */

claim:
    atomic {
        if
        :: cuts < CUTS -> cuts++; flag_is_up = 0; is_ready_to_sleep = 0; early = 0; goto claim
        :: available > 0 -> available--; is_ready_to_sleep = 0; early = 0; goto after_jobs
        :: available == 0 -> goto after_nothing
        fi
    };

after_jobs:
    atomic {
        if
        :: flag_is_up ->    /* it had jobs for long enough */
            flag_is_up = 0;
            if
#ifndef LOWERED_SILENTLY
            :: raised ->
                raised = 0;
                notify_all();
                told_lowered[0] = listens[0];
                told_lowered[1] = listens[1]
#else
            :: raised -> raised = 0
#endif
            :: else
            fi
        :: true
        fi
    };
    atomic {
        if
        :: true
        :: !has_endless_job -> has_endless_job = 1; goto end_with_an_endless_job
        fi
    };
    goto claim;

after_nothing:
    atomic {
        if
        :: is_ready_to_sleep -> goto sleep
        :: !is_ready_to_sleep -> is_ready_to_sleep = 1
        fi;
        raised = 1;
        flag_is_up = 1
    };
#ifdef NO_CLAIM_AFTER_RAISING
    goto sleep;
#endif
    goto claim;

#ifdef LONG_TRANSACTION
#define is_time true
#else
#define is_time (early + 1 < EARLY || unaware == 0)
#endif
sleep:
#ifdef BELL_FORGETS
    sleeps[w] = 1;
#endif
end_asleep:
    atomic {
        if
        :: bell[w] ->
            bell[w] = 0;
            if
            :: asks_for_flag[w] -> asks_for_flag[w] = 0; flag_is_up = 0; is_ready_to_sleep = 0; early = 0
            :: else
            fi
        :: early < EARLY && is_time -> early++
#ifdef POLLED_WITHOUT_A_CLAIM
        :: early == EARLY -> goto sleep
#elif defined(POLL)
        :: early == EARLY -> is_ready_to_sleep = 0  /* the sixth, which raises the flag anew */
        :: early == EARLY
#endif
        fi;
        sleeps[w] = 0
    };
    goto claim;

end_with_an_endless_job:
    false
}

#undef w
#define w (_pid - PRODUCERS - WORKERS)

active [WORKERS] proctype wakener() {
    bit has_listened;
listen:
    listens[w] = 1;
    atomic {
        if
#ifdef NO_CLAIM_AFTER_LISTEN
        :: !has_listened
#else
        :: !has_listened -> ring_and_ask(w)
#endif
#ifdef NO_CLAIM_AFTER_RECONNECT
        :: has_listened
#else
        :: has_listened -> ring_and_ask(w)
#endif
        fi;
        has_listened = 1
    };
end:
    do
    :: atomic {
        notified[w] -> notified[w] = 0;
        if
        :: told_lowered[w] -> told_lowered[w] = 0; ring_and_ask(w)
        :: else -> ring(w)
        fi
    }
    :: atomic { cuts < CUTS -> cuts++; listens[w] = 0; notified[w] = 0; told_lowered[w] = 0 }; goto listen
    od
}

#undef w

#ifdef POLL
ltl no_job_waits { <> [] (available == 0) }
#else
active proctype silence() {
    atomic { timeout -> must(available == 0, job_waits_for_ever) }
}
#endif
