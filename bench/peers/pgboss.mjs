// pg-boss. Tuned: its options for a backlog (large batches, burst while they come back full) and for a short wait
// (LISTEN/NOTIFY, the shortest polling interval).
import { PgBoss } from "pg-boss";

const connectionString = `postgres:///${process.env.PGDATABASE}`;  // PGHOST and its like say the rest
const TUNED = { batchSize: 5000, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 };

export async function open(settings, role) {
    const boss = new PgBoss({ connectionString, useListenNotify: settings.tuned && role === "work",
                              ...(role === "enqueue" ? { max: Number(settings.clients) } : {}) });
    boss.on("error", (error) => { throw error; });
    await boss.start();
    const own = settings.tuned ? { ...TUNED } : {};
    // A batch is handled by one call and completed by one statement: a batch of as many is what runs at once.
    if (settings.concurrency) own.batchSize = Number(settings.concurrency);
    return {
        setup: () => boss.createQueue("work", { notify: settings.tuned }),
        one: (payload) => boss.send("work", payload),
        many: (payloads) => boss.insert("work", payloads.map((data) => ({ data }))),
        work: (handle) => boss.work("work", own, (jobs) => Promise.all(jobs.map((job) => handle(job.data)))),
        close: () => boss.stop({ graceful: true, timeout: 2000 }),
    };
}
