import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, type TransformFnParams } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

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
