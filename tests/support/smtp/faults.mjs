// What the test server is told to do wrong, and where.
//
// A script is an array of faults, each met `times` times (always, when absent), the first that applies first:
//
//     {"at": "connect" | "tls" | "auth" | "mail" | "rcpt" | "message" | "data", "reply": "451 4.3.0 try later", "times": 2}
//     {"at": …, "drop": true}     the connection is reset instead of a reply
//     {"at": …, "hold": true}     no reply, for as long as the client waits
//     {"at": …, "delay": 700}     all goes well, so many milliseconds later
//     {"at": "starttls"}          STARTTLS is not offered
//
// "tls" is the first command behind the handshake, and knows no reply. "message" is the first part of the message: a
// drop there means that it was not taken whole. "data" is its end: a refusal there means that it was not taken, a drop
// or a hold that it was.

const stages = ['connect', 'starttls', 'tls', 'auth', 'mail', 'rcpt', 'message', 'data'];

export class Faults {
    #script = [];

    replace(script) {
        for (const { at, reply } of script) {
            if (!stages.includes(at)) throw new Error(`at: "${at}" is none of ${stages.join(', ')}`);
            if (reply !== undefined && !/^[45]\d\d /.test(reply)) throw new Error(`reply: "${reply}" has no code`);
        }
        this.#script = script.map((fault) => ({ ...fault }));
    }

    left() {
        return this.#script.filter((fault) => fault.times !== 0);
    }

    // Answers through `done` for the server at this stage: with an error that bears the scripted reply, with
    // nothing when all is to go well, or not at all.
    meet(at, server, session, done) {
        const fault = this.#due(at);
        if (!fault) return done();
        if (fault.times !== undefined) fault.times -= 1;
        if (fault.hold) return;
        if (fault.delay) return setTimeout(done, fault.delay);
        if (fault.drop) {
            for (const connection of server.connections) if (connection.id === session.id) connection._socket.destroy();
            return;
        }
        done(Object.assign(new Error(fault.reply.slice(4)), { responseCode: Number(fault.reply.slice(0, 3)) }));
    }

    refuses(at) {
        return this.#due(at)?.reply !== undefined;
    }

    withholds_starttls() {
        return this.#due('starttls') !== undefined;
    }

    #due(at) {
        return this.left().find((fault) => fault.at === at);
    }
}
