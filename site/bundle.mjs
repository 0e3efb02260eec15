// Bundles the lab and writes its pages: for the site's builder, and for the browser test, which has no formulas typeset.
// Input: a folder, and how a formula in TeX becomes HTML; output: HTML, three scripts and what all pages share there.
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildFrame } from './frame.mjs';
import { layout } from './layout.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const src = join(here, '..', 'src');

/** `nabla/x` is bundled from the sources; `source:./x.ts` is the text of a module. */
export const plugin = {
  name: 'lab',
  setup(on) {
    on.onResolve({ filter: /^nabla(\/|$)/ }, ({ path }) => ({
      path: join(src, path.slice('nabla'.length), 'index.ts'),
    }));
    on.onResolve({ filter: /^source:/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.slice('source:'.length)),
      namespace: 'source',
    }));
    on.onLoad({ filter: /./, namespace: 'source' }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
    }));
  },
};

export const shared = { bundle: true, target: 'es2022', tsconfigRaw: {}, logLevel: 'error', plugins: [plugin] };

/** Whoever draws needs no text of programs. */
const withoutTexts = {
  name: 'without texts',
  setup(on) {
    on.onResolve({ filter: /^source:/ }, ({ path }) => ({ path, namespace: 'no text' }));
    on.onLoad({ filter: /./, namespace: 'no text' }, () => ({ contents: '', loader: 'text' }));
  },
};

/** What a module in TypeScript exports, nabla in it. */
export async function evaluate(entry) {
  const { outputFiles } = await build({
    ...shared,
    entryPoints: [entry],
    platform: 'node',
    format: 'esm',
    packages: 'external',
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** `isolate`: pages ask for threads where the host sends no headers for them. */
export async function buildLab(out, formula, { isolate = false } = {}) {
  const folder = join(out, 'lab');
  mkdirSync(folder, { recursive: true });
  const lab = join(here, 'lab');
  const browser = { ...shared, platform: 'browser', minify: true, keepNames: true };
  const [{ LECTURES }] = await Promise.all([
    evaluate(join(lab, 'lectures.ts')),
    buildFrame(out),
    build({ ...browser, entryPoints: [join(lab, 'page.ts')], format: 'esm', outfile: join(folder, 'page.js') }),
    build({ ...browser, entryPoints: [join(lab, 'worker.ts')], format: 'iife', outfile: join(folder, 'worker.js') }),
    build({
      ...browser,
      plugins: [withoutTexts, plugin],
      entryPoints: [join(lab, 'painter.ts')],
      format: 'iife',
      outfile: join(folder, 'painter.js'),
    }),
  ]);
  writeFileSync(join(folder, 'index.html'), overview(LECTURES));
  LECTURES.forEach((lecture, i) =>
    writeFileSync(
      join(folder, `${lecture.name}.html`),
      lecturePage(lecture, LECTURES[i - 1], LECTURES[i + 1], formula, isolate),
    ),
  );
  return LECTURES;
}

/**
 * A program in TypeScript as a module for Node, with nabla in it. What it imports as `program:NAME` is the text of that name in `programs`.
 */
export async function bundleProgram(contents, programs = {}) {
  const stdin = { contents, resolveDir: here, loader: 'ts' };
  const texts = {
    name: 'programs',
    setup(on) {
      on.onResolve({ filter: /^program:/ }, ({ path }) => ({
        path: path.slice('program:'.length),
        namespace: 'program',
      }));
      on.onLoad({ filter: /./, namespace: 'program' }, ({ path }) => ({ contents: programs[path], loader: 'ts' }));
    },
  };
  const { outputFiles } = await build({
    ...shared,
    plugins: [plugin, texts],
    stdin,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    write: false,
  });
  return outputFiles[0].text;
}

/** Which lecture a page belongs to. */
const place = (number) => (number ? `Lecture ${number}` : 'Beyond the lectures');

function overview(lectures) {
  const cards = lectures.map(
    ({ name, number, title, text }) =>
      `<a class="card" href="${name}.html"><small>${place(number)}</small><b>${title}</b><span>${text}</span></a>`,
  );
  return layout({
    title: 'Lab',
    root: '../',
    here: 'lab',
    main: `<h1>Lab</h1>
<p class="lead">Every figure computes live, in your browser, with nabla. Drag what can be dragged; Reset sets it back, Share copies an address that keeps
your settings, and <i>Show code</i> is the program that the figure runs.</p>
<div class="cards">${cards.join('')}</div>`,
  });
}

function lecturePage({ number, title, text, figures }, before, after, formula, isolate) {
  const link = (lecture, rel, arrow) =>
    lecture
      ? `<a rel="${rel}" href="${lecture.name}.html">${arrow(lecture.number ? `${lecture.number}. ${lecture.title}` : lecture.title)}</a>`
      : '<span></span>';
  const sections = figures.map((figure) => figureSection(figure, formula));
  return layout({
    title: `${title} · Lab`,
    root: '../',
    here: 'lab',
    script: 'page.js',
    isolate,
    main: `<p class="eyebrow"><a href="index.html">Lab</a> · ${place(number)}</p>
<h1>${title}</h1>
<p class="lead">${text}</p>
${sections.join('\n')}
<nav class="turn" aria-label="Lectures">${link(before, 'prev', (t) => `← ${t}`)}${link(after, 'next', (t) => `${t} →`)}</nav>`,
  });
}

/** The equations of a formula: on a phone they stand one below the other. */
const equations = (tex) => (tex.includes('\\begin') ? [tex] : tex.split('\\qquad'));

/** The place of a figure in a page; the script of the lab fills it. */
export function figureSection(figure, formula) {
  const words = formula
    ? `<div class="words">${figure.text}<div class="formula" role="math" tabindex="0">${equations(figure.formula).map(formula).join('')}</div></div>`
    : '';
  return `<section class="lab" id="${figure.name}" data-figure="${figure.name}" aria-labelledby="${figure.name}-title">
<h2 id="${figure.name}-title">${figure.title}</h2>
${words}
<div class="stage"><noscript>This figure computes in your browser and needs JavaScript.</noscript></div>
</section>`;
}
