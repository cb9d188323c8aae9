import { configurationError } from './configuration-failures.js';
import type { MaskinportenError } from './maskinporten-error.js';

/** In the global symbol registry, so that copies of this package find each other. */
const COPIES = Symbol.for('nestjs-maskinporten.imported-copies');
/** Stands for this copy. */
const THIS_COPY: object = Object.freeze({});

/** The copies of this package whose `MaskinportenModule` has been imported somewhere in this process. */
function importedCopies(): Set<object> {
  const known: unknown = Object.getOwnPropertyDescriptor(globalThis, COPIES)?.value;
  if (known instanceof Set) return known as Set<object>;
  const copies = new Set<object>();
  Object.defineProperty(globalThis, COPIES, { value: copies, configurable: true });
  return copies;
}

/** To be called where a `MaskinportenModule` is made. */
export function moduleImported(): void {
  importedCopies().add(THIS_COPY);
}

/**
 * What an application is refused with that uses `user` without `MaskinportenModule`. Classes of two copies of the package
 * are different providers to Nest, so an import from another copy counts for nothing here; then that is what is said.
 */
export function moduleNotImported(user: string): MaskinportenError {
  const others = [...importedCopies()].some((copy) => copy !== THIS_COPY);
  const reason = others
    ? `${user} is used, but MaskinportenModule is not imported from the same copy of nestjs-maskinporten: two copies of the package are loaded. "npm ls nestjs-maskinporten" shows them; keep one`
    : `${user} is used, but MaskinportenModule is not imported: add MaskinportenModule.forRoot(…) or forRootAsync(…) to the imports of the root module`;
  return configurationError([{ field: 'MaskinportenModule', code: 'MP_CONFIG', reason }]);
}
