/** Milliseconds that closing waits for another side that does not read. */
const CLOSE_TIMEOUT_MS = 1000;

/** Waits for what is still to be sent, not for ever. */
export async function withinClosing(emptied: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
  });
  await Promise.race([emptied, timeout]);
  clearTimeout(timer);
}
