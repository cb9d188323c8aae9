/**
 * The process beside ours that talks to the PKCS#11 library. A library of that kind blocks while its device thinks, is
 * initialised once for a whole process, and takes the process down with it when it crashes: none of that may happen to a
 * service, and a thread would keep only the first away. It ends with the service, whatever way that ends.
 */
import { env } from 'node:process';
import { codeOf } from './cryptoki.js';
import { openHsm } from './open-hsm.js';
import { type HsmCommand, type HsmReply, HsmRefusal } from './hsm-protocol.js';
import type { HsmSessions } from './hsm-sessions.js';

let sessions: HsmSessions | undefined;
const reply = (message: HsmReply): void => void process.send?.(message);

function open({ address, pin }: Extract<HsmCommand, { type: 'open' }>): void {
  // Libraries find their configuration through variables such as SOFTHSM2_CONF.
  Object.assign(env, address.environment);
  try {
    const opened = openHsm(address, pin);
    sessions = opened.sessions;
    reply({ type: 'opened', facts: opened.facts });
  } catch (error) {
    const { refusal, code } = error instanceof HsmRefusal ? error : new HsmRefusal('cryptoki', codeOf(error));
    reply({ type: 'refused', refusal, code });
  }
}

async function sign({ id, alg, data }: Extract<HsmCommand, { type: 'sign' }>): Promise<void> {
  try {
    if (sessions === undefined) throw new Error('CKR_CRYPTOKI_NOT_INITIALIZED');
    reply({ type: 'signed', id, signature: await sessions.sign(alg, data) });
  } catch (error) {
    reply({ type: 'failed', id, code: codeOf(error) });
  }
}

process.on('message', (command: HsmCommand) => {
  if (command.type === 'open') open(command);
  else void sign(command);
});
// The service decides when this ends: a signal to the whole group must not take the key away while it still answers.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// At once: a library that hangs would hold up an orderly exit.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
