// The reference in the site: the Markdown that TypeDoc writes (scripts/reference.mjs --markdown), a page a name, in the frame of the site.
// Input: the folder of Markdown, and that of the site; output: pages in reference/ there, their number, and what the search finds.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { layout } from './layout.mjs';
import { renderMarkdown } from './markdown.mjs';

/** Of what a page says as much as is searched. */
const SEARCHED = 140;

export function buildReference(from, out) {
  const files = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(from, join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'))
    .toSorted();
  const modules = files.filter((file) => file.endsWith('/index.md')).map((file) => posix.dirname(file));
  const documents = [];
  for (const file of files) {
    // The entry that is imported as `nabla` lies in src/index.ts.
    const text = readFileSync(join(from, file), 'utf8').replace(
      '- [index](index/index.md)',
      '- [nabla](index/index.md)',
    );
    const { title, html, sections } = renderMarkdown(text, { link: toHtml });
    const page = `reference/${toHtml(file)}`;
    const root = '../'.repeat(page.split('/').length - 1);
    const own = moduleOf(file, modules);
    const main = `<div class="tour"><nav aria-label="Reference">${contents(file, modules, own)}</nav><article>${html}</article></div>`;
    mkdirSync(dirname(join(out, page)), { recursive: true });
    writeFileSync(join(out, page), layout({ title, main, root, here: 'reference' }));
    if (!file.endsWith('index.md')) documents.push(...documentsOf(page, file, own, sections));
  }
  return { pages: files.length, documents };
}

const toHtml = (href) => (/^[a-z]+:/.test(href) ? href : href.replace(/\.md(?=$|#)/, '.html'));

const nameOf = (module) => (module === 'index' ? 'nabla' : `nabla/${module}`);

/** The one with the longest name that holds the file. */
const moduleOf = (file, modules) =>
  modules.filter((name) => file.startsWith(`${name}/`)).toSorted((a, b) => b.length - a.length)[0];

/** The page as a whole, and its methods: other headings (Parameters, Returns) are those of every page. */
function documentsOf(url, file, own, sections) {
  const title = posix.basename(file, '.md');
  const part = nameOf(own);
  const begin = { url, title, section: '', part, text: wordsOf(sections.slice(0, 1)) };
  const methods = sections
    .slice(1)
    .flatMap(({ anchor, section }, i) =>
      section.endsWith('()')
        ? [{ url: `${url}#${anchor}`, title, section, part, text: wordsOf(sections.slice(i + 1, i + 2)) }]
        : [],
    );
  return [begin, ...methods];
}

const wordsOf = (sections) =>
  sections
    .map(({ text }) => text)
    .join(' ')
    .trim()
    .slice(0, SEARCHED);

/** Links to all modules; the page of a module lists what it exports. */
function contents(file, modules, own) {
  const link = (to, text, isHere) =>
    `<a href="${posix.relative(posix.dirname(file), to).replace(/\.md$/, '.html')}"${isHere ? ' aria-current="true"' : ''}>${text}</a>`;
  const rows = modules
    .filter((name) => !name.includes('namespaces'))
    .map((name) => link(`${name}/index.md`, nameOf(name), name === own));
  return [link('index.md', 'All modules', file === 'index.md'), ...rows].join('');
}
