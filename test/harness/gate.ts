/** A promise that the test settles. */
export interface Gate<T> {
  readonly opened: Promise<T>;
  readonly open: (value: T) => void;
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Waits until something is so, looking again on each turn of the event loop. */
export async function until(what: () => boolean): Promise<void> {
  while (!what())
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
}
