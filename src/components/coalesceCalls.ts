/**
 * Return a function that never runs `work` twice at once: all calls during a run cause exactly one more run after it.
 *
 * @param work - the work to do; it must handle its own errors
 */
export function coalesceCalls(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let again = false;
  const run = async (): Promise<void> => {
    do {
      again = false;
      await work();
    } while (again);
    running = null;
  };
  return () => {
    again = running !== null;
    running ??= run();
    return running;
  };
}
