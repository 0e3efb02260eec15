// Builds the site: start page, tour (the pages of docs/), lab, exams, reference, search. Input: a folder; output: static files there, and
// their number. Pages refer to each other by relative paths: the folder may lie anywhere on a host.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import katex from 'katex';
import { buildLab, figureSection, shared } from './bundle.mjs';
import { anchorOf, buildExams } from './exams/pages.mjs';
import { layout } from './layout.mjs';
import { renderMarkdown } from './markdown.mjs';
import { makeIndex } from './page/search-engine.mjs';
import { buildReference } from './reference.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const docs = join(here, '..', 'docs');

/** The tour in the order in which it is read; pages that are not listed follow. */
const ORDER =
  'tensors shapes autodiff linalg layers models weights onnx commands text audio data training trainer dashboard optimisation metrics classic reinforcement'.split(
    ' ',
  );
const LATER = 'browsers devices performance from-pytorch operators architecture'.split(' ');

/** `reference`: a folder with the reference in Markdown, or undefined for a site without one. */
export async function buildSite(out, { reference } = {}) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'tour'), { recursive: true });
  // MathML is drawn by every browser of today and read by screen readers; no fonts, no style sheet.
  const formula = (tex) => katex.renderToString(tex, { displayMode: true, output: 'mathml', throwOnError: true });
  const [lectures, exams] = await Promise.all([
    buildLab(out, formula, { isolate: true }),
    buildExams(out, { isolate: true }),
    buildScripts(out),
  ]);
  const tour = buildTour(out);
  const names = reference ? buildReference(reference, out) : noReference(out);
  writeFileSync(join(out, 'index.html'), start(lectures));
  const documents = [...tour.documents, ...documentsOf(lectures, exams), ...names.documents];
  writeFileSync(join(out, 'search-index.json'), makeIndex(documents));
  return 1 + tour.pages + (1 + lectures.length) + (1 + exams.length) + names.pages;
}

/** The scripts that need packages of the site: search, and the examples of the tour. */
async function buildScripts(out) {
  const page = (name) => join(here, 'page', name);
  const browser = { ...shared, platform: 'browser', minify: true, keepNames: true, format: 'esm' };
  await Promise.all([
    build({ ...browser, entryPoints: [page('search-engine.mjs')], outfile: join(out, 'search-engine.js') }),
    build({ ...browser, entryPoints: [page('examples.ts')], outfile: join(out, 'tour/examples.js') }),
    build({ ...browser, entryPoints: [page('program.mjs')], outfile: join(out, 'tour/program.js') }),
    build({ ...browser, entryPoints: [page('editor.mjs')], outfile: join(out, 'tour/editor.js') }),
    build({
      ...browser,
      format: 'iife',
      entryPoints: [page('example-worker.ts')],
      outfile: join(out, 'tour/example-worker.js'),
    }),
  ]);
}

function buildTour(out) {
  const found = readdirSync(docs)
    .filter((name) => name.endsWith('.md'))
    .map((name) => basename(name, '.md'));
  const names = [...ORDER, ...found.filter((name) => !ORDER.includes(name) && !LATER.includes(name)), ...LATER].filter(
    (name) => found.includes(name),
  );
  // Pages of the tour are beside each other here, too; `README.md` and the like lead to the start.
  const link = (href) => {
    const own = /^([\w-]+)\.md(#.*)?$/.exec(href);
    if (own) return `${own[1]}.html${own[2] ?? ''}`;
    return href.startsWith('../README.md') ? '../index.html' : href;
  };
  const pages = names.map((name) => ({
    name,
    ...renderMarkdown(readFileSync(join(docs, `${name}.md`), 'utf8'), { link, canRun: true }),
  }));
  pages.forEach((page, i) => {
    const links = pages.map(
      ({ name, title }) => `<a href="${name}.html"${name === page.name ? ' aria-current="page"' : ''}>${title}</a>`,
    );
    const turn = (other, rel, words) =>
      other ? `<a rel="${rel}" href="${other.name}.html">${words(other.title)}</a>` : '<span></span>';
    const main = `<div class="tour"><nav aria-label="Tour">${links.join('')}</nav><article>${page.html}
<nav class="turn" aria-label="Pages">${turn(pages[i - 1], 'prev', (t) => `← ${t}`)}${turn(pages[i + 1], 'next', (t) => `${t} →`)}</nav></article></div>`;
    writeFileSync(
      join(out, 'tour', `${page.name}.html`),
      layout({ title: page.title, main, root: '../', here: 'tour', script: 'examples.js', isolate: true }),
    );
  });
  const documents = pages.flatMap(({ name, title, sections }) =>
    sections.map(({ anchor, section, text }) => ({
      url: `tour/${name}.html#${anchor}`,
      title,
      section,
      part: 'Tour',
      text: text.trim(),
    })),
  );
  return { pages: pages.length, documents };
}

const wordsOf = (html) =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** What the search finds in lab and exams. */
function documentsOf(lectures, exams) {
  const figures = lectures.flatMap((lecture) =>
    lecture.figures.map((figure) => ({
      url: `lab/${lecture.name}.html#${figure.name}`,
      title: lecture.title,
      section: figure.title,
      part: 'Lab',
      text: wordsOf(figure.text),
    })),
  );
  const questions = exams.flatMap((exam) =>
    exam.exercises.map((exercise) => ({
      url: `exams/${exam.name}.html#${anchorOf(exercise)}`,
      title: `${exam.title}, ${exam.date}`,
      section: exercise.title,
      part: 'Exams',
      text: wordsOf(exercise.ask(exercise.given)),
    })),
  );
  return [...figures, ...questions];
}

/** A page in its place says how to make it. */
function noReference(out) {
  mkdirSync(join(out, 'reference'), { recursive: true });
  const main =
    '<h1>Reference</h1>\n<p class="lead">This copy of the site was built without it: <code>npm run site</code> makes it.</p>';
  writeFileSync(
    join(out, 'reference/index.html'),
    layout({ title: 'Reference', main, root: '../', here: 'reference' }),
  );
  return { pages: 1, documents: [] };
}

function start(lectures) {
  const playground = lectures.flatMap(({ figures }) => figures).find(({ name }) => name === 'playground');
  const at = lectures.find(({ figures }) => figures.includes(playground));
  const cards = [
    [
      'tour/tensors.html',
      'Tour',
      'Tensors, shapes as types, gradients, layers, training. Every example is a test, and runs in its page.',
    ],
    ['lab/index.html', 'Lab', 'A page for each lecture, with figures that compute live in your browser.'],
    [
      'exams/index.html',
      'Exams',
      'Questions of past exams, answered by nabla step by step, with numbers of the exam and others.',
    ],
    ['tour/from-pytorch.html', 'From PyTorch', 'What is called what, and what is different.'],
    ['reference/index.html', 'Reference', 'Every name, with its shapes, units, defaults and errors.'],
  ];
  return layout({
    title: 'Deep learning in TypeScript',
    script: 'lab/page.js',
    isolate: true,
    main: `<h1>Deep learning in TypeScript</h1>
<p class="lead">nabla computes tensors, gradients and networks in Node and in the browser, with shapes that the compiler checks and programs
that it compiles itself, to WebAssembly and native code.</p>
<div class="compact">${figureSection(playground)}
<p>This network is being trained now, by nabla, in a worker of this page. <a href="lab/${at.name}.html">Change its layers, its data and its rate.</a></p></div>
<div class="cards">${cards.map(([href, title, text]) => `<a class="card" href="${href}"><b>${title}</b><span>${text}</span></a>`).join('')}</div>`,
  });
}
