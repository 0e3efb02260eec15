// Factorisations of a square float64 matrix, by CPU time on one thread; the same as tools/parity/linalg_speed.py does with NumPy's LAPACK.
//   NABLA_THREADS=1 NABLA_CPU=native node tools/parity/linalg_speed.mjs [n] [names]     (build first)
import { manualSeed, randn, realize, setDevice } from '../../dist/index.js';
import * as linalg from '../../dist/linalg/index.js';

const n = Number(process.argv[2] ?? 500);
const names = (process.argv[3] ?? 'eigh,eigvalsh,svd,qr,eig,eigvals').split(',');
await setDevice('cpu');
manualSeed(1);
const general = randn([n, n]).to('float64');
const symmetric = general.add(general.T);
await realize(general, symmetric);
const RUNS = {
  eigh: () => Object.values(linalg.eigh(symmetric)),
  eigvalsh: () => [linalg.eigvalsh(symmetric)],
  svd: () => Object.values(linalg.svd(general)),
  qr: () => Object.values(linalg.qr(general)),
  eig: () => Object.values(linalg.eig(general)),
  eigvals: () => [linalg.eigvals(general)],
};
for (const name of names) {
  const times = [];
  for (let i = 0; i < 6; i++) {
    const begin = process.cpuUsage();
    await realize(...RUNS[name]().map((x) => x.mul(1 + i / 1e3))); // not the same graph twice: its result is kept
    const { user, system } = process.cpuUsage(begin);
    times.push((user + system) / 1e3);
  }
  console.log(`${name} ${n}: ${Math.min(...times.slice(1)).toFixed(1)} ms of CPU`);
}
process.exit(0);
