#!/usr/bin/env node
// A real SMTP server that remembers what it was sent and misbehaves on request. For tests and the demo.
//
//     server.mjs [--security starttls|tls|none] [--user NAME --password WORD] [--auth METHOD] [--port N]
//                [--http-port N] [--out FILE] [--until-stdin-closes]
//                [--discard] [--certificate-name HOST] [--expired] [--newest-tls VERSION]
//
// Listens on 127.0.0.1, on free ports unless told. When ready it prints one line of JSON on standard output:
// {"port", "http_port", "ca_file"}; ca_file holds the certificate it made for itself, absent without TLS.
// --auth offers this way alone: PLAIN, LOGIN, CRAM-MD5 or XOAUTH2, whose token is the password. The last three are for
// clients that should refuse it. --discard reads no message and keeps none.
//
// Accepted messages are kept parsed and in order of arrival. --out also appends each to FILE as a line of JSON,
// on disk before the client reads 250, so that whatever a client believes delivered is in the file.
//
//     GET    /messages   all of them        DELETE /messages   forget them
//     PUT    /script     an array of faults, replacing the last script (faults.mjs)
//     GET    /script     what is left of it

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Faults } from './faults.mjs';

const require = createRequire(new URL('../npm/package.json', import.meta.url));
const { SMTPServer } = require('smtp-server');
const { simpleParser } = require('mailparser');

const { values: options } = parseArgs({
    options: {
        security: { type: 'string', default: 'starttls' },
        user: { type: 'string' },
        password: { type: 'string' },
        auth: { type: 'string' },
        discard: { type: 'boolean', default: false },
        'certificate-name': { type: 'string', default: 'localhost' },
        expired: { type: 'boolean', default: false },
        'newest-tls': { type: 'string' },
        port: { type: 'string', default: '0' },
        'http-port': { type: 'string', default: '0' },
        out: { type: 'string' },
        'until-stdin-closes': { type: 'boolean', default: false },
    },
});

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'millrace-smtp-'));
const out = options.out === undefined ? undefined : fs.openSync(options.out, 'a');
const faults = new Faults();
let messages = [];

function make_certificate() {
    const key = path.join(scratch, 'key.pem');
    const certificate = path.join(scratch, 'certificate.pem');
    const name = options['certificate-name'];
    const names = name === 'localhost' ? 'DNS:localhost,IP:127.0.0.1' : `DNS:${name}`;
    execFileSync('openssl', [
        'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`,
        '-keyout', key, '-out', certificate,
    ], { stdio: ['ignore', 'ignore', 'pipe'] });
    if (options.expired) {
        execFileSync('openssl', ['x509', '-in', certificate, '-signkey', key, '-days', '-1', '-out', certificate],
                     { stdio: ['ignore', 'ignore', 'pipe'] });
    }
    return { key: fs.readFileSync(key), cert: fs.readFileSync(certificate), ca_file: certificate };
}

// What a client proved, in whichever way: the password itself, its answer to a challenge, or a token.
function is_known(auth) {
    if (auth.username !== options.user) return false;
    if (auth.method === 'XOAUTH2') return auth.accessToken === options.password;
    return auth.method === 'CRAM-MD5' ? auth.validatePassword(options.password) : auth.password === options.password;
}

async function read_message(chunks, session) {
    const raw = Buffer.concat(chunks);
    const mail = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true });
    const mailboxes = (field) => (field?.value ?? []).map(({ address, name }) => ({ address, name }));
    return {
        from: mailboxes(mail.from),
        to: mailboxes(mail.to),
        replyTo: mailboxes(mail.replyTo),
        subject: mail.subject ?? '',
        text: mail.text ?? '',
        html: mail.html || '',
        attachments: mail.attachments.map(({ filename, contentType, contentDisposition, content }) => (
            { name: filename ?? '', type: contentType, disposition: contentDisposition, content: content.toString('base64') })),
        messageId: mail.messageId ?? '',
        date: mail.date?.toISOString() ?? '',
        headers: mail.headerLines.map(({ line }) => line),
        raw: raw.toString('latin1'),
        envelope: {
            from: session.envelope.mailFrom.address,
            to: session.envelope.rcptTo.map(({ address }) => address),
        },
        helo: session.hostNameAppearsAs,
        secure: session.secure,
        user: session.user ?? '',
        tls: session.tlsOptions?.version ?? '',
        connection: session.id,
    };
}

