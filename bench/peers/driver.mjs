// Drives one peer in a process of its own, as bench/driver does with statements.
//
//     node driver.mjs PEER setup
//     node driver.mjs PEER fill jobs=N payload=JSON
//     node driver.mjs PEER work [concurrency=N] [ms=N]
//         prints `ready`, waits for a line on its standard input and works until that ends. Prints `first EPOCH_MS`,
//         `count N EPOCH_MS` of handlers that have ended, and for jobs with a time `sent` in their payload each second
//         `waits EPOCH_MS MS…`: from the call that enqueued them to the beginning of the handler
//     node driver.mjs PEER enqueue clients=N jobs=N batch=N payload=JSON       prints one line of JSON
//     node driver.mjs PEER pace rate=N seconds=N single=0|1
//         so many jobs a second, in calls of 20 ms' worth, or one by one
//
// A peer's module exports open(settings): { setup, one, many, work, close }; `settings.tuned` chooses between the peer
// as it is installed and what its own documentation recommends for speed.
import readline from "node:readline";
import { performance } from "node:perf_hooks";

const REPORT_MS = 20;
const FILL_BATCH = 1000;
const PACE_MS = 20;
const [name, role, ...words] = process.argv.slice(2);
const settings = Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf("=")),
                                                         word.slice(word.indexOf("=") + 1)]));
const now = () => performance.timeOrigin + performance.now();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const say = (line) => process.stdout.write(line + "\n");

async function work(peer) {
    const input = readline.createInterface({ input: process.stdin });
    const ended = new Promise((done) => input.once("close", done));
    say("ready");
    await new Promise((done) => input.once("line", done));
    const ms = Number(settings.ms ?? 0);
    let count = 0, said = 0, waits = [], lastWaits = now();
    const tell = () => {
        if (count !== said) say(`count ${said = count} ${now()}`);
        if (waits.length > 0 && now() - lastWaits > 1000) {
            say(`waits ${now()} ${waits.join(" ")}`);
            [waits, lastWaits] = [[], now()];
        }
    };
    const reporter = setInterval(tell, REPORT_MS);
    await peer.work(async (payload) => {
        if (count === 0) say(`first ${now()}`);
        if (payload.sent) waits.push((now() - payload.sent).toFixed(3));
        if (ms > 0) await pause(ms);
        count += 1;
    });
    await ended;
    clearInterval(reporter);
    lastWaits = 0;
    tell();
}

function percentile(sorted, share) {
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

async function enqueue(peer) {
    const [clients, jobs, batch] = [settings.clients, settings.jobs, settings.batch].map(Number);
    const payload = JSON.parse(settings.payload);
    const payloads = Array(batch).fill(payload);
    const calls = Math.floor(jobs / batch / clients);
    const times = [];
    await Promise.all(Array.from({ length: clients }, () => peer.one(payload)));  // the connections are there
    const began = now();
    await Promise.all(Array.from({ length: clients }, async () => {
        for (let turn = 0; turn < calls; ++turn) {
            const start = now();
            await (batch > 1 ? peer.many(payloads) : peer.one(payload));
            times.push(now() - start);
        }
    }));
    const seconds = (now() - began) / 1000;
    times.sort((one, other) => one - other);
    say(JSON.stringify({ jobs: times.length * batch, seconds, p50: percentile(times, 0.5), p95: percentile(times, 0.95),
                         p99: percentile(times, 0.99), max: times.at(-1) }));
}

async function pace(peer) {
    const [rate, seconds] = [settings.rate, settings.seconds].map(Number);
    const single = settings.single === "1";
    const began = now();
    const total = Math.floor(rate * seconds);
    for (let sent = 0; sent < total;) {
        const due = Math.min(total, Math.floor(rate * (now() - began) / 1000) + 1) - sent;
        for (let left = due; left > 0;) {
            const amount = single ? 1 : Math.min(left, FILL_BATCH);
            const payloads = Array.from({ length: amount }, () => ({ sent: now() }));
            await (single ? peer.one(payloads[0]) : peer.many(payloads));
            left -= amount;
            sent += amount;
        }
        const elapsed = now() - began;
        const next = single ? 1000 * sent / rate : PACE_MS * (Math.floor(elapsed / PACE_MS) + 1);
        await pause(Math.max(0, next - elapsed));
    }
}

async function fill(peer) {
    const payload = JSON.parse(settings.payload);
    for (let left = Number(settings.jobs); left > 0; left -= FILL_BATCH) {
        await peer.many(Array(Math.min(left, FILL_BATCH)).fill(payload));
    }
}

const { open } = await import(`./${name.replace(/-tuned$/, "")}.mjs`);
settings.tuned = name.endsWith("-tuned");
const peer = await open(settings, role);
await { setup: () => peer.setup(), work, enqueue, pace, fill }[role](peer);
await Promise.race([peer.close(), pause(5000)]);
process.exit(0);
