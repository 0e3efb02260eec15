// The worker of the exams: draws numbers for a question, and answers it with nabla.

import { EXAMS } from './exams.js';
import { draw, questionOf } from './exercise.js';
import type { ToPage, ToWorker } from './messages.js';
import { solve } from './solve.js';

const post = (message: ToPage): void => postMessage(message);

addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => {
  const { number } = data;
  try {
    const exam = EXAMS.find(({ name }) => name === data.exam);
    const exercise = exam?.exercises.find(({ id }) => id === data.id);
    if (!exam || !exercise) throw new Error(`There is no exercise ${data.id} in ${data.exam}.`);
    if (data.kind === 'draw') {
      let i = 0;
      const given = draw(exercise, () => data.random[i++ % data.random.length]!);
      post({ kind: 'question', number, given, html: questionOf(exercise, given) });
    } else post({ kind: 'solution', number, ...(await solve(exam, exercise, data.given)) });
  } catch (error) {
    post({ kind: 'error', number, message: error instanceof Error ? error.message : String(error) });
  }
});
