// All specs of the room in one test file: its modules are loaded once for a mutant instead of once for each spec.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const room = join(import.meta.dirname, '../../libs/maskinporten/src', process.env.MUTATION_ROOM);
const specs = readdirSync(room, { recursive: true }).filter((file) => file.endsWith('.spec.ts'));
for (const spec of specs.toSorted()) await import(join(room, spec));
