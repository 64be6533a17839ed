import { DmabrokerError, type Broker } from '../../../client/index.js';
import type { RecordedRequest } from './requests.js';

/** Everything that `Explain` says to each request, as text, with each pool's random handle replaced by its heap. */
export async function answersOf(
  broker: Broker,
  requests: readonly RecordedRequest[],
): Promise<readonly string[]> {
  const heaps = await heapsByHandle(broker);
  const answers: string[] = [];
  for (const { devices, buffer } of requests) answers.push(heaps(await explain(broker, devices, buffer)));
  return answers;
}

async function explain(
  broker: Broker,
  devices: RecordedRequest['devices'],
  buffer: RecordedRequest['buffer'],
): Promise<string> {
  try {
    return json(await broker.explain(devices, buffer));
  } catch (error) {
    if (!(error instanceof DmabrokerError)) throw error;
    return json({ code: error.code, message: error.message });
  }
}

/** What `Reveal` says is behind each handle, as a replacement of text: a handle is random and nothing else looks like one. */
async function heapsByHandle(broker: Broker): Promise<(text: string) => string> {
  const replacements = await Promise.all(
    (await broker.pools()).map(async ({ handle }) => {
      const { heap } = await broker.reveal(handle);
      return [handle, `<${String(heap)}>`] as const;
    }),
  );
  return (text) => replacements.reduce((all, [handle, heap]) => all.replaceAll(handle, heap), text);
}

const json = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item), 1);
