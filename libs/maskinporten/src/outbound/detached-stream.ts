import { pipeline, Transform, type Readable } from 'node:stream';
import type { ReadableByteStreamController } from 'node:stream/web';

/** What happens to the bytes and the failures of an answer that is read as it comes. */
export interface StreamRules {
  /** Largest answer in decoded bytes; Infinity for no limit. */
  readonly limit: number;
  readonly tooLarge: () => Error;
  /** What the reader gets to see of a failure. */
  readonly clean: (error: unknown) => unknown;
  /** Once: the stream has ended, failed or was given up. */
  readonly over: () => void;
}

/**
 * A stream that does not point back at its request, as an incoming message does. Destroying it destroys the source, and
 * failures of the source, which carry the sent configuration, arrive cleaned.
 */
export function detachedStream(source: Readable, { limit, tooLarge, clean, over }: StreamRules): Readable {
  let received = 0;
  const detached = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > limit) done(tooLarge());
      else done(null, chunk);
    },
  });
  detached.once('close', over);
  // Before `pipeline`, which hands the error on as it is.
  source.once('error', (error) => {
    const cleaned = clean(error);
    if (cleaned !== error) detached.destroy(cleaned as Error);
  });
  // The reader of `detached` gets the failures; there is nothing more to do about them here.
  pipeline(source, detached, () => undefined);
  return detached;
}

/** The same for the bodies of fetch. */
export function detachedBody(
  source: ReadableStream<Uint8Array>,
  { limit, tooLarge, clean, over }: StreamRules,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let received = 0;
  return new ReadableStream({
    type: 'bytes',
    async pull(controller: ReadableByteStreamController) {
      let part: Awaited<ReturnType<typeof reader.read>>;
      try {
        do part = await reader.read();
        while (!part.done && part.value.byteLength === 0);
      } catch (error) {
        over();
        throw clean(error);
      }
      if (part.done) {
        over();
        controller.close();
        // A reader that brings its own buffer waits for an answer, the end included.
        controller.byobRequest?.respond(0);
        return;
      }
      received += part.value.byteLength;
      if (received > limit) {
        over();
        const error = tooLarge();
        void reader.cancel(error).catch(() => undefined);
        throw error;
      }
      controller.enqueue(part.value);
    },
    async cancel(reason) {
      over();
      await reader.cancel(reason);
    },
  });
}
