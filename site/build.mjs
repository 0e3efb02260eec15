// Builds the site: start page, tour (the pages of docs/, coloured, with anchors) and lab. Input: a folder; output: static files there, and
// their number. Pages refer to each other by relative paths: the folder may lie anywhere on a host.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import javascript from 'highlight.js/lib/languages/javascript';
import typescript from 'highlight.js/lib/languages/typescript';
import katex from 'katex';
import MarkdownIt from 'markdown-it';
import { buildLab } from './bundle.mjs';
import { layout } from './layout.mjs';

const docs = fileURLToPath(new URL('../docs', import.meta.url));
hljs.registerLanguage('ts', typescript);
hljs.registerLanguage('js', javascript);
hljs.registerLanguage('sh', bash);

/** The tour in the order in which it is read; pages that are not listed follow. */
const ORDER =
  'tensors shapes autodiff linalg layers models weights onnx commands text audio data training trainer dashboard optimisation metrics classic reinforcement'.split(
    ' ',
  );
const LATER = 'browsers devices performance from-pytorch operators architecture'.split(' ');

export async function buildSite(out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'tour'), { recursive: true });
  // MathML is drawn by every browser of today and read by screen readers; no fonts, no style sheet.
  const formula = (tex) => katex.renderToString(tex, { displayMode: true, output: 'mathml', throwOnError: true });
  const lectures = await buildLab(out, formula);

  const found = readdirSync(docs)
    .filter((name) => name.endsWith('.md'))
    .map((name) => basename(name, '.md'));
  const names = [...ORDER, ...found.filter((name) => !ORDER.includes(name) && !LATER.includes(name)), ...LATER].filter(
    (name) => found.includes(name),
  );
  const pages = names.map((name) => ({ name, ...render(readFileSync(join(docs, `${name}.md`), 'utf8')) }));
  for (const page of pages) {
    const links = pages.map(
      ({ name, title }) => `<a href="${name}.html"${name === page.name ? ' aria-current="page"' : ''}>${title}</a>`,
    );
    const main = `<div class="tour"><nav aria-label="Tour">${links.join('')}</nav><article>${page.html}</article></div>`;
    writeFileSync(
      join(out, 'tour', `${page.name}.html`),
      layout({ title: page.title, main, root: '../', here: 'tour', script: '../theme.js' }),
    );
  }
  writeFileSync(join(out, 'theme.js'), "import './lab/page.js';\n");
  writeFileSync(join(out, 'index.html'), start(lectures));
  return pages.length + lectures.length + 2;
}

function render(text) {
  const markdown = new MarkdownIt({ html: false, linkify: false, highlight });
  const rules = markdown.renderer.rules;
  rules.table_open = () => '<div class="table" tabindex="0"><table>';
  rules.table_close = () => '</table></div>';
  rules.link_open = (tokens, i, options, _, self) => {
    const href = tokens[i].attrGet('href');
    // Pages of the tour are beside each other here, too; `README.md` and the like lead to the start.
    const own = /^([\w-]+)\.md(#.*)?$/.exec(href);
    if (own) tokens[i].attrSet('href', `${own[1]}.html${own[2] ?? ''}`);
    else if (href.startsWith('../README.md')) tokens[i].attrSet('href', '../index.html');
    return self.renderToken(tokens, i, options);
  };
  const seen = new Map();
  rules.heading_open = (tokens, i, options, _, self) => {
    // Anchors as the Markdown's own host makes them: links between pages were written for those.
    const slug = tokens[i + 1].content
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    tokens[i].attrSet('id', count === 0 ? slug : `${slug}-${count}`);
    return self.renderToken(tokens, i, options);
  };
  const [, title] = /^# (.*)$/m.exec(text);
  return { title, html: markdown.render(text) };
}

function highlight(code, language) {
  return hljs.getLanguage(language) ? hljs.highlight(code, { language }).value : '';
}

function start(lectures) {
  const playground = lectures.find(({ figures }) => figures.some(({ name }) => name === 'playground'));
  const cards = [
    [
      'tour/tensors.html',
      'Tour',
      'Tensors, shapes as types, gradients, layers, training: every example in it is a test.',
    ],
    [
      `lab/${playground.name}.html`,
      'A network that trains while you watch',
      'Layers, widths, activation, learning rate: all under your hand.',
    ],
    ['lab/index.html', 'Lab', 'A page for each lecture, with figures that compute live in your browser.'],
    ['tour/from-pytorch.html', 'From PyTorch', 'What is called what, and what is different.'],
  ];
  return layout({
    title: 'Deep learning in TypeScript',
    script: 'theme.js',
    main: `<h1>Deep learning in TypeScript</h1>
<p class="lead">nabla computes tensors, gradients and networks in Node and in the browser, with shapes that the compiler checks and programs
that it compiles itself, to WebAssembly and native code.</p>
<div class="cards">${cards.map(([href, title, text]) => `<a class="card" href="${href}"><b>${title}</b><span>${text}</span></a>`).join('')}</div>`,
  });
}
