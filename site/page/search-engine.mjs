// Looks words up in the index that the builder has made. The same settings hold for both: documents are pieces of pages, a piece a heading.
import MiniSearch from 'minisearch';

/** A name such as `crossEntropy` is found by its words, too. */
const termsOf = (term) => {
  const parts = term.split(/(?<=[a-z])(?=[A-Z])|[_.]/).filter((part) => part.length > 1);
  return [term, ...(parts.length > 1 ? parts : [])].map((word) => word.toLowerCase());
};

/** Words of questions that say nothing of what is asked for: `what does dropout do`. */
const FILLERS = new Set(
  'a an and are can do does for how i in is it my of on or own the to what when where which why with'.split(' '),
);

export const OPTIONS = {
  fields: ['title', 'section', 'text'],
  storeFields: ['url', 'title', 'section', 'part', 'text'],
  processTerm: termsOf,
  searchOptions: {
    processTerm: (term) => (FILLERS.has(term.toLowerCase()) ? null : term.toLowerCase()),
    boost: { title: 4, section: 3 },
    // A figure explains by itself what a page of the tour mentions.
    boostDocument: (_id, _term, stored) => (stored?.part === 'Lab' ? 2 : 1),
    prefix: true,
    fuzzy: (term) => (term.length > 4 ? 0.2 : false),
    combineWith: 'AND',
    weights: { fuzzy: 0.3, prefix: 0.6 },
  },
};

export const makeIndex = (documents) => {
  const index = new MiniSearch(OPTIONS);
  index.addAll(documents.map((document, id) => ({ id, ...document })));
  return JSON.stringify(index);
};

/** → a function from a query to what is found, best first. */
export async function load(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`);
  const index = MiniSearch.loadJSON(await response.text(), OPTIONS);
  return (query) => {
    const all = index.search(query);
    return all.length > 0 ? all : index.search(query, { combineWith: 'OR' });
  };
}
