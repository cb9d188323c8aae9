import { BadGatewayException } from '@nestjs/common';

/** What is used of an instance that an app has made. */
export interface CreatedInstance {
  /** Party and GUID, as the app's addresses contain it. */
  readonly id: string;
  /** The main form. */
  readonly formId: string | undefined;
}

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const INSTANCE_ID = /^\d{1,12}\/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The ids become parts of addresses, so nothing but ids is taken. @throws BadGatewayException */
export function readInstance(answer: unknown): CreatedInstance {
  const { id, data } = record(answer);
  if (typeof id !== 'string' || !INSTANCE_ID.test(id)) throw unusable();
  const [form] = Array.isArray(data) ? (data as unknown[]) : [];
  if (form === undefined) return { id, formId: undefined };
  const { id: formId } = record(form);
  if (typeof formId !== 'string' || !GUID.test(formId)) throw unusable();
  return { id, formId };
}

/** Whether the process has come to its end. @throws BadGatewayException */
export function hasEnded(answer: unknown): boolean {
  const { ended } = record(answer);
  return typeof ended === 'string' && ended !== '';
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw unusable();
  return value as Readonly<Record<string, unknown>>;
}

export const unusable = (): BadGatewayException =>
  new BadGatewayException('The Altinn app answered something that is not understood.');
