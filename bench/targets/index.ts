import { audit } from './a1-audit.js';
import { coldCallers } from './p5-cold-callers.js';
import { coldKeys } from './p6-cold-keys.js';
import { coldToken } from './p4-cold-token.js';
import { axiosCall } from './p1-axios-call.js';
import { expiry } from './p7-expiry.js';
import { hits } from './p3-hits.js';
import { machine } from './machine.js';
import { nestHandler } from './p2-nest-handler.js';
import { signatures } from './p8-signatures.js';
import { startUp } from './p10-start-up.js';
import type { Target } from './target.js';

/** In the order they run: the short ones first, real time last. */
export const TARGETS: readonly Target[] = [
  machine,
  axiosCall,
  nestHandler,
  hits,
  coldToken,
  coldCallers,
  coldKeys,
  signatures,
  startUp,
  audit,
  expiry,
];
export type { Bench, Target } from './target.js';
