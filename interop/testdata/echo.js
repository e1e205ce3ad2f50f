// Sends stdin to the pipe whose path is the first argument, and writes what comes back until the end to stdout.
const net = require('net');

const conn = net.connect(process.argv[2]);
conn.on('error', (err) => { console.error(err.message); process.exitCode = 1; });
process.stdin.pipe(conn);
conn.pipe(process.stdout);
