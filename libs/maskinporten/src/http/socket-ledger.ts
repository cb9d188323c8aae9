import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

interface SocketState {
  requests: number;
  bytesReadBefore: number;
  bytesRead: number;
  readonly encrypted: boolean;
}

/** undici publishes here when it writes the head of a request to a socket. */
const SEND_HEADERS = 'undici:client:sendHeaders';

/**
 * Knows for each socket of one transport how many requests it has carried. A request that fails on a socket which
 * answered earlier ones, before a byte of its own answer, met a server that had closed the idle connection (F-05).
 */
export class SocketLedger {
  readonly #states = new WeakMap<object, SocketState>();
  readonly #failures = new WeakMap<object, SocketState>();
  readonly #onSendHeaders = (message: unknown): void => {
    const socket = socketOf(message);
    const state = socket === undefined ? undefined : this.#states.get(socket);
    if (socket === undefined || state === undefined) return;
    state.requests += 1;
    state.bytesReadBefore = socket.bytesRead;
  };

  constructor() {
    subscribe(SEND_HEADERS, this.#onSendHeaders);
  }

  watch(socket: Socket): void {
    const state = { requests: 0, bytesReadBefore: 0, bytesRead: 0, encrypted: socket instanceof TLSSocket };
    this.#states.set(socket, state);
    socket.once('error', (error: Error) => {
      state.bytesRead = socket.bytesRead;
      this.#failures.set(error, state);
    });
  }

  /** Call it only for a failure that came before the headers of the answer. */
  isStale(error: unknown): boolean {
    const state = typeof error === 'object' && error !== null ? this.#failures.get(error) : undefined;
    if (state === undefined || state.requests < 2) return false;
    // On TLS the closing alert is read as well, so bytes say nothing there.
    return state.encrypted || state.bytesRead === state.bytesReadBefore;
  }

  close(): void {
    unsubscribe(SEND_HEADERS, this.#onSendHeaders);
  }
}

function socketOf(message: unknown): Socket | undefined {
  if (typeof message !== 'object' || message === null || !('socket' in message)) return undefined;
  const { socket } = message;
  return socket instanceof Socket ? socket : undefined;
}
