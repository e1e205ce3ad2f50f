// load.js: the library in a Node process: signals, child processes and workers are what they were.
const { isMainThread, Worker } = require("worker_threads");
const { execFileSync, spawn } = require("child_process");
const assert = require("assert");
const once = (emitter, event) => new Promise((done, fail) => { emitter.once(event, done); emitter.once("error", fail); });

const early = once(process, "SIGTERM"); // a handler that was there first
const roundTrip = require(process.env.LOAD_NODE);
const use = () => assert.strictEqual(roundTrip(), 0);

async function main() {
  const alive = setInterval(() => {}, 1000); // waiting for a signal alone does not keep Node running
  for (let i = 0; i < 100; i++) use();
  process.kill(process.pid, "SIGTERM");
  await early;
  for (const name of ["SIGINT", "SIGHUP", "SIGUSR2", "SIGPIPE", "SIGTERM"]) {
    const came = once(process, name);
    process.kill(process.pid, name);
    await came;
    use();
  }
  assert.strictEqual(execFileSync("echo", ["child"]).toString(), "child\n");
  for (let i = 0; i < 5; i++) {
    const child = spawn("true"); // its end is told by SIGCHLD
    assert.strictEqual(await once(child, "exit"), 0);
    use();
  }
  const workers = Array.from({ length: 4 }, () => once(new Worker(__filename), "exit"));
  assert.deepStrictEqual(await Promise.all(workers), [0, 0, 0, 0]);
  clearInterval(alive);
  console.log("ok");
}
if (isMainThread) main().catch((error) => { console.error(error); process.exit(1); });
else for (let i = 0; i < 100; i++) use();
