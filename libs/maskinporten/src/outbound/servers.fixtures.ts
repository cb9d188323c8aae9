import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import { attachMaskinporten } from './attach-maskinporten.js';
import { ScriptedTokens, scriptedToken, startRecordingServer, type RecordingServer } from './outbound.fixtures.js';

/** Value of the token that attached instances start with. */
export const TOKEN = 'token-one';

/** Two servers for a describe block: one that is listed, and one that is not. */
export class TwoServers {
  server!: RecordingServer;
  other!: RecordingServer;

  constructor() {
    beforeAll(async () => {
      this.server = await startRecordingServer();
      this.other = await startRecordingServer('127.0.0.2');
    });
    afterAll(async () => {
      await this.server?.close();
      await this.other?.close();
    });
    beforeEach(() => {
      for (const each of [this.server, this.other]) {
        each.arrivals.length = 0;
        each.answer = (_request, response) => response.end('{"fine":true}');
      }
    });
  }

  /** An instance that may send its token to the listed server only. */
  attached(
    config: Parameters<typeof axios.create>[0] = {},
    defaults: object = {},
    tokens = new ScriptedTokens([]).cache(scriptedToken(TOKEN)),
  ): AxiosInstance {
    const instance = axios.create(config);
    attachMaskinporten(instance, tokens, {
      scopes: 'acme:read',
      destinations: [this.server.origin],
      ...defaults,
    });
    return instance;
  }

  /** The listed server refuses the first call with 401 and answers the next ones. */
  refuseOnce(headers: Record<string, string> = { 'www-authenticate': 'Bearer error="invalid_token"' }): void {
    let refused = false;
    this.server.answer = (_request, response) => {
      response.writeHead(refused ? 200 : 401, headers).end('{}');
      refused = true;
    };
  }

  /** The listed server answers with a byte every 20 ms, for ever; `gone` is called when its reader has gone. */
  drip(gone: () => void = () => undefined): void {
    this.server.answer = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => {
        clearInterval(drip);
        gone();
      });
    };
  }
}

/** A cached token and one more to replace it. */
export const withSpare = (): ScriptedTokens =>
  new ScriptedTokens([scriptedToken('token-two')]).cache(scriptedToken(TOKEN));
