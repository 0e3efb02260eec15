import { expect, test } from 'vitest';
import { ProgressBar, progressLine } from './progress.js';
import { bytes, duration, terminalOf } from './terminal.js';
import { Writable } from 'node:stream';

const state = { label: 'epoch  3/30', fraction: 0.5, loss: 0.1234, samplesPerSecond: 5210.4, secondsLeft: 64 };

function screen(isTTY: boolean, env: NodeJS.ProcessEnv = {}) {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { terminal: terminalOf(Object.assign(stream, { isTTY, columns: 80 }), env), read: () => text };
}

test('the line says loss, speed and time left, and fits any width', () => {
  expect(progressLine(state, 80)).toBe(
    `epoch  3/30  ${'━'.repeat(13)}${'─'.repeat(12)}  loss 0.1234  5,210 samples/s  1:04 left`,
  );
  for (let columns = 20; columns < 120; columns++) expect(progressLine(state, columns).length).toBeLessThan(columns);
  expect(progressLine({ ...state, loss: NaN, secondsLeft: Infinity }, 80)).toContain('loss not a number');
});

test('the bar draws on a terminal, not too often, and cleans up', () => {
  let now = 0;
  const { terminal, read } = screen(true, { NO_COLOR: '1' });
  const bar = new ProgressBar(terminal, () => now);
  bar.update(state);
  const drawn = read();
  expect(drawn).toContain('loss 0.1234');
  bar.update(state);
  expect(read()).toBe(drawn);
  now = 100;
  bar.update(state);
  expect(read().length).toBeGreaterThan(drawn.length);
  bar.clear();
  expect(read().endsWith('\r\x1b[K\x1b[?25h')).toBe(true);
});

test.each([
  [false, {}],
  [true, { TERM: 'dumb' }],
])('nothing is drawn where nobody looks (terminal: %s, %j)', (isTTY, env) => {
  const { terminal, read } = screen(isTTY, env);
  const bar = new ProgressBar(terminal);
  bar.update(state);
  bar.clear();
  expect(read()).toBe('');
  expect(terminal.style.red('x')).toBe('x');
});

test('numbers in words', () => {
  expect([duration(3.14), duration(187), duration(3723), bytes(0), bytes(1536), bytes(2 ** 32)]).toEqual([
    '3.1 s',
    '3:07',
    '1:02:03',
    '0 B',
    '1.5 KiB',
    '4.0 GiB',
  ]);
});
