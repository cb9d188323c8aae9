import { ApiProperty, ApiPropertyOptional, ApiOkResponse } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import {
  BadRequestException,
  Controller,
  Get,
  Header,
  Headers,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Query,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { DelegationError, parseOrganisationNumber, type AuditPage, type AuditRecord } from 'nestjs-maskinporten';
import { knownCaller } from '../callers/index.js';
import { UnavailableException } from '../problems/index.js';
import { AuditReader } from './audit-reader.js';
import { csvOf, prefersCsv } from './csv.js';

const wholeNumber = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value;
const LIMIT = { message: 'must be a whole number from 1 to 1000' };

/** Which records to list. */
export class AuditQuery {
  @ApiProperty({ description: 'Organisation number of a customer; the caller must be allowed to act for it' })
  // Whether it is one is a question of its own, which has an answer of its own.
  @Matches(/^[\x20-\x7e]{1,64}$/, { message: 'must be an organisation number' })
  organisation!: string;

  @ApiProperty({ description: 'A day in UTC', example: '2026-01-31' })
  @Matches(/^\d{4}-\d{2}-\d{2}$/, { message: 'must be a day such as 2026-01-31' })
  day!: string;

  @ApiPropertyOptional({ description: 'next of the page before' })
  @IsOptional()
  @Matches(/^[\w-]{1,512}$/, { message: 'must be the next of the page before' })
  after?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 1000, default: 100 })
  @IsOptional()
  @Transform(wholeNumber)
  @IsInt(LIMIT)
  @Min(1, LIMIT)
  @Max(1000, LIMIT)
  limit?: number;

  @ApiPropertyOptional({ enum: ['json', 'csv'], description: 'Wins over Accept' })
  @IsOptional()
  @IsIn(['json', 'csv'], { message: 'must be json or csv' })
  format?: 'json' | 'csv';
}

/** What Express and Fastify responses have in common. */
interface Answer {
  header(name: string, value: string): unknown;
}

/** Who did what for whom: for those who did it, and those who may act for whom it was done. */
@Controller('audit')
export class AuditController {
  constructor(private readonly reader: AuditReader) {}

  @Get(':requestId')
  @Header('cache-control', 'no-store')
  async ofRequest(
    @Param('requestId', ParseUUIDPipe) requestId: string,
    @Req() request: object,
  ): Promise<readonly AuditRecord[]> {
    const records = await readable(this.reader.ofRequest(requestId, knownCaller(request)));
    if (records === undefined) throw new NotFoundException('There is no such request, or you may not see it.');
    return records;
  }

  @Get()
  @Header('cache-control', 'no-store')
  @Header('vary', 'accept')
  @ApiOkResponse({ content: { 'application/json': {}, 'text/csv': { schema: { type: 'string' } } } })
  async search(
    @Query() query: AuditQuery,
    @Headers('accept') accept: string | undefined,
    @Req() request: object,
    @Res({ passthrough: true }) response: Answer,
  ): Promise<AuditPage | StreamableFile> {
    const { format, ...search } = query;
    const organisation = parseOrganisationNumber(search.organisation);
    if (organisation === undefined) throw new DelegationError('organisation_number_invalid');
    if (!knownCaller(request).organisations.includes(organisation)) throw new DelegationError('caller_not_allowed');
    const page = await readable(this.reader.search({ ...search, organisation }));
    const csv = format === undefined ? prefersCsv(accept) : format === 'csv';
    if (!csv) return page;
    if (page.next !== undefined) {
      const next = new URLSearchParams({ organisation, day: search.day, format: 'csv', after: page.next });
      if (search.limit !== undefined) next.set('limit', String(search.limit));
      response.header('link', `</audit?${next.toString()}>; rel="next"`);
    }
    return new StreamableFile(Buffer.from(csvOf(page.records)), {
      type: 'text/csv; charset=utf-8; header=present',
      disposition: `attachment; filename="audit-${organisation}-${search.day}.csv"`,
    });
  }
}

/** @throws BadRequestException for a day or a cursor that is none; UnavailableException when the database fails */
async function readable<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof RangeError) throw new BadRequestException(`The request has a wrong value: ${error.message}.`);
    throw new UnavailableException('The audit log cannot be read at the moment.', [
      { field: 'audit', code: 'MP_AUDIT', reason: 'the database of the audit log does not answer' },
    ]);
  }
}