function remember(message) {
    messages.push(message);
    if (out !== undefined) {
        fs.writeSync(out, JSON.stringify(message) + '\n');
        fs.fdatasyncSync(out);
    }
}

const certificate = options.security === 'none' ? {} : make_certificate();

const smtp = new SMTPServer({
    banner: 'millrace test server',
    secure: options.security === 'tls',
    hideSTARTTLS: options.security === 'none',
    disabledCommands: options.user === undefined ? ['AUTH'] : [],
    authOptional: options.user === undefined,
    allowInsecureAuth: options.security === 'none',
    authMethods: options.auth === undefined ? ['PLAIN', 'LOGIN'] : [options.auth],
    ...(options['newest-tls'] === undefined ? {} : { minVersion: 'TLSv1', maxVersion: options['newest-tls'],
                                                     ciphers: 'DEFAULT@SECLEVEL=0' }),
    disableReverseLookup: true,
    closeTimeout: 100,
    key: certificate.key,
    cert: certificate.cert,

    onConnect(session, done) {
        if (faults.withholds_starttls()) session.disabledCommands = [...smtp.options.disabledCommands, 'STARTTLS'];
        faults.meet('connect', smtp, session, done);
    },
    onSecure: (socket, session, done) => faults.meet('tls', smtp, session, done),
    onAuth(auth, session, done) {
        faults.meet('auth', smtp, session, (refusal) => {
            if (refusal) return done(refusal);
            if (is_known(auth)) return done(null, { user: auth.username });
            done(Object.assign(new Error('5.7.8 authentication credentials invalid'), { responseCode: 535 }));
        });
    },
    onMailFrom: (address, session, done) => faults.meet('mail', smtp, session, done),
    onRcptTo: (address, session, done) => faults.meet('rcpt', smtp, session, done),
    async onData(stream, session, done) {
        const chunks = [];
        try {
            for await (const chunk of stream) {
                if (chunks.push(chunk) === 1) await new Promise((met) => faults.meet('message', smtp, session, met));
            }
        } catch {
            return;  // the client has hung up in the middle of it
        }
        if (options.discard) return done(null, '2.0.0 thrown away');
        const message = await read_message(chunks, session);
        // A message whose reply is then lost was accepted all the same: that is what makes it ambiguous.
        if (!faults.refuses('data')) remember(message);
        faults.meet('data', smtp, session, (refusal) => done(refusal, `2.0.0 accepted as ${messages.length}`));
    },
});
smtp.on('error', () => {});  // clients that hang up; every client here is under test

const control = http.createServer(async (request, response) => {
    const answer = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    switch (`${request.method} ${request.url}`) {
        case 'GET /messages': return answer(200, JSON.stringify(messages));
        case 'DELETE /messages': messages = []; return answer(200, '[]');
        case 'GET /script': return answer(200, JSON.stringify(faults.left()));
        case 'PUT /script': {
            const chunks = await request.toArray();
            try { faults.replace(JSON.parse(Buffer.concat(chunks).toString())); }
            catch (error) { return answer(400, JSON.stringify({ error: error.message })); }
            return answer(200, '[]');
        }
        default: return answer(404, JSON.stringify({ error: `no ${request.method} ${request.url}` }));
    }
});

const listening = (server, port) => new Promise((ready, failed) => {
    (server.server ?? server).once('error', failed);
    server.listen(Number(port), '127.0.0.1', () => ready((server.server ?? server).address().port));
});

process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
if (options['until-stdin-closes']) process.stdin.on('end', () => process.exit(0)).resume();

const port = await listening(smtp, options.port);
const http_port = await listening(control, options['http-port']);
console.log(JSON.stringify({ port, http_port, ca_file: certificate.ca_file }));
