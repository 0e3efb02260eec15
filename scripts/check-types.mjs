// Type-checks everything, and keeps the work that shapes-as-types cause within a budget: the number of type
// instantiations does not depend on the machine, unlike the seconds. It grows with the code (tests and examples included), a few thousand a file; a jump is a
// reason to look.
import { spawnSync } from 'node:child_process';

const MOST_INSTANTIATIONS = 3_400_000;

const [tsc] = process.argv.slice(2);
const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '--noEmit', '--pretty', '--extendedDiagnostics'], {
  encoding: 'utf8',
});
const [errors] = stdout.split(/^Files: /m);
process.stdout.write(errors);
process.stderr.write(stderr);
const count = Number(/^Instantiations:\s+(\d+)/m.exec(stdout)?.[1]);
const seconds = /^Check time:\s+([\d.]+)s/m.exec(stdout)?.[1];
console.log(`types: ${count} instantiations of at most ${MOST_INSTANTIATIONS}, checked in ${seconds} s`);
process.exit(status !== 0 || !(count <= MOST_INSTANTIATIONS) ? 1 : 0);
