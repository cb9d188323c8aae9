const EXTERNAL_REF = /^[a-zA-Z0-9øØæÆåÅ_-]{1,255}$/;

/** Altinn's grammar for the reference that tells system users of one organisation apart (Digdir, system user). */
export const isExternalRef = (value: unknown): value is string => typeof value === 'string' && EXTERNAL_REF.test(value);
