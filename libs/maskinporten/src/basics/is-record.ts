/** A JSON object: not null, and not a list. What it holds is not known; read it with `Object.hasOwn`. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
