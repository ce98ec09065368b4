import { StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';

/** Marks the line at a position; null removes the mark. */
const setMark = StateEffect.define<number | null>();

const DECORATION = Decoration.line({ class: 'jp-Satflow-markedLine' });

/** The marked line of an editor, until its text is edited. */
const markField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, transaction) => {
    const effect = transaction.effects.find(one => one.is(setMark));
    if (effect) {
      const position = effect.value as number | null;
      return position === null
        ? Decoration.none
        : Decoration.set([DECORATION.range(position)]);
    }
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: field => EditorView.decorations.from(field)
});

let marked: EditorView | null = null;

/** An editor of JupyterLab, which is one of CodeMirror unless another extension replaces it. */
interface IEditor {
  editor?: unknown;
  setCursorPosition(position: { line: number; column: number }): void;
  focus(): void;
}

/**
 * Put the cursor into a line, scroll to it, and mark it until the text is edited or another line is marked.
 *
 * @param line - counted from 0
 */
export function markLine(editor: IEditor, line: number): void {
  const view = editor.editor;
  if (view instanceof EditorView) {
    unmarkLine();
    showMark(view, line);
  } else {
    editor.setCursorPosition({ line, column: 0 });
  }
  editor.focus();
}

function showMark(view: EditorView, line: number): void {
  const { doc } = view.state;
  const { from, text } = doc.line(Math.max(1, Math.min(line + 1, doc.lines)));
  const anchor = from + (text.length - text.trimStart().length);
  if (!view.state.field(markField, false)) {
    view.dispatch({ effects: StateEffect.appendConfig.of(markField) });
  }
  view.dispatch({
    selection: { anchor },
    effects: [
      setMark.of(from),
      EditorView.scrollIntoView(anchor, { y: 'center' })
    ]
  });
  marked = view;
}

function unmarkLine(): void {
  if (marked?.dom.isConnected) {
    marked.dispatch({ effects: setMark.of(null) });
  }
  marked = null;
}
