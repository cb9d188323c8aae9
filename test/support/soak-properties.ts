import fc from 'fast-check';
import { runs } from './size.js';

// Loaded by Jest before each spec of `npm run soak`: properties that do not say how often they run.
fc.configureGlobal({ numRuns: runs(100) });
