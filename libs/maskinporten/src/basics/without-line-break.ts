/** Text without the one line break at its end that `echo`, editors and mounted files leave there. A second one stays. */
export const withoutLineBreak = (text: string): string => text.replace(/\r?\n$/, '');
