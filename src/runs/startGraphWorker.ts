/** Start the web worker that lays out graphs. In a module of its own, because only the bundler can resolve its address. */
export function startGraphWorker(): Worker {
  return new Worker(new URL('./graphWorker.js', import.meta.url));
}
