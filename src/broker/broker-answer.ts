import { BadGatewayException } from '@nestjs/common';
import { parseOrganisationNumber } from 'nestjs-maskinporten';

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** What Broker gives at most. */
const MAX_TRANSFERS = 100;

/** The ids become parts of addresses, so nothing but ids is taken. @throws BadGatewayException */
export function transferIds(answer: unknown): readonly string[] {
  const ids: unknown = Array.isArray(answer) ? answer : member(answer, 'items');
  if (!Array.isArray(ids) || ids.length > MAX_TRANSFERS || !ids.every(isId)) throw unusable();
  return ids;
}

/** @throws BadGatewayException */
export function readTransfer(answer: unknown): object {
  if (typeof answer !== 'object' || answer === null) throw unusable();
  return answer;
}

/** Sender and recipients, as nine digits. Empty when they cannot be read: then nobody is shown the transfer. */
export function partiesOf(transfer: object): readonly string[] {
  const recipients = member(transfer, 'recipients');
  const named = [
    member(transfer, 'sender'),
    ...(Array.isArray(recipients) ? (recipients as unknown[]).map((each) => member(each, 'recipient')) : []),
  ];
  return named.map((party) => parseOrganisationNumber(party)).filter((party) => party !== undefined);
}

const isId = (value: unknown): value is string => typeof value === 'string' && GUID.test(value);

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

const unusable = (): BadGatewayException =>
  new BadGatewayException('Broker answered something that is not understood.');
