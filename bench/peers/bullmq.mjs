// BullMQ, on the Redis of BENCH_REDIS (a socket). Tuned: a concurrency as in its documentation of workers.
import { Queue, Worker } from "bullmq";

const connection = { path: process.env.BENCH_REDIS, maxRetriesPerRequest: null };

export async function open(settings, role) {
    const clients = Array.from({ length: role === "enqueue" ? Number(settings.clients) : 1 },
                               () => new Queue("work", { connection }));
    let turn = 0, worker;
    const client = () => clients[turn++ % clients.length];
    const concurrency = Number(settings.concurrency ?? (settings.tuned ? 100 : 1));
    return {
        setup: () => client().waitUntilReady(),
        one: (data) => client().add("noop", data),
        many: (payloads) => client().addBulk(payloads.map((data) => ({ name: "noop", data }))),
        work: async (handle) => {
            worker = new Worker("work", (job) => handle(job.data), { connection, concurrency });
            worker.on("error", (error) => { throw error; });
            await worker.waitUntilReady();
        },
        close: async () => { await worker?.close(); await Promise.all(clients.map((one) => one.close())); },
    };
}
