// graphile-worker. Tuned: the configuration of its performance page (worker.graphile.org/docs/performance).
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const connectionString = `postgres:///${process.env.PGDATABASE}`;  // PGHOST and its like say the rest
const logger = new Logger(() => () => {});
const TUNED = { concurrentJobs: 24, maxPoolSize: 25, localQueue: { size: 500 }, completeJobBatchDelay: 0,
                failJobBatchDelay: 0 };

export async function open(settings, role) {
    const own = settings.tuned ? { ...TUNED } : {};
    if (settings.concurrency) own.concurrentJobs = Number(settings.concurrency);
    if (role === "enqueue") own.maxPoolSize = Number(settings.clients);
    const preset = { worker: { connectionString, ...own } };
    const utils = role === "work" ? null : await makeWorkerUtils({ preset, logger });
    let runner;
    return {
        setup: () => utils.migrate(),
        one: (payload) => utils.addJob("noop", payload),
        many: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: "noop", payload }))),
        work: async (handle) => {
            const taskList = { noop: (payload) => handle(payload) };
            runner = await run({ preset, logger, noHandleSignals: true, taskList });
        },
        close: async () => { await runner?.stop(); await utils?.release(); },
    };
}
