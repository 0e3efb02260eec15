// The thread that runs the C compiler: a compiler may take seconds, and the thread of the caller must not wait for it.
// It answers through shared memory, because a training loop may not return to its event loop for a long time.
// A library is published only after its trial: it has been loaded, and run, in a process of its own (see trial.ts).
// Compiler and trial end with this process (supervisor.ts), and this thread waits for them in its event loop, which the end of
// the process interrupts: nobody waits for a compiler whose work is no longer wanted.
// `serveCompiler` is turned into text and started in a worker; it refers to nothing outside itself.

/** What is to be compiled. */
export interface CompileJob {
  readonly command: string;
  readonly flags: readonly string[];
  readonly source: string;
  readonly folder: string;
  readonly key: string;
  /** What the file's name ends in. */
  readonly suffix: string;
  /** Milliseconds that the compiler may take, and that the trial may take. */
  readonly timeout: number;
  readonly mostBytes: number;
  /** Word 0: 0 pending, 1 done, 2 failed; word 1: bytes of text, which follows (the file's path or the reason). */
  readonly answer: SharedArrayBuffer;
  /** The answer that holds the path of the trial's program, and the words that it reads. Without: not tried. */
  readonly trial?: { readonly program: SharedArrayBuffer; readonly words: Uint32Array };
}

export const ANSWER_BYTES = 8 + 2048;

/** The port of a worker, as far as it is used here. */
interface Port {
  on(event: 'message', listener: (job: CompileJob) => unknown): void;
}

export function serveCompiler(
  port: Port,
  getModule: NodeJS.Process['getBuiltinModule'],
  process: Pick<NodeJS.Process, 'pid' | 'kill'>,
  supervisor: readonly string[],
): void {
  const fs = getModule('node:fs');
  const { join } = getModule('node:path');
  const { createHash } = getModule('node:crypto');
  const { spawn } = getModule('node:child_process');
  const { signals } = getModule('node:os').constants;
  const { threadId } = getModule('node:worker_threads');
  const textOf = (answer: SharedArrayBuffer): string =>
    new TextDecoder().decode(new Uint8Array(answer, 8, new Int32Array(answer, 4, 1)[0]).slice());
  /** Resolves to '' or to how it ended, with what it wrote to standard error. */
  const run = (job: CompileJob, leftover: string, command: readonly string[], input: string | Uint8Array) =>
    new Promise<{ readonly fault: string; readonly stderr: string }>((resolve) => {
      const [shell, ...words] = [...supervisor, leftover, ...command] as [string, ...string[]];
      const child = spawn(shell, words, {
        cwd: job.folder,
        detached: true,
        stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      });
      let [stderr, isLate] = ['', false];
      const timer = setTimeout(() => {
        isLate = true;
        process.kill(-(child.pid as number), 'SIGKILL');
      }, job.timeout);
      child.stderr!.on('data', (part: Uint8Array) => (stderr += new TextDecoder().decode(part)));
      child.stdin!.on('error', () => {}); // it ended without reading all of it
      child.on('error', (error: Error) => resolve({ fault: error.message, stderr: '' }));
      child.on('close', (code) => {
        clearTimeout(timer);
        const signal = Object.entries(signals).find(([, number]) => 128 + number === code)?.[0];
        const fault = isLate ? 'does not end' : code === 0 ? '' : `ends with ${signal ?? `exit ${code}`}`;
        resolve({ fault, stderr: isLate ? '' : stderr.trim() });
      });
      child.stdin!.end(input);
    });
  const tryOut = async (job: CompileJob, library: string, trial: NonNullable<CompileJob['trial']>): Promise<void> => {
    const path = textOf(trial.program);
    if (Atomics.load(new Int32Array(trial.program, 0, 1), 0) !== 1) throw new Error(`no trial: ${path}`);
    const { buffer, byteOffset, byteLength } = trial.words; // which may be a part of a file that was read
    const { fault, stderr } = await run(job, library, [path, library], new Uint8Array(buffer, byteOffset, byteLength));
    if (fault !== '') throw new Error(`what it made ${fault} in its trial${stderr ? `: ${stderr}` : ''}`);
  };
  const compile = async (job: CompileJob): Promise<void> => {
    const words = new Int32Array(job.answer, 0, 2);
    const temporary = join(job.folder, `${job.key}.${process.pid}-${threadId}.tmp`);
    let [state, text] = [2, ''];
    try {
      const compiler = [job.command, ...job.flags, '-x', 'c', '-', '-o', temporary, '-lpthread', '-ldl'];
      const { fault, stderr } = await run(job, temporary, compiler, job.source);
      if (fault !== '') throw new Error(stderr || `it ${fault}`);
      // The name holds the digest of the contents: one renaming publishes both.
      const digest = createHash('sha256').update(fs.readFileSync(temporary)).digest('hex');
      const path = join(job.folder, `${job.key}-${digest}${job.suffix}`);
      fs.chmodSync(temporary, 0o700);
      if (job.trial !== undefined) await tryOut(job, temporary, job.trial);
      fs.renameSync(temporary, path);
      [state, text] = [1, path];
      // The oldest files make room, as far as they are the cache's own: compiled ones, and what a killed compiler has left.
      // One that another process has loaded stays loaded there.
      const own = /^[0-9a-f]{32}(?:-[0-9a-f]{64}\.(?:so|run)|\.\d+-\d+\.tmp)$/;
      const names = fs.readdirSync(job.folder).filter((name) => own.test(name));
      const files = names.flatMap((name) => {
        const file = join(job.folder, name);
        const found = fs.lstatSync(file, { throwIfNoEntry: false });
        return found?.isFile() ? [{ file, size: found.size, mtimeMs: found.mtimeMs }] : [];
      });
      let total = files.reduce((sum, { size }) => sum + size, 0);
      for (const { file, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
        if (total <= job.mostBytes || file === path) break;
        fs.rmSync(file, { force: true });
        total -= size;
      }
    } catch (error) {
      if (state === 2) text = error instanceof Error ? error.message : String(error);
      fs.rmSync(temporary, { force: true });
    }
    const bytes = new TextEncoder().encode(text).subarray(0, job.answer.byteLength - 8);
    new Uint8Array(job.answer, 8, bytes.length).set(bytes);
    words[1] = bytes.length;
    Atomics.store(words, 0, state);
    Atomics.notify(words, 0);
  };
  // One after the other: a trial needs the trial's program, and training needs the cores.
  let last = Promise.resolve();
  port.on('message', (job) => (last = last.then(() => compile(job))));
}
