// The thread that runs the C compiler: a compiler may take seconds, and the thread of the caller must not wait for it.
// It answers through shared memory, because a training loop may not return to its event loop for a long time.
// A library is published only after its trial: it has been loaded, and run, in a process of its own (see trial.ts).
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
  on(event: 'message', listener: (job: CompileJob) => void): void;
}

export function serveCompiler(port: Port, getModule: NodeJS.Process['getBuiltinModule'], pid: number): void {
  const fs = getModule('node:fs');
  const { join } = getModule('node:path');
  const { createHash } = getModule('node:crypto');
  const { execFileSync } = getModule('node:child_process');
  const { threadId } = getModule('node:worker_threads');
  const textOf = (answer: SharedArrayBuffer): string =>
    new TextDecoder().decode(new Uint8Array(answer, 8, new Int32Array(answer, 4, 1)[0]).slice());
  const tryOut = (library: string, { program, words }: NonNullable<CompileJob['trial']>, timeout: number): void => {
    const path = textOf(program);
    if (Atomics.load(new Int32Array(program, 0, 1), 0) !== 1) throw new Error(`no trial: ${path}`);
    try {
      execFileSync('nice', ['-n', '10', path, library], {
        input: new Uint8Array(words.buffer),
        timeout,
        killSignal: 'SIGKILL',
        stdio: ['pipe', 'ignore', 'pipe'],
      });
    } catch (error) {
      const { code, signal, stderr } = error as { code?: string; signal?: string; stderr?: Uint8Array };
      const reason = code === 'ETIMEDOUT' ? 'does not end' : `ends with ${signal ?? 'an error'}`;
      throw new Error(`what it made ${reason} in its trial${stderr?.length ? `: ${stderr.toString()}` : ''}`);
    }
  };
  port.on('message', (job) => {
    const words = new Int32Array(job.answer, 0, 2);
    const temporary = join(job.folder, `${job.key}.${pid}-${threadId}.tmp`);
    let [state, text] = [2, ''];
    try {
      const compiler = [job.command, ...job.flags, '-x', 'c', '-', '-o', temporary, '-lpthread', '-ldl'];
      // Training goes on meanwhile and meets at barriers: it must not lose a core.
      execFileSync('nice', ['-n', '10', ...compiler], {
        input: job.source,
        timeout: job.timeout,
        killSignal: 'SIGKILL',
        stdio: ['pipe', 'ignore', 'pipe'],
        cwd: job.folder,
      });
      // The name holds the digest of the contents: one renaming publishes both.
      const digest = createHash('sha256').update(fs.readFileSync(temporary)).digest('hex');
      const path = join(job.folder, `${job.key}-${digest}${job.suffix}`);
      fs.chmodSync(temporary, 0o700);
      if (job.trial !== undefined) tryOut(temporary, job.trial, job.timeout);
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
      const { stderr, message } = error as { stderr?: Uint8Array; message?: string };
      if (state === 2) text = (stderr?.toString().trim() || message) ?? String(error);
      fs.rmSync(temporary, { force: true });
    }
    const bytes = new TextEncoder().encode(text).subarray(0, job.answer.byteLength - 8);
    new Uint8Array(job.answer, 8, bytes.length).set(bytes);
    words[1] = bytes.length;
    Atomics.store(words, 0, state);
    Atomics.notify(words, 0);
  });
}
