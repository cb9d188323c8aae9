import type { INestApplication } from '@nestjs/common';
import { afterEach, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { closeFailed } from './shutdown.js';

afterEach(() => void jest.useRealTimers());

it('a connection that a client keeps is closed when the service has stopped listening, and not before', async () => {
  const server = createServer((_request, response) => response.end('answer'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const ask = async (): Promise<string> => {
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const closed = once(client, 'close').then(() => ['the connection was closed']);
    const [answer] = (await Promise.race([once(client, 'data'), closed])) as [Buffer | string];
    return String(answer);
  };
  await ask();
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  await closeFailed({ getHttpServer: () => server, close: () => undefined } as unknown as INestApplication);
  jest.advanceTimersByTime(5_000);
  const last = await ask();
  expect(last).toMatch(/^HTTP\/1.1 200 /);
  expect(last).toMatch(/^connection: close$/im);
  const ended = once(client, 'close');
  server.close();
  await ended;
});
