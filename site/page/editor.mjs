// The editor of examples, loaded when one is first edited.
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { tags } from '@lezer/highlight';

// The colours of the page, by the classes that its printed examples have.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.typeName, tags.self], class: 'hljs-keyword' },
  { tag: [tags.string, tags.regexp, tags.special(tags.string)], class: 'hljs-string' },
  { tag: [tags.number, tags.bool, tags.null], class: 'hljs-number' },
  { tag: tags.comment, class: 'hljs-comment' },
  { tag: [tags.function(tags.variableName), tags.propertyName], class: 'hljs-title' },
]);

/** An editor in `parent`; → a function that gives its text. Ctrl-Enter runs. Escape, then Tab, leaves it. */
export function edit(parent, text, { label, run, change }) {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        history(),
        indentOnInput(),
        bracketMatching(),
        javascript({ typescript: true }),
        syntaxHighlighting(colours),
        keymap.of([{ key: 'Mod-Enter', run: () => (run(), true) }, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of((update) => void (update.docChanged && change())),
      ],
    }),
  });
  view.focus();
  return () => view.state.doc.toString();
}
