/** The editor of expressions, templates and JSON. Loaded with the panel, never with the first page. */
import {
  acceptCompletion,
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
  completionStatus,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state';
import {
  Decoration,
  EditorView,
  keymap,
  MatchDecorator,
  placeholder,
  tooltips,
  ViewPlugin,
} from '@codemirror/view';
import type { Entry, Filter } from './scope';

export type Mode = 'expression' | 'template' | 'json';

export interface Named {
  entries: readonly Entry[];
  filters: readonly Filter[];
  say(text: { zh: string; en: string }): string;
}

const TOKENS: Record<Mode, RegExp> = {
  expression:
    /(?<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<number>\b\d+(?:\.\d+)?\b)|(?<word>\b(?:and|or|not|in|is|if|else|true|false|none)\b)|(?<name>\b(?:vars|call|customer|nodes|now|item)\b(?:\.[\w-]+)*)|(?<filter>\|\s*\w+)/g,
  template: /(?<value>\{\{.*?\}\}|\{%.*?%\})/g,
  json: /(?<name>"(?:[^"\\]|\\.)*"(?=\s*:))|(?<string>"(?:[^"\\]|\\.)*")|(?<number>-?\b\d+(?:\.\d+)?\b)|(?<word>\b(?:true|false|null)\b)/g,
};

function colours(mode: Mode): Extension {
  const matcher = new MatchDecorator({
    regexp: TOKENS[mode],
    decoration: (match) => {
      const kind = Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined)?.[0] ?? 'word';
      return Decoration.mark({ class: `cw-code-${kind}` });
    },
  });
  return ViewPlugin.define(
    (view) => ({
      decorations: matcher.createDeco(view),
      update(update) {
        this.decorations = matcher.updateDeco(update, this.decorations);
      },
    }),
    { decorations: (plugin) => plugin.decorations },
  );
}

/** Whether a place of a template lies between `{{` and `}}`. */
export function insideValue(before: string): boolean {
  return (
    Math.max(before.lastIndexOf('{{'), before.lastIndexOf('{%')) >
    Math.max(before.lastIndexOf('}}'), before.lastIndexOf('%}'))
  );
}

/** What can stand at a place: names, or filters behind a bar. */
export function completionsAt(
  before: string,
  mode: Mode,
  named: Named,
): { from: number; options: Completion[] } | null {
  if (mode === 'json') return null;
  if (mode === 'template' && !insideValue(before)) return null;
  const bar = /\|\s*(\w*)$/.exec(before);
  if (bar) {
    return {
      from: before.length - (bar[1]?.length ?? 0),
      options: named.filters.map((filter) => ({
        label: filter.name,
        detail: named.say(filter.title),
        type: 'function',
        apply: filter.arguments ? `${filter.name}(${filter.arguments})` : filter.name,
      })),
    };
  }
  const word = /[\w.]*$/.exec(before)?.[0] ?? '';
  if (/^\d/.test(word)) return null;
  return {
    from: before.length - word.length,
    options: named.entries.map((entry) => ({
      label: entry.path,
      detail: named.say(entry.title),
      info: entry.sample,
      type: entry.group === 'outputs' ? 'property' : 'variable',
    })),
  };
}

export interface CodeOptions {
  parent: HTMLElement;
  mode: Mode;
  value: string;
  lines: 'one' | 'many';
  hint: string;
  readOnly: boolean;
  attributes: Record<string, string>;
  named: () => Named;
  onChange(value: string): void;
}

export interface CodeEditor {
  view: EditorView;
  setValue(value: string): void;
  setReadOnly(readOnly: boolean): void;
  setAttributes(attributes: Record<string, string>): void;
  /** Put text where the cursor is; a value in a template gets its braces. */
  insert(path: string): void;
  destroy(): void;
}

export function createCode(options: CodeOptions): CodeEditor {
  const { mode } = options;
  const readOnly = new Compartment();
  const attributes = new Compartment();
  let quiet = false;
  const locked = (on: boolean): Extension => [EditorState.readOnly.of(on), EditorView.editable.of(!on)];
  const source = (context: CompletionContext): CompletionResult | null => {
    const line = context.state.sliceDoc(0, context.pos);
    const found = completionsAt(line, mode, options.named());
    if (!found) return null;
    const typed = context.pos - found.from;
    const opened = /(\{\{|\|)\s*$/.test(line);
    if (typed === 0 && !context.explicit && !opened) return null;
    return { ...found, validFor: /^[\w.]*$/ };
  };
  const state = EditorState.create({
    doc: options.value,
    extensions: [
      history(),
      Prec.highest(
        keymap.of([
          {
            key: 'Enter',
            run: (view) => {
              if (completionStatus(view.state) === 'active' && acceptCompletion(view)) return true;
              return options.lines === 'one';
            },
          },
          {
            // Tab takes a completion, and leaves the field when there is none.
            key: 'Tab',
            run: (view) => completionStatus(view.state) === 'active' && acceptCompletion(view),
          },
        ]),
      ),
      keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
      EditorView.lineWrapping,
      mode === 'json' ? [] : autocompletion({ override: [source], icons: false, maxRenderedOptions: 60 }),
      tooltips({ parent: document.body, position: 'fixed' }),
      colours(mode),
      options.hint ? placeholder(options.hint) : [],
      options.lines === 'one'
        ? EditorState.transactionFilter.of((change) =>
            change.newDoc.lines > 1
              ? [
                  change,
                  {
                    changes: { from: 0, to: change.newDoc.length, insert: flat(change.newDoc.toString()) },
                    sequential: true,
                  },
                ]
              : change,
          )
        : [],
      mode === 'template' ? braces : [],
      readOnly.of(locked(options.readOnly)),
      attributes.of(EditorView.contentAttributes.of(options.attributes)),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && !quiet) options.onChange(update.state.doc.toString());
      }),
    ],
  });
  const view = new EditorView({ state, parent: options.parent });
  return {
    view,
    setValue(value) {
      const now = view.state.doc.toString();
      if (now === value || view.composing) return;
      quiet = true;
      view.dispatch({ changes: { from: 0, to: now.length, insert: value } });
      quiet = false;
    },
    setReadOnly: (on) => view.dispatch({ effects: readOnly.reconfigure(locked(on)) }),
    setAttributes: (next) =>
      view.dispatch({ effects: attributes.reconfigure(EditorView.contentAttributes.of(next)) }),
    insert(path) {
      const { from, to } = view.state.selection.main;
      const bare = mode === 'expression' || insideValue(view.state.sliceDoc(0, from));
      const text = bare ? path : `{{ ${path} }}`;
      view.dispatch({
        changes: { from, to, insert: text },
        selection: { anchor: from + text.length },
        userEvent: 'input.paste',
      });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

const flat = (text: string): string => text.replace(/\s*\n\s*/g, ' ');

/** Typing `{{` writes the closing braces too. */
const braces = EditorView.inputHandler.of((view, from, to, text) => {
  if (text !== '{' || from !== to) return false;
  if (view.state.sliceDoc(Math.max(0, from - 1), from) !== '{') return false;
  if (view.state.sliceDoc(from, from + 2).includes('}')) return false;
  view.dispatch({
    changes: { from, to, insert: '{  }}' },
    selection: { anchor: from + 2 },
    userEvent: 'input.type',
  });
  return true;
});
