import { type Command, defineGroup, withCommands } from './define-command.js';
import { auditVerify } from './audit/audit-verify.js';
import { doctor } from './doctor/doctor.js';
import { keysGenerate } from './keys/keys-generate.js';
import { keysInspect } from './keys/keys-inspect.js';
import { keysJwk } from './keys/keys-jwk.js';
import { keysPublish } from './keys/keys-publish.js';
import { keysRotate } from './keys/keys-rotate.js';
import { simulator } from './simulator.js';
import { token } from './token/token.js';
import { tokenExplain } from './token/token-explain.js';

/** What `npx nestjs-maskinporten` can do, in the order of its help. A new command is added here. */
export const COMMANDS: readonly Command[] = [
  defineGroup('keys', { en: 'Keys and certificates', nb: 'Nøkler og sertifikater' }, [
    keysGenerate,
    keysJwk,
    keysInspect,
    keysPublish,
    keysRotate,
  ]),
  doctor,
  withCommands(token, [tokenExplain]),
  defineGroup('audit', { en: 'The audit log', nb: 'Revisjonsloggen' }, [auditVerify]),
  simulator,
];
