// Pages of Markdown as HTML: coloured programs, anchors, links between pages; and the pieces in which they are searched.
import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import typescript from 'highlight.js/lib/languages/typescript';
import MarkdownIt from 'markdown-it';

hljs.registerLanguage('ts', typescript);
hljs.registerLanguage('js', javascript);
hljs.registerLanguage('json', json);
hljs.registerLanguage('sh', bash);

/** A block that a page cannot run stands behind this comment: it reads or writes files. */
const IN_NODE = /^<!-- Node[^>]*-->\n+```ts\n/gm;

/**
 * `link` turns the address of a link into that of the site. → the title, the HTML, and for each heading
 * { anchor, section, text }. Blocks `ts` are put in a frame in which the page can run them, where `canRun` is set.
 */
export function renderMarkdown(text, { link = (href) => href, canRun = false } = {}) {
  const markdown = new MarkdownIt({ html: false, linkify: false, highlight });
  const { rules } = markdown.renderer;
  let tables = 0;
  rules.table_open = () => `<div class="table" role="region" aria-label="Table ${++tables}" tabindex="0"><table>`;
  rules.table_close = () => '</table></div>';
  rules.link_open = (tokens, i, options, _, self) => {
    tokens[i].attrSet('href', link(tokens[i].attrGet('href')));
    return self.renderToken(tokens, i, options);
  };
  const { fence, code_block: indented } = rules;
  rules.code_block = (...given) => indented(...given).replace('<pre', '<pre tabindex="0"');
  rules.fence = (tokens, i, ...rest) => {
    const html = fence(tokens, i, ...rest).replace('<pre>', '<pre tabindex="0">');
    if (!canRun || tokens[i].info.trim() !== 'ts') return html;
    return `<div class="example">${html}</div>\n`;
  };
  const slugs = new Map();
  const tokens = markdown.parse(text.replaceAll(IN_NODE, '```ts node\n'), {});
  const sections = [];
  tokens.forEach((token, i) => {
    if (token.type === 'heading_open') {
      const section = plain(tokens[i + 1]);
      const anchor = slugOf(section, slugs);
      token.attrSet('id', anchor);
      sections.push({ anchor, section, text: '' });
    } else if (tokens[i - 1]?.type !== 'heading_open' && (token.type === 'inline' || token.type === 'fence')) {
      const last = sections.at(-1);
      if (last) last.text += `${plain(token)} `;
    }
  });
  return { title: sections[0]?.section ?? '', html: markdown.renderer.render(tokens, markdown.options, {}), sections };
}

const plain = (token) =>
  token.type === 'inline'
    ? token.children.map(({ content, type }) => (type === 'softbreak' ? ' ' : content)).join('')
    : token.content;

/** Anchors as the Markdown's own host makes them: links between pages were written for those. */
function slugOf(heading, seen) {
  const slug = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
  const count = seen.get(slug) ?? 0;
  seen.set(slug, count + 1);
  return count === 0 ? slug : `${slug}-${count}`;
}

function highlight(code, language) {
  const known = { bash: 'sh', typescript: 'ts', javascript: 'js' }[language] ?? language;
  return hljs.getLanguage(known) ? hljs.highlight(code, { language: known }).value : '';
}
