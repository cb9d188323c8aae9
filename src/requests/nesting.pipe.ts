import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

/** Deeper than any form, and far from where code that calls itself for each level runs out of stack. */
const MAX_DEPTH = 64;

/** Refuses values that are nested too deeply, before anything walks through them by calling itself. */
@Injectable()
export class NestingPipe implements PipeTransform<unknown> {
  /** @throws BadRequestException */
  transform(value: unknown): unknown {
    let level = [value];
    for (let depth = 0; level.length > 0; depth += 1) {
      if (depth > MAX_DEPTH) throw new BadRequestException(`The request is nested more than ${MAX_DEPTH} levels deep.`);
      level = level.flatMap(childrenOf);
    }
    return value;
  }
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  const isPlain = typeof value === 'object' && value !== null && isDictionary(Object.getPrototypeOf(value));
  return isPlain ? Object.values(value) : [];
}

/** Requests, answers and instances of classes are handed to pipes too; they did not come out of a body. */
const isDictionary = (prototype: unknown): boolean => prototype === Object.prototype || prototype === null;
