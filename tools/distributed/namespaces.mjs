// Two network namespaces of Linux as two machines: a process in each, TCP between them, at a rate that tc sets and with a delay that delay.c makes
// (netem is not in every kernel). Each rate trains W3 with two processes of one thread, which have to find the losses of one process with the whole batch, and
// compares the time of a step with what the model of docs/distributed.md says from constants measured over the same link.
//   node tools/distributed/namespaces.mjs [rates in Mbit/s: 0,1000,100; 0 is no limit] [delay each way in ms: 0]
//   as root, after a build; Open MPI, for a delay also cc
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOSTS = ['nabla-a', 'nabla-b'];
const ADDRESSES = ['10.77.0.1', '10.77.0.2'];
const program = fileURLToPath(new URL('over-a-link.mjs', import.meta.url));
const [, , rates = '0,1000,100', delay = '0'] = process.argv;
const folder = mkdtempSync(join(tmpdir(), 'nabla-namespaces-'));
let cable;

function run(command, { isNeeded = true, ...options } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command[0], command.slice(1), {
    encoding: 'utf8',
    ...options,
  });
  if (isNeeded && status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr + stdout}`);
  return stdout;
}
const ip = (...args) => run(['ip', ...args]);

function removeNamespaces() {
  cable?.stdin.end();
  for (const host of HOSTS) run(['ip', 'netns', 'del', host], { isNeeded: false });
}

async function makeNamespaces() {
  removeNamespaces();
  for (const host of HOSTS) ip('netns', 'add', host);
  if (Number(delay) > 0) cable = await layCable();
  else {
    ip('link', 'add', 'nabla0', 'type', 'veth', 'peer', 'name', 'nabla1');
    HOSTS.forEach((host, i) => ip('link', 'set', `nabla${i}`, 'netns', host));
  }
  HOSTS.forEach((host, i) => {
    ip('-n', host, 'addr', 'add', `${ADDRESSES[i]}/24`, 'dev', `nabla${i}`);
    ip('-n', host, 'link', 'set', `nabla${i}`, 'up');
    ip('-n', host, 'link', 'set', 'lo', 'up');
  });
}

/** The program that carries frames from one namespace to the other, late. */
async function layCable() {
  const command = join(folder, 'delay');
  run(['cc', '-O2', '-o', command, fileURLToPath(new URL('delay.c', import.meta.url))]);
  const devices = HOSTS.flatMap((host, i) => [host, `nabla${i}`]);
  const child = spawn(command, [`${1000 * Number(delay)}`, ...devices], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(([status]) => Promise.reject(new Error(`delay.c ends with ${status}`)));
  ended.catch(() => {}); // at the end it does
  await Promise.race([once(child.stdout, 'data'), ended]);
  return child;
}

/** Both directions. */
function limit(mbit) {
  HOSTS.forEach((host, i) => {
    const tc = (...args) => run(['ip', 'netns', 'exec', host, 'tc', 'qdisc', ...args], { isNeeded: args[0] === 'add' });
    tc('del', 'dev', `nabla${i}`, 'root');
    if (mbit > 0)
      tc('add', 'dev', `nabla${i}`, 'root', 'tbf', 'rate', `${mbit}mbit`, 'burst', '64kb', 'latency', '200ms');
  });
}

/** Stands for ssh: each namespace has a host name of its own, too. */
function writeAgent() {
  const agent = join(folder, 'agent');
  const cases = ADDRESSES.map((address, i) => `${address}) name=${HOSTS[i]};;`).join(' ');
  writeFileSync(
    agent,
    `#!/bin/sh\ncase "$1" in ${cases} esac\nshift\nexec ip netns exec $name unshare -u sh -c "hostname $name; $*"\n`,
  );
  chmodSync(agent, 0o755);
  return agent;
}

const environment = {
  ...process.env,
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  NABLA_THREADS: '1',
};
const linesOf = (text) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

try {
  await makeNamespaces();
  const agent = writeAgent();
  const options = {
    plm_rsh_agent: agent,
    btl: 'tcp,self',
    btl_tcp_if_include: '10.77.0.0/24',
    oob_tcp_if_include: '10.77.0.0/24',
    hwloc_base_binding_policy: 'none',
  };
  const exported = ['NABLA_THREADS', 'NABLA_CACHE_DIR', 'NABLA_CPU', 'LINK_SECONDS'].filter(
    (name) => environment[name] !== undefined,
  );
  const mpirun = [
    ...`ip netns exec ${HOSTS[0]} unshare -u sh -c`.split(' '),
    `hostname ${HOSTS[0]}; exec "$@"`,
    'sh',
    ...`mpirun -n 2 --host ${ADDRESSES.map((address) => `${address}:1`).join()}`.split(' '),
    ...Object.entries(options).flatMap(([name, value]) => ['--mca', name, value]),
    ...exported.flatMap((name) => ['-x', name]),
    process.execPath,
    program,
  ];
  const [alone] = linesOf(run([process.execPath, program], { env: environment }));
  for (const rate of rates.split(',').map(Number)) {
    limit(rate);
    const [linked] = linesOf(run(mpirun, { env: environment }));
    const apart = Math.max(...linked.losses.map((loss, i) => Math.abs(loss - alone.losses[i])));
    const { hosts, alpha, beta, bytes, compute, step, overlapping, inBuckets } = linked;
    const predicted = compute + 2 * alpha + bytes / beta;
    console.log(
      `${rate === 0 ? 'no limit' : `${rate} Mbit/s`}, delay ${delay} ms, ${hosts.join(' and ')}: losses ${apart.toExponential(1)} apart at most; ` +
        `α ${(1e6 * alpha).toFixed(0)} µs, β ${(beta / 1e6).toFixed(1)} MB/s, n ${(bytes / 1e6).toFixed(2)} MB, c ${(1e3 * compute).toFixed(1)} ms; ` +
        `a step ${(1e3 * step).toFixed(1)} ms, by the model ${(1e3 * predicted).toFixed(1)} ms (${(100 * (predicted / step - 1)).toFixed(0)} %); ` +
        `in small buckets ${(1e3 * inBuckets).toFixed(1)} ms, during the backward pass ${(1e3 * overlapping).toFixed(1)} ms`,
    );
  }
} finally {
  removeNamespaces();
  rmSync(folder, { recursive: true });
}
