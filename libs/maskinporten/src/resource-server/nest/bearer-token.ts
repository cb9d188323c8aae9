import type { ExecutionContext } from '@nestjs/common';
import { isRecord } from '../../basics/index.js';
import { malformed, TokenRefusal } from '../verification/token-refusal.js';

/** RFC 6750 §2.1; the scheme in any case (RFC 9110 §11.1). */
const BEARER = /^bearer +([\w.~+/-]+=*) *$/i;

/**
 * The token of a call: the `Authorization` header over HTTP and for GraphQL; in messages the metadata of the transport
 * (gRPC, NATS, Kafka, RabbitMQ), or the field `authorization` of the payload; on a WebSocket the field, or what the
 * connection was opened with (Socket.IO). A connection lives longer than a token, so the field comes first there.
 *
 * @throws TokenRefusal `token_missing` or `token_malformed`
 */
export function bearerToken(context: ExecutionContext): string {
  const [first, ...others] = credentialsOf(context);
  if (first === undefined || first === '') throw new TokenRefusal('token_missing', 'The call has no Bearer token.');
  if (others.length > 0) throw malformed('There is more than one Authorization header.');
  if (typeof first !== 'string') throw malformed('The authorization of the call is not a text.');
  const token = BEARER.exec(first)?.[1];
  if (token !== undefined) return token;
  if (/^bearer\b/i.test(first)) throw malformed('What follows Bearer is not one token.');
  throw new TokenRefusal('token_missing', 'The call is authenticated with something else than a Bearer token.');
}

function credentialsOf(context: ExecutionContext): readonly unknown[] {
  switch (context.getType<string>()) {
    case 'http':
      return ofRequest(context.switchToHttp().getRequest<unknown>());
    case 'graphql':
      // A resolver is called with (root, args, context, info).
      return ofGraphQl(context.getArgByIndex<unknown>(2));
    case 'rpc': {
      const rpc = context.switchToRpc();
      return firstOf([ofTransport(rpc.getContext<unknown>()), ofFields(rpc.getData<unknown>())]);
    }
    case 'ws': {
      const ws = context.switchToWs();
      return firstOf([ofFields(ws.getData<unknown>()), ofHandshake(ws.getClient<unknown>())]);
    }
    default:
      return [];
  }
}

/** Node keeps the first of two `Authorization` headers in `headers`; two of them are a caller to be careful with. */
function ofRequest(request: unknown): readonly unknown[] {
  const raw = rawHeadersOf(request) ?? rawHeadersOf(member(request, 'raw'));
  if (raw === undefined) return ofFields(member(request, 'headers'));
  return raw.filter((_, index) => index % 2 === 1 && isAuthorization(raw[index - 1]));
}

const isAuthorization = (name: unknown): boolean => typeof name === 'string' && name.toLowerCase() === 'authorization';

function rawHeadersOf(request: unknown): readonly unknown[] | undefined {
  const raw = member(request, 'rawHeaders');
  return Array.isArray(raw) ? raw : undefined;
}

/** What drivers put into the context: `{ req }`, Mercurius `{ reply }`, a subscription what it was opened with. */
function ofGraphQl(value: unknown): readonly unknown[] {
  const requests = [member(value, 'req'), member(value, 'request'), member(member(value, 'reply'), 'request')];
  const opened = [member(value, 'connectionParams'), member(member(value, 'req'), 'connectionParams')];
  return firstOf([
    ...requests.filter((request) => request !== undefined).map(ofRequest),
    ...opened.map(ofFields),
    ofFields(member(value, 'headers')),
  ]);
}

function ofTransport(value: unknown): readonly unknown[] {
  const message = called(value, 'getMessage');
  return firstOf(
    [
      // gRPC's Metadata, and the headers of NATS.
      called(value, 'get', 'authorization'),
      called(called(value, 'getHeaders'), 'get', 'authorization'),
      ofFields(member(message, 'headers')),
      ofFields(member(member(message, 'properties'), 'headers')),
    ].map((found) => (Array.isArray(found) ? (found as readonly unknown[]) : ofOne(found))),
  );
}

function ofHandshake(client: unknown): readonly unknown[] {
  const handshake = member(client, 'handshake');
  const token = member(member(handshake, 'auth'), 'token');
  return firstOf([
    ofFields(member(handshake, 'headers')),
    // Socket.IO's own custom is a bare token.
    typeof token === 'string' ? [/^bearer /i.test(token) ? token : `Bearer ${token}`] : [],
  ]);
}

/** Own fields only: a polluted prototype is no caller (T-66). */
function ofFields(value: unknown): readonly unknown[] {
  if (!isRecord(value)) return [];
  const name = Object.keys(value).find(isAuthorization);
  return name === undefined ? [] : ofOne(value[name]);
}

const ofOne = (value: unknown): readonly unknown[] =>
  value === undefined || value === null || value === ''
    ? []
    : [Buffer.isBuffer(value) ? value.toString('utf8') : value];

const firstOf = (all: readonly (readonly unknown[])[]): readonly unknown[] => all.find((each) => each.length > 0) ?? [];

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;

function called(value: unknown, name: string, ...args: readonly unknown[]): unknown {
  const method = member(value, name);
  return typeof method === 'function' ? (Reflect.apply(method, value, args) as unknown) : undefined;
}
