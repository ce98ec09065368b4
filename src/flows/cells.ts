import { type INotebookTracker, NotebookActions } from '@jupyterlab/notebook';

/** An example of a flow. */
export const EXAMPLE_FLOW = `from prefect import flow

@flow(log_prints=True)
def hello(name: str = "world"):
    print(f"Hello, {name}!")`;

/** Insert a code cell below the active cell of the active notebook, without running it. */
export function insertCell(tracker: INotebookTracker, source: string): void {
  const notebook = tracker.currentWidget?.content;
  if (!notebook) {
    return;
  }
  const active = notebook.activeCell;
  const isEmptyCode =
    active?.model.type === 'code' && active.model.sharedModel.source === '';
  if (!isEmptyCode) {
    NotebookActions.insertBelow(notebook);
  }
  notebook.activeCell?.model.sharedModel.setSource(source);
}
