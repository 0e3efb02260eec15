// Writes the pages of the exams: an overview and a page for each, with a form for each exercise. A worker answers (worker.ts).
// Input: a folder; output: HTML and two scripts there, and the exams.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { evaluate, shared } from '../bundle.mjs';
import { escapeHtml, layout } from '../layout.mjs';

const here = dirname(fileURLToPath(import.meta.url));

export async function buildExams(out, { isolate = false } = {}) {
  const folder = join(out, 'exams');
  mkdirSync(folder, { recursive: true });
  const browser = { ...shared, platform: 'browser', minify: true, keepNames: true };
  const [{ EXAMS, questionOf }] = await Promise.all([
    evaluate(join(here, 'exams.ts')),
    build({ ...browser, entryPoints: [join(here, 'page.ts')], format: 'esm', outfile: join(folder, 'page.js') }),
    build({ ...browser, entryPoints: [join(here, 'worker.ts')], format: 'iife', outfile: join(folder, 'worker.js') }),
  ]);
  const page = (name, title, main) =>
    writeFileSync(
      join(folder, `${name}.html`),
      layout({ title, main, root: '../', here: 'exams', script: 'page.js', isolate }),
    );
  page('index', 'Exams', overview(EXAMS));
  for (const exam of EXAMS) page(exam.name, `${exam.title} of ${exam.date}`, examPage(exam, questionOf));
  return EXAMS;
}

const progress = ({ name, exercises }) =>
  `<span class="progress"><progress data-exam="${name}" max="${exercises.length}" value="0" aria-label="Solved"></progress>
<small class="count">0 of ${exercises.length} solved</small></span>`;

function overview(exams) {
  const cards = exams.map(
    (exam) =>
      `<a class="card" href="${exam.name}.html"><small>${exam.date}</small><b>${exam.title}</b>${progress(exam)}</a>`,
  );
  return `<h1>Exams</h1>
<p class="lead">Questions of past exams and of the lectures. Answer, and nabla computes the answer and every step of the way, in your browser, for the numbers of the
exam and for others. What you have solved is kept in this browser and nowhere else.</p>
<div class="cards">${cards.join('')}</div>`;
}

function examPage(exam, questionOf) {
  return `<p class="eyebrow"><a href="index.html">Exams</a> · ${exam.date}</p>
<h1>${exam.title}</h1>
<div class="exam-bar">${progress(exam)}<button type="button" class="forget" data-exam="${exam.name}">Begin anew</button></div>
<noscript><p>Answers are computed in your browser, which needs JavaScript.</p></noscript>
${exam.exercises.map((exercise, i) => form(exam, exercise, i, questionOf)).join('\n')}`;
}

/** The anchor of an exercise: `6.1, 6.2` is q6-1-6-2. */
export const anchorOf = ({ id }) => `q${id.replaceAll(/\W+/g, '-')}`;

function form(exam, exercise, i, questionOf) {
  const { id, title, given, vary, answer } = exercise;
  const anchor = anchorOf({ id });
  const data = { exam: exam.name, id, answer: JSON.stringify(answer), given: JSON.stringify(given) };
  const attributes = Object.entries(data).map(([name, value]) => `data-${name}="${escapeHtml(value)}"`);
  return `<form class="exercise" id="${anchor}" ${attributes.join(' ')} aria-labelledby="${anchor}-title" autocomplete="off" novalidate>
<h2 id="${anchor}-title"><small>${id}</small> ${escapeHtml(title)} <span class="badge"></span></h2>
<p class="question">${questionOf(exercise, given)}</p>
${fields(answer, anchor, i)}
<div class="buttons"><button type="submit" class="play">Check</button><button type="button" class="show-way">Show the way</button>${vary ? '<button type="button" class="draw">Other numbers</button>' : ''}</div>
<p class="feedback" role="status"></p>
<div class="way" hidden></div>
</form>`;
}

function fields(answer, anchor, i) {
  if (answer.kind === 'numbers') {
    const hint = answer.decimals
      ? `<small>to ${answer.decimals} decimals</small>`
      : answer.within
        ? '<small>about</small>'
        : '';
    const rows = answer.labels.map(
      (label) =>
        `<label>${escapeHtml(label)} <input type="text" inputmode="text" maxlength="20" spellcheck="false"></label>`,
    );
    return `<div class="answers numbers">${rows.join('')}${hint}</div>`;
  }
  const type = answer.kind === 'choice' ? 'radio' : 'checkbox';
  const rows = answer.options.map(
    (option, k) => `<label><input type="${type}" name="answer-${i}" value="${k}"> ${escapeHtml(option)}</label>`,
  );
  return `<fieldset class="answers options"><legend>${answer.kind === 'choice' ? 'Choose one' : 'Tick all that hold'}</legend>${rows.join('')}</fieldset>`;
}
