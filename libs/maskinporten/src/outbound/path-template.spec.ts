import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { isPathTemplate, pathTemplateOf } from './path-template.js';

describe('path templates', () => {
  it.each([
    ['/', '/'],
    ['/regnskapssystem/310000027/aapnekrav', '/regnskapssystem/{id}/aapnekrav'],
    ['/v1/instances/50001234/0c1f0a52-6a0e-4b56-9d5c-3a7a52b9b6a1', '/v1/instances/{id}/{id}'],
    ['/broker/api/v1/filetransfer', '/broker/api/v1/filetransfer'],
    ['/persons/ID01819000391', '/persons/{id}'],
    ['/persons/0181%39000391', '/persons/{id}'],
    ['/persons/%30%31%38%31%39%30%30%30%33%39%31', '/persons/{id}'],
    ['/persons/01%2081%2090%20003%2091', '/persons/{id}'],
    ['/persons/01.81.90-00391', '/persons/{id}'],
    ['/persons/%2530%2531%2538%2531%2539%2530.json', '/persons/{id}'],
    [`/keys/${'k'.repeat(33)}`, '/keys/{id}'],
    ['/2026/11', '/2026/11'],
    // A token has dots, so that its length alone does not give it away; digits of other scripts are digits.
    ['/download/eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.', '/download/{id}'],
    ['/persons/%EF%BC%90181%EF%BC%99000391', '/persons/{id}'],
  ])('%s is seen as %s', (path, template) => {
    expect(pathTemplateOf(path)).toBe(template);
  });

  it('T-11: no number of six digits or more survives, however it is written', () => {
    const segment = fc.string({ unit: fc.constantFrom('0', '1', '2', '3', '4', '5', '9', '%', 'a', '-', '.') });
    fc.assert(
      fc.property(fc.array(segment), (segments) => {
        const template = pathTemplateOf(`/${segments.join('/')}`);
        expect(template).not.toMatch(/\d{6}/);
        expect(template.length).toBeLessThanOrEqual(256);
      }),
      { numRuns: runs(2_000) },
    );
  });

  it.each(['/claims/{orgno}', '/', '/a-b/c.d'])('%s can be given', (template) => {
    expect(isPathTemplate(template)).toBe(true);
  });

  it.each(['', 'claims', '/claims?x=1', '/a#b', '/a b', '/claims/310000027', '/\n', `/${'a'.repeat(256)}`, 1, null])(
    '%j cannot',
    (template) => {
      expect(isPathTemplate(template)).toBe(false);
    },
  );
});
