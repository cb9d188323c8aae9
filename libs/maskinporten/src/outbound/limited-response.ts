/** Fails a body that grows beyond `limit` decoded bytes: a small compressed answer can become a very large one (T-63). */
export function limitResponse(response: Response, limit: number): Response {
  if (response.body === null) return response;
  let received = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        received += chunk.byteLength;
        if (received > limit) controller.error(new TypeError(`the answer is larger than ${limit} bytes`));
        else controller.enqueue(chunk);
      },
    }),
  );
  const { status, statusText, headers, url, redirected, type } = response;
  const limited = new Response(counted, { status, statusText, headers });
  // The constructor cannot set these, and callers use them.
  return Object.defineProperties(limited, {
    url: { value: url },
    redirected: { value: redirected },
    type: { value: type },
  });
}
